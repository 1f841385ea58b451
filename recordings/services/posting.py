"""One POST to a machine that nobody vouches for: bounded as a whole, never repeated, never redirected.

Other than Graph's wire (recordings/graph/transport.py) it also speaks to this machine without TLS, reads nothing of the
answer but its status, and asks no proxy.
"""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests

from recordings.graph.transport import DeadlineReader

CONNECT_SECONDS, READ_SECONDS = 5.0, 10.0


def post(url: str, body: bytes, *, headers: Mapping[str, str], seconds: float) -> int:
    """The status of the answer. All of it together takes no longer than `seconds`; only the addresses of a name that do
    not answer at all take CONNECT_SECONDS each.

    The machine's own CAs are trusted. Raises OSError (TimeoutError, ssl.SSLCertVerificationError among them),
    http.client.HTTPException for what is no HTTP, and requests.RequestException for what is no address.
    """
    deadline = time.monotonic() + seconds
    prepared = requests.Request("POST", url).prepare()
    connection = _connection(str(prepared.url), deadline)
    try:
        connection.connect()
        connection.sock.settimeout(min(READ_SECONDS, _left(deadline)))
        connection.request("POST", prepared.path_url, body, dict(headers))
        return connection.getresponse().status
    finally:
        connection.close()


def _connection(url: str, deadline: float) -> http.client.HTTPConnection:
    parts, timeout = urlsplit(url), min(CONNECT_SECONDS, _left(deadline))
    host = str(parts.hostname)
    if parts.scheme == "https":
        trusted = ssl.create_default_context()
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, parts.port, timeout=timeout, context=trusted
        )
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=timeout)
    connection.response_class = partial(_Response, deadline=deadline)  # type: ignore[assignment]
    return connection


def _left(deadline: float) -> float:
    """Raises TimeoutError: a name with many addresses can take many connect timeouts, and too late is too late."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return left


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, deadline: float, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(DeadlineReader(self.fp.detach(), sock, deadline))
