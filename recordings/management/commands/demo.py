"""manage.py demo: the whole product on this machine, with a stand-in for Microsoft and a recorder that gets stuck."""

import json
import os
import shutil
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from recordings.management import demo
from recordings.management.stopping import told_to_stop
from recordings.management.supervisor import Supervisor

READY_WITHIN_SECONDS = 60.0


class Command(BaseCommand):
    help = "Run everything on this machine, on a database that begins anew each time. Ctrl-C stops all of it."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=os.environ.get("PORT", "8000"))
        parser.add_argument("--sandbox-port", type=int, default=os.environ.get("SANDBOX_PORT", "8443"))
        parser.add_argument("--directory", type=Path, help="emptied and used (default var/demo-PORT)")
        parser.add_argument(
            "--prepare", action="store_true", help="used by itself: fill the database and say the secrets"
        )

    def handle(self, *args: Any, port: int, sandbox_port: int, directory: Path | None, **options: Any) -> None:
        if options["prepare"]:
            call_command("migrate", verbosity=0)
            self.stdout.write(json.dumps(demo.prepare()))
            return
        root = Path(settings.BASE_DIR)
        place = demo.Place(root, directory or root / "var" / f"demo-{port}", port, sandbox_port)
        _check_ports(place)
        with told_to_stop() as stopping:
            self._run(place, stopping)

    def _run(self, place: demo.Place, stopping: Event) -> None:
        _make_room(place.directory)
        place.witness.mkdir()
        environment = demo.environment(place, os.environ)
        demo.write_environment(place, environment)
        self._say(f"Preparing a fresh database in {place.directory} …")
        secrets = _prepare(place, environment)
        supervisor = Supervisor(place.directory, environment)
        try:
            self._start(supervisor, place, secrets["tokens"], stopping)
            if not stopping.is_set():
                self._welcome(place, secrets["passwords"])
            while not stopping.wait(0.2):
                _check_alive(supervisor)
        finally:
            self._say("Stopping …")
            supervisor.stop()
        self._say("Stopped; no process is left.")

    def _start(self, supervisor: Supervisor, place: demo.Place, tokens: dict[str, str], stopping: Event) -> None:
        """Start each process when the one before is ready."""
        ready: dict[str, Callable[[], bool]] = {
            "sandbox": lambda: demo.listens(place.sandbox_port),
            "web": lambda: demo.serves(place),
        }
        for name, command in demo.commands(place, tokens=tokens).items():
            if stopping.is_set():
                return
            supervisor.start(name, command, cwd=place.root)
            _wait_until(ready.get(name, lambda: True), supervisor, stopping, name=name)

    def _welcome(self, place: demo.Place, passwords: dict[str, str]) -> None:
        lines = [f"  {name:6} {passwords[name]}   {role}" for name, role in demo.PEOPLE.items()]
        self._say("\n".join(["", f"On Record is ready: {place.site}/", "", *lines, "", "Ctrl-C stops everything."]))

    def _say(self, text: str) -> None:
        """Also when nobody listens any more: a closed terminal must not keep us from stopping."""
        try:
            self.stdout.write(text)
            self.stdout.flush()
        except OSError:
            return


def _check_ports(place: demo.Place) -> None:
    for variable, port in (("PORT", place.port), ("SANDBOX_PORT", place.sandbox_port)):
        if not demo.is_free(port):
            raise CommandError(
                f"Port {port} is taken. Choose another one with {variable}, for example {variable}={port + 1}."
            )


def _make_room(directory: Path) -> None:
    """Begin anew: the stand-in remembers nothing either. Only what a demo left here is thrown away."""
    marker = directory / "made-by-demo"
    if directory.exists() and not marker.exists() and any(directory.iterdir()):
        raise CommandError(f"{directory} holds something that no demo made. Nothing was changed.")
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    marker.touch()


def _prepare(place: demo.Place, environment: dict[str, str]) -> Any:
    command = [sys.executable, "manage.py", "demo", "--prepare"]
    done = subprocess.run(  # noqa: S603  our own command
        command, cwd=place.root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise CommandError(f"The database could not be prepared:\n{done.stderr}")
    return json.loads(done.stdout)


def _wait_until(is_ready: Callable[[], bool], supervisor: Supervisor, stopping: Event, *, name: str) -> None:
    until = time.monotonic() + READY_WITHIN_SECONDS
    while not is_ready():
        _check_alive(supervisor)
        if stopping.wait(0.05):
            return
        if time.monotonic() > until:
            raise CommandError(f"{name} is not ready after {READY_WITHIN_SECONDS:.0f} seconds.")


def _check_alive(supervisor: Supervisor) -> None:
    ended = supervisor.first_exit()
    if ended:
        words = ended.last_words()
        said = f"Its last words, from {ended.log}:\n{words}" if words else f"It left no word in {ended.log}."
        raise CommandError(
            f"{ended.name} ended by itself, so the demo was stopped. Start it again for a new one. {said}"
        )
