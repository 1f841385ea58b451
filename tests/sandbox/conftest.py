"""One stand-in for all tests of this folder, put back to its beginnings before each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.server import Sandbox
from tests.sandbox.clients import Browser, Receiver


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    directory: Path = tmp_path_factory.mktemp("sandbox")
    with Sandbox(directory) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Iterator[Sandbox]:
    running.reset()
    yield running
    running.reset()


@pytest.fixture
def bot(sandbox: Sandbox) -> Iterator[Browser]:
    """A client with a good token of the home tenant."""
    with Browser(sandbox) as browser:
        browser.sign_in()
        yield browser


@pytest.fixture
def receiver(sandbox: Sandbox) -> Iterator[Receiver]:
    """Somebody who takes notifications."""
    with Receiver() as receiver:
        sandbox.settings(callback_url=receiver.url, callback_pause=0.01)
        yield receiver
