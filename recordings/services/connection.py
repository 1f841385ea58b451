"""The client for this site's tenant, one a process."""

import time
from functools import cache

from django.conf import settings

from recordings.graph.client import GraphClient
from recordings.graph.clouds import GraphConfig, graph_config
from recordings.services import clocks
from recordings.services.budget import Turnstile

_NAMES = (
    "GRAPH_CLOUD",
    "GRAPH_BASE_URL",
    "GRAPH_AUTHORITY",
    "GRAPH_SCOPE",
    "GRAPH_TENANT_ID",
    "GRAPH_CLIENT_ID",
    "GRAPH_CLIENT_SECRET",
    "GRAPH_CLIENT_CERTIFICATE",
    "GRAPH_CLIENT_CERTIFICATE_PASSWORD",
    "GRAPH_CLIENT_ASSERTION_FILE",
    "GRAPH_CA_BUNDLE",
    "GRAPH_PROXY",
    "GRAPH_TIMEOUT",
    "GRAPH_DEADLINE",
    "GRAPH_MAX_ATTEMPTS",
)


def config() -> GraphConfig:
    return graph_config({name: getattr(settings, name) for name in _NAMES})


def client() -> GraphClient:
    """The client for the settings of now; tests change settings, so the settings are the cache's key."""
    return _client(config())


def deadline() -> float:
    """The monotonic moment by which everything a person waits for must be over."""
    return time.monotonic() + float(settings.GRAPH_DEADLINE)


def wide_client(width: int) -> GraphClient:
    """A client for many POSTs one upon the other, to be closed afterwards. Its callers have taken their turns."""
    return GraphClient(config(), width=width, clockwatch=clocks.watch)


@cache
def _client(of: GraphConfig) -> GraphClient:
    return GraphClient(of, turnstile=Turnstile(), clockwatch=clocks.watch)
