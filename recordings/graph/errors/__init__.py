"""One family of errors, and what each means for the correction that met it.

GraphError
├── GraphNotSent             nothing left this machine: DNS, connect, TLS, proxy, deadline
│   └── GraphAuthFailed      the sign-in service refused us, or our credential is unusable
├── GraphThrottled           429: not acted upon, wait
├── GraphRefused             any other 4xx except 408, and redirects: not acted upon, final
│   ├── GraphUnauthorized    401: renew the token, then one more Attempt
│   ├── GraphNotPermitted    403
│   ├── GraphNotFound        404 on something inside a call: the operation, the roster, or the path itself
│   │   └── GraphCallGone    404 on the call, or code 8522
│   └── GraphNotARecordingCall   code 8506
└── GraphOutcomeUnknown      408, 5xx, reset, read timeout, deadline, unreadable 2xx: perhaps acted upon

An error is raised outside the except block that met its cause, so that no traceback carries the frames (and headers) of
the libraries below.
"""

import re
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, TypedDict, Unpack

from recordings.graph.errors.corrections import CorrectionFacts, Explainer, explain_correction, explain_try
from recordings.graph.errors.explanations import Explanation, explain, explain_operation_result, explain_result
from recordings.graph.errors.parsing import ErrorBody, parse_error_body, parse_http_date, parse_retry_after

_SECRETS = re.compile(r"eyJ[\w-]{5,}(?:\.[\w-]*)*|\b(?:Bearer|Basic)\s+[^\s\"',;]+", re.ASCII | re.IGNORECASE)
_MESSAGE_LIMIT = 500


class Outcome(StrEnum):
    """What is known about the request after the error."""

    NOT_SENT = "notSent"
    REFUSED = "refused"
    THROTTLED = "throttled"
    UNKNOWN = "unknown"


class Facts(TypedDict, total=False):
    """What an error may carry besides its message and code."""

    http_status: int | None
    request_id: str
    client_request_id: str
    retry_after_seconds: float | None
    latency_seconds: float
    server_date: datetime | None  # aware, UTC


class GraphError(Exception):
    """Base of the family. `code` is Graph's, AADSTS…, or a word of ours: dns, connect, tls, proxy, configuration,
    sign-in, sign-in-refused, deadline, timeout, turn, reset, unreadable. `message` and str() carry no token and no
    secret."""

    outcome: ClassVar[Outcome] = Outcome.UNKNOWN

    def __init__(self, message: str = "", *, code: str = "", **facts: Unpack[Facts]) -> None:
        self.message = redact(message)
        self.code = code
        self.http_status = facts.get("http_status")
        self.request_id = facts.get("request_id", "")
        self.client_request_id = facts.get("client_request_id", "")
        self.retry_after_seconds = facts.get("retry_after_seconds")
        self.latency_seconds = facts.get("latency_seconds", 0.0)
        self.server_date = facts.get("server_date")
        super().__init__(self.message)

    def __str__(self) -> str:
        known = (self.http_status, self.code, self.request_id and f"request-id {self.request_id}")
        facts = ", ".join(str(fact) for fact in known if fact)
        return f"{self.message} ({facts})" if facts else self.message

    @property
    def can_retry(self) -> bool:
        """Whether trying the same again can ever work, without anybody changing anything."""
        return self.explanation.retry_can_work

    @property
    def explanation(self) -> Explanation:
        """The same in plain words."""
        return explain(self.http_status, self.code)


class GraphNotSent(GraphError):
    """Nothing left this machine for Graph: the correction is as if never tried."""

    outcome = Outcome.NOT_SENT


class GraphAuthFailed(GraphNotSent):
    """No token: the sign-in service refused us (AADSTS…), or our own credential is unusable (configuration)."""


class GraphThrottled(GraphError):
    """Graph did not act; wait `retry_after_seconds`, or back off where it is None."""

    outcome = Outcome.THROTTLED


class GraphRefused(GraphError):
    """Graph answered and did not act."""

    outcome = Outcome.REFUSED


class GraphUnauthorized(GraphRefused):
    """The token was not accepted."""


class GraphNotPermitted(GraphRefused):
    """The app may not do this in this tenant."""


class GraphNotFound(GraphRefused):
    """There is no such thing; for what lies inside a call this says nothing about the call."""


class GraphCallGone(GraphNotFound):
    """Graph has no such call: it ended, or never was."""


class GraphNotARecordingCall(GraphRefused):
    """The call has no recording policy, so it takes no recording status."""


class GraphOutcomeUnknown(GraphError):
    """The request may have left, and no usable answer came: never a guess, settle it."""

    outcome = Outcome.UNKNOWN


def error_for(status: int, body: ErrorBody, *, inside_call: bool, facts: Facts) -> GraphError:
    """The member of the family for an HTTP status of 300 or more. `inside_call`: the path went on after the call's id.

    Source of the rules: https://learn.microsoft.com/graph/errors and the codes seen with calls (see explanations).
    """
    kind = _kind(status, body.code, inside_call=inside_call)
    message = body.message or explain(status, body.code).title
    return kind(message, code=body.code, **facts)


def _kind(status: int, code: str, *, inside_call: bool) -> type[GraphError]:
    if status == 408 or status >= 500:
        return GraphOutcomeUnknown
    if status == 429:
        return GraphThrottled
    if code in _KINDS_BY_CODE:
        return _KINDS_BY_CODE[code]
    if status == 404 and inside_call:
        return GraphNotFound
    return _KINDS_BY_STATUS.get(status, GraphRefused)


_KINDS_BY_CODE: dict[str, type[GraphError]] = {"8522": GraphCallGone, "8506": GraphNotARecordingCall}
_KINDS_BY_STATUS: dict[int, type[GraphError]] = {401: GraphUnauthorized, 403: GraphNotPermitted, 404: GraphCallGone}


def redact(message: str) -> str:
    """The message without anything that looks like a token, at most 500 characters."""
    return _SECRETS.sub("[removed]", message)[:_MESSAGE_LIMIT]


__all__ = [
    "CorrectionFacts",
    "ErrorBody",
    "Explainer",
    "Explanation",
    "Facts",
    "GraphAuthFailed",
    "GraphCallGone",
    "GraphError",
    "GraphNotARecordingCall",
    "GraphNotFound",
    "GraphNotPermitted",
    "GraphNotSent",
    "GraphOutcomeUnknown",
    "GraphRefused",
    "GraphThrottled",
    "GraphUnauthorized",
    "Outcome",
    "error_for",
    "explain",
    "explain_correction",
    "explain_operation_result",
    "explain_result",
    "explain_try",
    "parse_error_body",
    "parse_http_date",
    "parse_retry_after",
    "redact",
]
