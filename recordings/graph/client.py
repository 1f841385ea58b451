"""The calls API of Microsoft Graph. One method is one request: nothing is tried twice here, each try is an Attempt.

Reference: https://learn.microsoft.com/graph/api/resources/communications-api-overview
"""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import quote, urlsplit

from recordings.graph import auth
from recordings.graph.clouds import GraphConfig
from recordings.graph.errors import (
    Facts,
    GraphError,
    GraphNotSent,
    GraphOutcomeUnknown,
    error_for,
    parse_error_body,
    parse_http_date,
    parse_retry_after,
)
from recordings.graph.errors.parsing import clean_request_id
from recordings.graph.transport import BearerAuth, RawAnswer, Wire
from recordings.graph.wire import (
    ID_PATTERN,
    GraphCall,
    GraphOperation,
    Participant,
    WireError,
    clean_id,
    parse_call,
    parse_operation,
    parse_operations,
    parse_participants,
    recording_status_body,
)


@dataclass(frozen=True)
class Answer[T]:
    """A success. `server_date` is aware UTC, from the Date header; latency is Graph's alone, without the token's."""

    value: T
    http_status: int
    request_id: str
    client_request_id: str
    server_date: datetime | None
    latency_seconds: float


class Turnstile(Protocol):
    """Who decides when a request may leave, and learns what came of it."""

    def enter(self, *, until: float) -> None:
        """Wait for a turn no longer than to `until` (time.monotonic()). Raises GraphNotSent where none comes."""

    def learn(self, problem: GraphError) -> None:
        """Hear how Graph refused: it may ask for a pause."""


class Clockwatch(Protocol):
    """Who hears when each answer came, and when Graph says that it wrote it."""

    def hear(self, server_date: datetime | None, *, received_at: datetime, latency_seconds: float) -> None:
        """Note one answer (aware UTC); None where Graph gave no Date."""


class GraphClient:
    """Safe to share between threads. `session` is for tests and for sharing a pool of connections.

    A GET asks `turnstile` for its turn. A POST does not: whoever sends one has asked before its Attempt was stored.
    With `width` that many requests at a time go over kept connections, POSTs too; without, a POST gets a new one.

    Every method takes `deadline`, a time.monotonic() moment that bounds token and request together, and
    `client_request_id`, an id of our own for Microsoft's support. Every method raises members of GraphError, and
    ValueError for arguments that must never be sent.
    """

    def __init__(
        self,
        config: GraphConfig,
        *,
        session: Wire | None = None,
        turnstile: Turnstile | None = None,
        clockwatch: Clockwatch | None = None,
        width: int | None = None,
    ) -> None:
        self._config = config
        self._turnstile = turnstile
        self._clockwatch = clockwatch
        self._keeps_connections = width is not None
        self._wire = session or Wire(
            ca_bundle=config.ca_bundle,
            proxy=config.proxy,
            connect_timeout=config.connect_timeout_seconds,
            read_timeout=config.read_timeout_seconds,
            **({"connections": width} if width else {}),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close idle connections; the client stays usable."""
        self._wire.close()

    def renew_token(self) -> None:
        """Forget the token, after a GraphUnauthorized: the next request fetches a new one."""
        auth.drop_token(self._config)

    # Reference: https://learn.microsoft.com/graph/api/call-get
    def get_call(self, call_id: str, *, client_request_id: str, deadline: float) -> Answer[GraphCall]:
        """The call as Graph sees it now. Raises GraphCallGone where Graph has none."""
        path = _path(call_id)
        return self._get(path, _call_reader(call_id), client_request_id=client_request_id, deadline=deadline)

    # Reference: https://learn.microsoft.com/graph/api/call-updaterecordingstatus
    def update_recording_status(
        self, call_id: str, *, status: str, client_context: str, client_request_id: str, deadline: float
    ) -> Answer[GraphOperation]:
        """Tell Teams what the recorder does. Any 2xx is accepted; an operation that is not final is told later.

        Raises ValueError for a status that may not be sent. GraphOutcomeUnknown: it may have taken effect.
        """
        body = json.dumps(recording_status_body(status, client_context))
        raw = self._send("POST", f"{_path(call_id)}/updateRecordingStatus", client_request_id, deadline, body=body)
        return _answer(raw, client_request_id, _status_reader(client_context))

    # Reference: https://learn.microsoft.com/graph/api/resources/commsoperation (GET is in the CSDL; pages exist for
    # other operations only, so polling is best effort)
    def get_operation(
        self, call_id: str, operation_id: str, *, client_request_id: str, deadline: float
    ) -> Answer[GraphOperation]:
        """One operation. Raises GraphNotFound where there is none, which says nothing about the call."""
        path = f"{_path(call_id)}/operations/{quote(clean_id(operation_id, 'operation id'), safe='')}"
        return self._get(path, _operation_reader, client_request_id=client_request_id, deadline=deadline)

    # Reference: https://learn.microsoft.com/graph/api/resources/call (the navigation property "operations")
    def list_operations(
        self, call_id: str, *, client_request_id: str, deadline: float
    ) -> Answer[tuple[GraphOperation, ...]]:
        """The call's operations, first page only. Not proven on real Graph: a failure means nothing."""
        path = f"{_path(call_id)}/operations"
        return self._get(path, _operations_reader, client_request_id=client_request_id, deadline=deadline)

    # Reference: https://learn.microsoft.com/graph/api/call-list-participants
    def get_participants(
        self, call_id: str, *, client_request_id: str, deadline: float
    ) -> Answer[tuple[Participant, ...]]:
        """The roster. Not supported for calls between two; can be empty or late (samples' issues 453 and 824)."""
        path = f"{_path(call_id)}/participants"
        return self._get(path, _participants_reader, client_request_id=client_request_id, deadline=deadline)

    def _get[T](
        self, path: str, read: Callable[[Any, RawAnswer], T], *, client_request_id: str, deadline: float
    ) -> Answer[T]:
        if self._turnstile:
            self._turnstile.enter(until=deadline)
        return _answer(self._send("GET", path, client_request_id, deadline), client_request_id, read)

    def _send(
        self, method: str, path: str, client_request_id: str, deadline: float, *, body: str | None = None
    ) -> RawAnswer:
        """Send once; return a 2xx, raise the rest."""
        headers = {"client-request-id": clean_id(client_request_id, "client request id")}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if time.monotonic() >= deadline:
            raise GraphNotSent("The deadline had passed.", code="deadline", client_request_id=client_request_id)
        try:
            raw = self._wire.send(
                method,
                self._config.base_url + path,
                headers=headers,
                data=body,
                auth=BearerAuth(auth.token(self._config, deadline=deadline)),
                deadline=deadline,
                # A kept connection may have been closed at the other end: a POST that dies on it would be "unknown"
                # for nothing. It gets a new one, unless one follows upon the other; and GETs keep theirs.
                fresh=method == "POST" and not self._keeps_connections,
            )
        except GraphError as error:
            error.client_request_id = client_request_id
            raise
        if self._clockwatch:
            date = parse_http_date(raw.headers.get("Date"))
            self._clockwatch.hear(date, received_at=datetime.now(UTC), latency_seconds=raw.latency_seconds)
        if 200 <= raw.status_code < 300:
            return raw
        # "/communications/calls/<id>/…": a GET that misses something of the call does not say that the call is gone
        problem = _error(raw, client_request_id, inside_call=method == "GET" and path.count("/") > 3)
        if self._turnstile:
            self._turnstile.learn(problem)
        raise problem


def _path(call_id: str) -> str:
    return f"/communications/calls/{quote(clean_id(call_id, 'call id'), safe='')}"


def _facts(raw: RawAnswer, client_request_id: str) -> Facts:
    server_date = parse_http_date(raw.headers.get("Date"))
    return Facts(
        http_status=raw.status_code,
        request_id=clean_request_id(raw.headers.get("request-id")),
        client_request_id=client_request_id,
        retry_after_seconds=parse_retry_after(raw.headers.get("Retry-After"), server_date or datetime.now(UTC)),
        latency_seconds=raw.latency_seconds,
        server_date=server_date,
    )


def _error(raw: RawAnswer, client_request_id: str, *, inside_call: bool) -> GraphError:
    body = parse_error_body(raw.body or b"")
    facts = _facts(raw, client_request_id)
    facts["request_id"] = facts["request_id"] or body.request_id
    return error_for(raw.status_code, body, inside_call=inside_call, facts=facts)


def _answer[T](raw: RawAnswer, client_request_id: str, read: Callable[[Any, RawAnswer], T]) -> Answer[T]:
    """The parsed answer. Raises GraphOutcomeUnknown where a 2xx cannot be read."""
    facts = _facts(raw, client_request_id)
    try:
        value = read(_json(raw), raw)
    except WireError as error:
        unreadable = GraphOutcomeUnknown(f"The answer is unreadable: {error}", code="unreadable", **facts)
    else:
        return Answer(
            value,
            http_status=raw.status_code,
            request_id=facts["request_id"],
            client_request_id=client_request_id,
            server_date=facts["server_date"],
            latency_seconds=raw.latency_seconds,
        )
    raise unreadable


def _json(raw: RawAnswer) -> Any:
    """The body's JSON, None for an empty body. Raises WireError."""
    if raw.body is None:
        raise WireError("body", "could not be read whole")
    if not raw.body.strip():
        return None
    try:
        return json.loads(raw.body)
    except (ValueError, RecursionError):
        raise WireError("body", "is not JSON") from None


def _call_reader(call_id: str) -> Callable[[Any, RawAnswer], GraphCall]:
    def read(payload: Any, raw: RawAnswer) -> GraphCall:
        call = parse_call(payload)
        if call.id.casefold() != call_id.casefold():
            raise WireError("call.id", "is another call's")
        scenario_id = call.scenario_id or clean_request_id(raw.headers.get("scenario-id")) or None
        return replace(call, scenario_id=scenario_id)

    return read


def _status_reader(client_context: str) -> Callable[[Any, RawAnswer], GraphOperation]:
    def read(payload: Any, raw: RawAnswer) -> GraphOperation:
        located = _located_id(raw)
        if payload is None and located is not None:
            return GraphOperation(id=located, status="", client_context=None, result=None)
        operation = parse_operation(payload)
        if operation.client_context not in (None, client_context):
            raise WireError("operation.clientContext", "is another operation's")
        return replace(operation, id=operation.id or located)

    return read


def _located_id(raw: RawAnswer) -> str | None:
    """The operation's id, from the last part of Location; nothing else of that header is ever used."""
    try:
        last = urlsplit(raw.headers.get("Location") or "").path.rpartition("/")[2]
    except ValueError:
        return None
    return last if re.fullmatch(ID_PATTERN, last, re.ASCII) else None


def _operation_reader(payload: Any, _: RawAnswer) -> GraphOperation:
    return parse_operation(payload)


def _operations_reader(payload: Any, _: RawAnswer) -> tuple[GraphOperation, ...]:
    return parse_operations(payload)


def _participants_reader(payload: Any, _: RawAnswer) -> tuple[Participant, ...]:
    return parse_participants(payload)
