"""However a supervisor is told to stop, and however deaf its children are, none of them is left."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.demo.processes import ROOT, gone


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.demo.family", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda ending: ending.name)
def test_every_way_to_be_told_ends_children_grandchildren_and_the_deaf(
    supervised: "subprocess.Popen[str]", ending: signal.Signals
) -> None:
    family = psutil.Process(supervised.pid).children(recursive=True)
    assert len(family) == 4
    supervised.send_signal(ending)
    assert supervised.wait(30) == 0
    assert gone(family)
