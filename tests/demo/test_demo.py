"""manage.py demo as a user has it: real processes, one URL, and nothing left afterwards."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import requests

from recordings.choices import Rule
from recordings.management.demo import GRACES, Place, environment, own_settings, write_environment
from tests.demo.processes import ROOT, gone, until

READY_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Demo:
    process: "subprocess.Popen[str]"
    ports: tuple[int, int]
    output: Path
    directory: Path

    @property
    def said(self) -> str:
        return self.output.read_text()

    def url(self) -> str:
        found = until(READY_SECONDS, lambda: re.search(r"http://\S+", self.said) or self.process.poll() is not None)
        assert isinstance(found, re.Match), self.said
        return found.group()

    def password_of(self, username: str) -> str:
        found = re.search(rf"^  {username} +(\S+) ", self.said, re.MULTILINE)
        assert found, self.said
        return found.group(1)

    def family(self) -> list[psutil.Process]:
        children: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return children

    def ports_are_free(self) -> bool:
        return not any(is_taken(port) for port in self.ports)


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    ports = (free_port(), free_port())
    output, directory = tmp_path / "output", tmp_path / "demo"
    environment = {name: value for name, value in os.environ.items() if name not in ("DJANGO_SETTINGS_MODULE", "DEBUG")}
    command = [sys.executable, "manage.py", "demo", "--directory", str(directory)]
    command += ["--port", str(ports[0]), "--sandbox-port", str(ports[1])]
    with output.open("w") as written:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=written, stderr=subprocess.STDOUT, text=True
        )
    started = Demo(process, ports, output, directory)
    yield started
    if process.poll() is None:
        process.terminate()
        process.wait(30)


def sign_in(demo: Demo, username: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    page = session.get(f"{demo.url()}login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token
    words = {"username": username, "password": demo.password_of(username), "csrfmiddlewaretoken": token.group(1)}
    answer = session.post(f"{demo.url()}login/", data=words, headers={"Referer": f"{demo.url()}login/"})
    assert answer.status_code == 200
    assert "sessionid" in session.cookies
    return session


def test_it_prints_one_url_where_people_of_each_role_see_stuck_calls_and_ends_without_a_trace(demo: Demo) -> None:
    url = demo.url()
    assert url == f"http://localhost:{demo.ports[0]}/"
    assert len(set(re.findall(r"http://\S+", demo.said))) == 1
    with sign_in(demo, "mira") as mira:

        def stuck_calls() -> list[str]:
            return re.findall(r"/calls/([\w-]{30,})/", mira.get(f"{url}calls/?stuck=true").text)

        calls = until(30, stuck_calls)
        assert calls
        assert mira.get(f"{url}calls/{calls[0]}/").status_code == 200
        exported = mira.get(f"{url}export/history.csv")
        assert "Change" in exported.text
        assert mira.get(f"{url}admin/").status_code == 200
    for username in ("olga", "tom", "ada"):
        sign_in(demo, username).close()

    family = demo.family()
    assert len(family) >= 4
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(30) == 0
    assert gone(family)
    assert demo.ports_are_free()


def test_nothing_outlives_a_supervisor_that_is_killed(demo: Demo) -> None:
    demo.url()
    family = demo.family()
    demo.process.kill()
    demo.process.wait(30)
    assert until(20, lambda: gone(family))


def test_the_first_process_that_ends_stops_the_others_and_is_named(demo: Demo) -> None:
    demo.url()
    family = demo.family()
    worker = next(process for process in family if "work" in process.cmdline())
    worker.kill()
    assert demo.process.wait(30) == 1
    assert "worker ended by itself, so the demo was stopped." in demo.said
    assert "worker.log" in demo.said
    assert gone(family)


def test_a_taken_port_is_named_with_its_variable(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "manage.py", "demo", "--directory", str(tmp_path / "demo"), "--port", str(port)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"Port {port} is taken. Choose another one with PORT" in done.stderr


def test_a_directory_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    command = [sys.executable, "manage.py", "demo", "--directory", str(tmp_path), "--port", str(free_port())]
    command += ["--sandbox-port", str(free_port())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "no demo made" in done.stderr
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_shell_takes_over_the_settings_of_the_demo_and_nothing_else_is_written_down(tmp_path: Path) -> None:
    directory = tmp_path / "a demo"
    directory.mkdir()
    place = Place(ROOT, directory, 8000, 8443)
    settings = environment(place, {"PATH": "/usr/bin", "GRAPH_CLIENT_SECRET": "a real one", "MY_TOKEN": "mine"})
    write_environment(place, settings)
    assert not {"a real one", "mine"} & set(place.environment_file.read_text().replace("=", "\n").splitlines())
    assert place.environment_file.stat().st_mode & 0o077 == 0
    script = f"set -a; . '{place.environment_file}'; exec env"
    said = subprocess.run(["/bin/sh", "-c", script], env={}, capture_output=True, text=True, check=True).stdout
    own = {name: settings[name] for name in own_settings(place)}
    assert dict(line.split("=", maxsplit=1) for line in said.splitlines()).items() >= own.items()


def test_the_page_on_the_demo_names_every_rule_and_every_shorter_setting_with_its_value() -> None:
    page = (ROOT / "docs" / "demo.md").read_text()
    assert set(re.findall(r"^\| `(R\d+)` \|", page, re.MULTILINE)) == {rule.value for rule in Rule}
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \| (\d+) seconds \|", page, re.MULTILINE)
    said = {name: seconds for names, seconds in rows for name in re.findall(r"[A-Z_]+", names)}
    assert said.items() >= GRACES.items()
    assert set(said) - set(GRACES) == {"SETTLE_GRACE", "GRAPH_DEADLINE"}
