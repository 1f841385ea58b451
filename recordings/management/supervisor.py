"""A handful of processes that live and end together. None outlives its supervisor, however that one ends."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

PR_SET_PDEATHSIG = 1
GRACE_SECONDS = 5.0
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def last_words(self, lines: int = 15) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def group_lives(self) -> bool:
        """Whether anybody of its process group is left; the leader is reaped on the way."""
        self.process.poll()
        return _signal_group(self.process.pid, 0)


class Supervisor:
    """Each child leads a session and a process group of its own, so that a whole family can be ended."""

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        self._logs, self._environment = logs, dict(environment)
        self._children: list[Child] = []

    def start(self, name: str, command: Sequence[str], *, cwd: Path) -> Child:
        """Start one from the main thread: Linux ends it when the thread that started it ends."""
        log = self._logs / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603  our own commands
                command,
                cwd=cwd,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=partial(_die_with_parent, os.getpid()) if _LIBC else None,  # noqa: PLW1509  nothing here has threads yet
            )
        child = Child(name, process, log)
        self._children.append(child)
        return child

    def first_exit(self) -> Child | None:
        """A child that has ended, if there is one."""
        return next((child for child in self._children if child.process.poll() is not None), None)

    def stop(self, *, grace: float = GRACE_SECONDS) -> None:
        """Ask all to end, wait up to `grace` seconds, then end what is left. No process of theirs remains."""
        for child in reversed(self._children):
            _signal_group(child.process.pid, signal.SIGTERM)
        until = time.monotonic() + grace
        while self._is_any_left() and time.monotonic() < until:
            time.sleep(0.05)
        for child in self._children:
            _signal_group(child.process.pid, signal.SIGKILL)
            child.process.wait()

    def _is_any_left(self) -> bool:
        return any(child.group_lives() for child in self._children)


def _signal_group(group: int, number: int) -> bool:
    """False if nobody is left in the group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


def _die_with_parent(parent: int) -> None:
    """In the child, before it runs: SIGTERM for it when the parent dies, even by SIGKILL (prctl(2))."""
    assert _LIBC is not None
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
