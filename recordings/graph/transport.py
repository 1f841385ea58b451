"""One HTTPS exchange: bounded in time and in size, never repeated, never redirected, deaf to the environment.

Whether a request may have left is not guessed from the kind of error: our connection notes the moment before it writes
the first byte of the request. Before that nothing was sent; after it the outcome is unknown.
"""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError, NameResolutionError

from recordings.graph.errors import GraphError, GraphNotSent, GraphOutcomeUnknown

BODY_LIMIT_BYTES = 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_POOL_SIZE = 16
# The other end closes connections that rest, and a request may cross that on the way: after this a new one is safer.
_LONGEST_REST_SECONDS = 2.0
_USER_AGENT = "OnRecord/0.1"


@dataclass
class _Exchange:
    """The request under way in this thread: its deadline (time.monotonic()) and whether a byte of it may have left."""

    deadline: float
    sent: bool = False


_exchange: ContextVar[_Exchange] = ContextVar("exchange")


@dataclass(frozen=True)
class RawAnswer:
    """An HTTP answer. `body` is None where it could not be read whole, in time and within BODY_LIMIT_BYTES."""

    status_code: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    latency_seconds: float


class BearerAuth(AuthBase):
    """Puts the token on the request, and keeps it out of every repr and local variable on the way."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Wire:
    """A pool of connections to Microsoft. Safe to share between threads. Times are in seconds."""

    def __init__(
        self,
        *,
        ca_bundle: str | None,
        proxy: str | None,
        connect_timeout: float,
        read_timeout: float,
        connections: int = _POOL_SIZE,
    ) -> None:
        self._timeouts = (connect_timeout, read_timeout)
        # Without a requests.Session, which would look at the environment, keep cookies, follow redirects, and take
        # a fifth of the processor time of a whole POST to find out that there is nothing of that to do.
        self._adapter = _Adapter(max_retries=0, pool_maxsize=connections)
        self._verify = ca_bundle or True
        self._proxies = {"https": proxy} if proxy else {}

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        deadline: float,
        data: bytes | str | Mapping[str, Any] | None = None,
        auth: AuthBase | None = None,
        fresh: bool = False,
    ) -> RawAnswer:
        """Send once and read the answer. `deadline` is a time.monotonic() moment and bounds all of it.

        `fresh` closes idle connections first. Raises GraphNotSent or GraphOutcomeUnknown; any status is an answer.
        """
        started = time.monotonic()
        left = deadline - started
        if left <= 0:
            raise GraphNotSent("The deadline had passed before anything was sent.", code="deadline")
        if fresh:
            self.close()
        exchange = _Exchange(deadline)
        mark = _exchange.set(exchange)
        try:
            with self._adapter.send(
                _prepared(method, url, headers=headers, data=data, auth=auth),
                timeout=(min(self._timeouts[0], left), min(self._timeouts[1], left)),
                stream=True,
                verify=self._verify,
                proxies=self._proxies,
            ) as response:
                body = _read(response)
            return RawAnswer(response.status_code, response.headers, body, time.monotonic() - started)
        except (OSError, HTTPError) as error:
            failure = _failure(error, exchange, latency_seconds=time.monotonic() - started)
        finally:
            _exchange.reset(mark)
        raise failure

    def close(self) -> None:
        """Close the idle connections; the next request opens a new one."""
        self._adapter.close()


class DeadlineReader(io.RawIOBase):
    """Reads a socket's bytes; each read waits at most for the read timeout and never beyond the deadline.

    A socket's own timeout bounds one read: an answer that trickles in, headers included, would go on for ever.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float) -> None:
        self._raw = raw
        self._sock = sock
        self._patience = sock.gettimeout()
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        self._sock.settimeout(left if self._patience is None else min(self._patience, left))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(DeadlineReader(self.fp.detach(), sock, _exchange.get().deadline))


class _Connection(HTTPSConnection):
    response_class = _Response
    _held: bytearray | None = None
    rests_since = 0.0  # time.monotonic(); set whenever it goes back to the pool

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Called once the connection stands: TCP, proxy and TLS are behind us."""
        exchange = _exchange.get()
        if time.monotonic() >= exchange.deadline:
            # A name with many addresses can take many connect timeouts: too late is too late.
            raise TimeoutError("the deadline has passed")
        exchange.sent = True
        self._held = bytearray()
        super().request(*args, **kwargs)
        held, self._held = self._held, None
        self.send(held)

    def send(self, data: Any) -> None:
        """Head and body leave together: one TLS record, and one wait for the other threads, instead of two."""
        if self._held is None:
            super().send(data)
        else:
            self._held += data


class _Pool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Connection

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)
        if isinstance(connection, _Connection) and time.monotonic() - connection.rests_since > _LONGEST_REST_SECONDS:
            connection.close()  # it opens itself again
        return connection

    def _put_conn(self, connection: Any) -> None:
        if connection is not None:
            connection.rests_since = time.monotonic()
        super()._put_conn(connection)


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": _Pool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = {"https": _Pool}
        return manager


def _prepared(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    data: bytes | str | Mapping[str, Any] | None,
    auth: AuthBase | None,
) -> requests.PreparedRequest:
    """Raises requests.exceptions.InvalidSchema for anything but https."""
    if not url.lower().startswith("https://"):
        raise requests.exceptions.InvalidSchema("not https")
    ours = {"User-Agent": _USER_AGENT, "Accept": "application/json", "Accept-Encoding": "identity"}
    return requests.Request(method, url, headers={**ours, **headers}, data=data, auth=auth).prepare()


def _read(response: requests.Response) -> bytes | None:
    body = bytearray()
    try:
        for chunk in response.iter_content(_CHUNK_BYTES):
            body += chunk
            if len(body) > BODY_LIMIT_BYTES:
                return None
    except (OSError, HTTPError):
        return None
    return bytes(body)


def _failure(error: Exception, exchange: _Exchange, *, latency_seconds: float) -> GraphError:
    late = time.monotonic() >= exchange.deadline
    if exchange.sent:
        timed_out = isinstance(error, requests.ReadTimeout)
        code = "deadline" if late else "timeout" if timed_out else "reset"
        message = "No answer came in time." if late or timed_out else "The connection broke before an answer came."
        return GraphOutcomeUnknown(message, code=code, latency_seconds=latency_seconds)
    code = "deadline" if late else _reason(error)
    return GraphNotSent(_NOT_SENT[code], code=code, latency_seconds=latency_seconds)


def _reason(error: Exception) -> str:
    """Why no connection came about. Only words for people hang on it, so a wrong guess does no harm."""
    if isinstance(error, requests.exceptions.SSLError):
        return "tls" if _is_untrusted(error) else "connect"
    if isinstance(error, requests.exceptions.ProxyError):
        return "proxy"
    if not isinstance(error, requests.ConnectionError):
        return "configuration"  # no such CA bundle, not an address, not https
    cause = getattr(error.args[0] if error.args else None, "reason", None)
    return "dns" if isinstance(cause, NameResolutionError) else "connect"


def _is_untrusted(error: requests.exceptions.SSLError) -> bool:
    """A certificate that is not accepted stays so; a handshake that broke off may go well the next time."""
    inner = getattr(error.args[0] if error.args else None, "reason", None) or error
    return any(isinstance(each, ssl.SSLCertVerificationError) for each in (inner, *inner.args))


_NOT_SENT = {
    "configuration": "The address or the CA bundle is not usable.",
    "connect": "No connection came about.",
    "deadline": "The deadline passed before a connection came about.",
    "dns": "The host's name was not found.",
    "proxy": "The proxy did not connect us.",
    "tls": "The host's certificate is not trusted here.",
}
