"""Runs only where GRAPH_OPENAPI names Microsoft's own description of the calls API, which is not in this repository."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from openapi_core import OpenAPI

from sandbox.server import Sandbox
from tests.conformance.description import Description, with_nulls
from tests.sandbox.clients import Browser

VARIABLE = "GRAPH_OPENAPI"
DESCRIPTION = os.environ.get(VARIABLE)
collect_ignore_glob = [] if DESCRIPTION else ["test_*.py"]

if DESCRIPTION and not Path(DESCRIPTION).is_file():
    raise pytest.UsageError(f"{VARIABLE} names {DESCRIPTION}, and there is no such file.")


@pytest.fixture(scope="session")
def description() -> Description:
    text = Path(str(DESCRIPTION)).read_text(encoding="utf-8")
    return Description(OpenAPI.from_dict(with_nulls(yaml.safe_load(text))))


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset()
    running.settings(list_operations=True)
    return running


@pytest.fixture
def bot(sandbox: Sandbox) -> Iterator[Browser]:
    with Browser(sandbox) as browser:
        browser.sign_in()
        yield browser
