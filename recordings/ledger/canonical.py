"""One stated encoding of an entry's body: RFC 8785 (JCS), restricted to text, whole numbers, booleans and null.

Without floats and with ASCII keys, JCS is what the standard library writes with sorted keys and no white space.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

LARGEST_NUMBER = 2**53 - 1

_HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")  # a lone surrogate

_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))

type Scalar = str | int | bool | None


class NotCanonical(ValueError):
    """The body holds something the encoding has no one form for. Nothing was recorded."""


def canonical(body: Mapping[str, Scalar]) -> str:
    """`body` in its one text form.

    Raises NotCanonical for floats, whole numbers no double holds, nesting, non-ASCII keys and broken text.
    """
    for key, value in body.items():
        if not key.isascii():
            raise NotCanonical(f"the key {key!r} is not ASCII")
        if value is not None and not isinstance(value, (str, int)):
            raise NotCanonical(f"{key} is a {type(value).__name__}; only text, whole numbers, booleans and null")
        if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
            raise NotCanonical(f"{key} is too large a number for JSON (RFC 7493)")
    text = _ENCODER.encode(dict(body))
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("a text holds half a character (a lone surrogate)") from error
    return text


class Unreadable(ValueError):
    """The text is none that `canonical` writes, so somebody else wrote it."""


def read(text: str) -> dict[str, Scalar]:
    """The body that `text` encodes, of plain values that the database and a page can take. Raises Unreadable.

    Whether the text is that of its one form is not looked at: what was altered shows in its hash.
    """
    body = _parsed(text)
    if not isinstance(body, dict) or not all(key.isascii() and _is_plain(body[key]) for key in body):
        raise Unreadable("the text is no entry: it is not one object of plain values")
    return body


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable("the text is no entry: it is no JSON") from error


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return _HALF_A_CHARACTER.search(value) is None
    return value is None or (isinstance(value, int) and abs(value) <= LARGEST_NUMBER)


@lru_cache(maxsize=256)  # the entries of a batch tell of few moments
def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, always with six digits: 2026-11-18T14:31:02.000000Z. Raises ValueError for naive times."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be recorded")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
