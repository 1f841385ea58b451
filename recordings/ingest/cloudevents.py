"""CloudEvents 1.0 as a recorder posts them: one in structured JSON, or a batch. Bad ones get one clear sentence.

Source: CloudEvents specification 1.0.2, JSON event format, JSON batch format, and the extension `sequence`.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from recordings.ingest.event_data import ABOUT_NO_CALL, TYPES, checked
from recordings.ingest.events import EARLIEST, UNSTORABLE, BadEvent, Event, call_id_of, place_of

MAX_CLOCK_AHEAD = timedelta(minutes=5)
MAX_BATCH_EVENTS = 500
# What a database's whole number takes.
_SEQUENCE_DIGITS = 18


class TooManyEvents(ValueError):
    """The batch is longer than one transaction should be. Nothing was stored."""


def parse_events(body: bytes, *, now: datetime) -> tuple[Event, ...]:
    """The events in `body` (`now` aware UTC): an array is a batch, an object is one event, whatever the content type.

    Raises BadEvent with a sentence that names the first bad event and what is wrong with it, and TooManyEvents. A time
    more than five minutes ahead of ours is refused, since it would outrank every later word.
    """
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadEvent("The body is not JSON.") from error
    if not isinstance(payload, list):
        return (_event(payload, 0, now=now),)
    if len(payload) > MAX_BATCH_EVENTS:
        raise TooManyEvents(f"The batch has {len(payload)} events; at most {MAX_BATCH_EVENTS} are taken at once.")
    return tuple(_event_of_batch(item, number, now=now) for number, item in enumerate(payload, start=1))


def _event_of_batch(payload: object, number: int, *, now: datetime) -> Event:
    try:
        return _event(payload, number, now=now)
    except BadEvent as error:
        named = payload.get("id") if isinstance(payload, dict) else None
        raise BadEvent(f"{place_of(number, named)}{error}") from error


def _event(payload: object, number: int, *, now: datetime) -> Event:
    if not isinstance(payload, dict):
        where = "It" if number else "The body"
        raise BadEvent(f"{where} must be one JSON object (structured CloudEvents).")
    if payload.get("specversion") != "1.0":
        raise BadEvent('specversion must be "1.0".')
    kind = _text(payload, "type", 128)
    if kind not in TYPES:
        raise BadEvent(f"type {kind!r} is not known; known are {', '.join(TYPES)}.")
    data = payload.get("data", {})
    if not isinstance(data, dict):
        raise BadEvent("data must be an object.")
    event = Event(
        id=_text(payload, "id", 128),
        source=_text(payload, "source", 1024),
        type=kind,
        at=_time(payload, now=now),
        sequence=_sequence(payload.get("sequence")),
        number=number,
        call_id="" if kind in ABOUT_NO_CALL else call_id_of(payload.get("subject"), "subject"),
        data=data,
    )
    return checked(event)


def _text(payload: dict[str, Any], name: str, limit: int) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not value or UNSTORABLE.search(value):
        raise BadEvent(f"{name} is missing or not a text.")
    if len(value) > limit:
        raise BadEvent(f"{name} is longer than {limit} characters.")
    return value


def _sequence(value: object) -> int:
    """The order of a source's own words, 0 where it says none. The extension says a text; a number is as good."""
    if value is None:
        return 0
    digits = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(digits, str) or not (digits.isascii() and digits.isdigit()) or len(digits) > _SEQUENCE_DIGITS:
        raise BadEvent(f"sequence must be a whole number, or a text of at most {_SEQUENCE_DIGITS} digits.")
    return int(digits)


def _time(payload: dict[str, Any], *, now: datetime) -> datetime:
    value = _text(payload, "time", 64)
    try:
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise BadEvent(f"time {value!r} is not an RFC 3339 time.") from error
    if at.tzinfo is None:
        raise BadEvent("time must say its zone, for example 2026-11-18T14:31:02Z.")
    try:
        at = at.astimezone(UTC)
    except OverflowError as error:
        raise BadEvent("time is out of range.") from error
    if at < EARLIEST:
        raise BadEvent("time lies before the year 2000. Check the recorder's clock, and that the time was set at all.")
    if at > now + MAX_CLOCK_AHEAD:
        raise BadEvent("time lies more than five minutes ahead of our clock. Check the recorder's clock.")
    # A word about the future would stay fresh for too long (invariant 8): it counts from when it was heard.
    return min(at, now)
