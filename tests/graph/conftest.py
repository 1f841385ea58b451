"""Microsoft's stand-in for this folder, over TLS, and a client that knows nothing of its being one."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recordings.graph.auth import drop_token
from recordings.graph.client import GraphClient
from recordings.graph.clouds import GraphConfig, graph_config
from sandbox.server import Sandbox
from tests.graph.servers import RawServer


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    directory: Path = tmp_path_factory.mktemp("microsoft")
    with Sandbox(directory) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Iterator[Sandbox]:
    running.reset()
    yield running
    running.reset()


@pytest.fixture
def settings_of_the_stand_in(sandbox: Sandbox) -> dict[str, Any]:
    return {
        "GRAPH_BASE_URL": sandbox.graph_url,
        "GRAPH_AUTHORITY": sandbox.issuer,
        "GRAPH_TENANT_ID": sandbox.tenant_id,
        "GRAPH_CLIENT_ID": sandbox.client_id,
        "GRAPH_CLIENT_SECRET": sandbox.client_secret,
        "GRAPH_CA_BUNDLE": str(sandbox.ca_file),
    }


@pytest.fixture
def config(settings_of_the_stand_in: dict[str, Any]) -> GraphConfig:
    config = graph_config(settings_of_the_stand_in)
    drop_token(config)
    return config


@pytest.fixture
def client(config: GraphConfig) -> Iterator[GraphClient]:
    with GraphClient(config) as client:
        yield client


@pytest.fixture
def raw(tmp_path: Path) -> Iterator[RawServer]:
    with RawServer(tmp_path / "raw-ca.pem") as server:
        yield server


def soon(seconds: float = 10.0) -> float:
    """A deadline."""
    return time.monotonic() + seconds
