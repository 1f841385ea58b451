"""Read what Graph says when it says no. Nothing here raises: an unreadable refusal is still a refusal.

Reference: https://learn.microsoft.com/graph/errors
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from recordings.graph.errors.explanations import KNOWN_CODES

LONGEST_WAIT_SECONDS = 3_600.0
_DIAG_CODE = re.compile(r"DiagCode\s*[:=]?\s*(\d{1,9})#(\d{1,9})", re.ASCII | re.IGNORECASE)
_SECONDS = re.compile(r"[+-]?\d{1,12}(\.\d{1,6})?", re.ASCII)
_REQUEST_ID = re.compile(r"[\w.:/+=-]{1,128}", re.ASCII)


@dataclass(frozen=True)
class ErrorBody:
    """What was found; empty where it was not said. `subcode` comes from a DiagCode in the message."""

    code: str = ""
    message: str = ""
    subcode: int | None = None
    request_id: str = ""


def parse_error_body(body: bytes | str) -> ErrorBody:
    """Both envelopes, `{"error": {"code": …}}` and the bare `{"errorCode": …}`; anything else is an empty ErrorBody."""
    payload = _json_object(body)
    error = payload.get("error")
    if not isinstance(error, dict):
        # The bare envelope is what the calling service itself answers (microsoft-graph-comms-samples issue 432).
        error = {"code": payload.get("errorCode"), "message": payload.get("message")}
    message = _word(error.get("message"))
    code, subcode = _codes(_word(error.get("code")), message)
    return ErrorBody(code[:128], message[:500], subcode, _inner_request_id(error))


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait, at most an hour: from seconds or an HTTP date (RFC 9110, 10.2.3). None for nothing or rubbish.

    `now` is aware. A wait that is already over is 0.
    """
    value = (value or "").strip()
    if _SECONDS.fullmatch(value):
        seconds = float(value)
    elif (moment := parse_http_date(value)) is not None:
        seconds = (moment - now).total_seconds()
    else:
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)


def parse_http_date(value: str | None) -> datetime | None:
    """An HTTP date (RFC 9110, 5.6.7) as aware UTC, None for nothing or rubbish."""
    try:
        moment = parsedate_to_datetime((value or "")[:64])
        # "-0000" parses as naive; HTTP dates are always UTC
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def clean_request_id(value: object) -> str:
    """A support id fit for logs and pages, or an empty text."""
    return value if isinstance(value, str) and _REQUEST_ID.fullmatch(value) else ""


def _json_object(body: bytes | str) -> Mapping[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def _word(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    storable = str(value)[:500].encode("utf-8", "replace").decode("utf-8")
    return storable.replace("\x00", "?").strip()


def _codes(code: str, message: str) -> tuple[str, int | None]:
    """The code to branch on: Graph's own, unless only the DiagCode names one that is known."""
    found = _DIAG_CODE.search(message)
    if found is None:
        return code, None
    diag_code, diag_subcode = found.groups()
    if code not in KNOWN_CODES:
        code = next((diag for diag in (diag_subcode, diag_code) if diag in KNOWN_CODES), code)
    return code, int(diag_subcode)


def _inner_request_id(error: Mapping[str, Any]) -> str:
    # the documentation spells it both ways
    inner = error.get("innerError") or error.get("innererror")
    return clean_request_id(inner.get("request-id")) if isinstance(inner, dict) else ""
