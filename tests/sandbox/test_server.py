"""The process: its command, its sockets, and how it ends."""

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from sandbox.server import Sandbox
from tests.sandbox.clients import TIMEOUT, Browser


def test_the_command_says_when_it_is_ready_and_ends_when_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--directory", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        readable, _, _ = select.select([process.stdout], [], [], 20)
        assert readable
        address = process.stdout.readline().strip().removeprefix("sandbox ready at ")
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(f"{address}/control/state", verify=str(tmp_path / "ca.pem"), timeout=TIMEOUT)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert answer.json()["calls"] == 0


def test_it_can_be_served_without_tls(tmp_path: Path) -> None:
    with Sandbox(tmp_path, http=True) as sandbox, requests.Session() as session:
        session.trust_env = False
        answer = session.get(f"{sandbox.base_url}/control/state", timeout=TIMEOUT)
    assert sandbox.base_url.startswith("http://")
    assert answer.status_code == 200
    assert not sandbox.ca_file.exists()


def test_nobody_trusts_it_without_its_own_authority(sandbox: Sandbox) -> None:
    with requests.Session() as session:
        session.trust_env = False
        with pytest.raises(requests.exceptions.SSLError):
            session.get(sandbox.base_url, timeout=TIMEOUT)


def test_a_peer_that_never_shakes_hands_holds_nobody_up(sandbox: Sandbox) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port)), Browser(sandbox) as browser:
        assert browser.send("GET", "/control/state").status_code == 200


def test_one_connection_serves_many_requests(sandbox: Sandbox, bot: Browser) -> None:
    call_id = sandbox.add_call()["call_id"]
    answers = [bot.graph("GET", call_id) for _ in range(3)]
    assert all(answer.status_code == 200 for answer in answers)
    assert all(answer.headers.get("Connection") != "close" for answer in answers)


def test_a_body_beyond_measure_or_of_unknown_length_is_refused(sandbox: Sandbox, bot: Browser) -> None:
    assert bot.send("POST", "/control/calls", data=iter([b"{}"])).status_code == 411
    head = {"Content-Length": "2000000"}
    assert bot.send("POST", "/control/calls", data=b"", headers=head).status_code == 413


def test_it_stops_while_requests_hang(tmp_path: Path) -> None:
    with Sandbox(tmp_path) as sandbox, Browser(sandbox) as browser:
        browser.sign_in()
        call_id = sandbox.add_call()["call_id"]
        sandbox.fault("hang")
        with pytest.raises(requests.ReadTimeout):
            browser.tell(call_id, timeout=(3, 0.2))
        assert sandbox.wait_for_hanging()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", sandbox.port)) != 0


def test_it_imports_nothing_of_the_site() -> None:
    script = "import sys, sandbox.server, sandbox.recorder; print(*sorted(sys.modules))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ)
    loaded = {name.partition(".")[0] for name in result.stdout.split()}
    assert loaded.isdisjoint({"recordings", "dashboard", "django"})
