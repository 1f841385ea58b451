"""CloudEvents 1.0, structured JSON, as a recorder posts them. Bad ones get one clear sentence."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from recordings.choices import CallState, CaptureState, RecordingStatus
from recordings.graph.wire import CALL_STATES, Person, WireError, clean_id
from recordings.graph.wire.fields import text, word
from recordings.graph.wire.operations import parse_result

TYPES = (
    "onrecord.call.joined",
    "onrecord.call.ended",
    "onrecord.capture.started",
    "onrecord.capture.stopped",
    "onrecord.capture.failed",
    "onrecord.status.told",
    "onrecord.heartbeat",
)
MAX_CLOCK_AHEAD = timedelta(minutes=5)
MAX_HEARTBEAT_CALLS = 1000
# Legal JSON, but no database keeps it: NUL and lone surrogates.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class BadEvent(ValueError):
    """The event cannot be taken in; the text names what is wrong. Nothing was stored."""


@dataclass(frozen=True)
class Event:
    """One checked event. `call_id` is empty for a heartbeat; `at` is aware UTC."""

    id: str
    source: str
    type: str
    at: datetime
    call_id: str
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """What makes the event one (CloudEvents 1.0: source and id together), short enough for a column."""
        return f"{hashlib.sha256(self.source.encode()).hexdigest()[:16]}/{self.id}"

    def text(self, name: str) -> str:
        """A text of `data` as a database can keep it, or an empty one; BadEvent if it is something else."""
        return _kept(self.data, name, "data")

    @property
    def state(self) -> str | None:
        """The call's state in Graph's spelling, whatever its case."""
        try:
            return word(self.data, "state", "data", known=CALL_STATES)
        except WireError as error:
            raise BadEvent("data.state must be a text, and no longer than a word.") from error

    def part(self, name: str) -> dict[str, Any]:
        value = self.data.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise BadEvent(f"data.{name} must be an object.")
        return value

    def person(self, name: str) -> Person | None:
        part = self.part(name)
        return Person(_kept(part, "id", f"data.{name}"), _kept(part, "displayName", f"data.{name}")) if part else None


def parse_event(body: bytes, *, now: datetime) -> Event:
    """The event in `body`. Raises BadEvent with a sentence that says what is wrong.

    Source: CloudEvents specification 1.0.2, JSON event format. A time more than five minutes ahead of ours is
    refused, since it would outrank every later word.
    """
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadEvent("The body is not JSON.") from error
    if not isinstance(payload, dict):
        raise BadEvent("The body must be one JSON object (structured CloudEvents).")
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
        call_id="" if kind == "onrecord.heartbeat" else _call_id(payload.get("subject"), "subject"),
        data=data,
    )
    _check(event)
    return event


def _check(event: Event) -> None:
    """What each type needs, so that nothing can fail once rows are being written."""
    if event.type == "onrecord.call.joined":
        if not event.text("tenantId"):
            raise BadEvent("data.tenantId is missing.")
        if event.text("state").lower() == CallState.TERMINATED:
            raise BadEvent("data.state cannot be terminated in call.joined. Send onrecord.call.ended.")
        event.person("recordedUser"), event.person("organizer")
    if event.type == "onrecord.status.told":
        if event.text("status") not in (s.value for s in RecordingStatus if s != RecordingStatus.UNKNOWN):
            raise BadEvent("data.status must be recording, notRecording or failed.")
        event.part("operation")
    if event.type == "onrecord.call.ended":
        _check_result(event)
    if event.type == "onrecord.heartbeat":
        claims(event)


def _check_result(event: Event) -> None:
    try:
        parse_result(event.data, "data")
    except WireError as error:
        raise BadEvent(f"{error}.") from error


def claims(event: Event) -> list[tuple[str, str]]:
    """The (call id, capture state) pairs of a heartbeat. Raises BadEvent."""
    calls = event.data.get("calls", [])
    if not isinstance(calls, list) or len(calls) > MAX_HEARTBEAT_CALLS:
        raise BadEvent(f"data.calls must be a list of at most {MAX_HEARTBEAT_CALLS} calls.")
    return [_claim(number, item) for number, item in enumerate(calls)]


def _claim(number: int, item: object) -> tuple[str, str]:
    if not isinstance(item, dict):
        raise BadEvent(f"data.calls[{number}] must be an object.")
    state = item.get("captureState")
    if state not in (CaptureState.CAPTURING, CaptureState.STOPPED, CaptureState.FAILED):
        raise BadEvent(f"data.calls[{number}].captureState must be capturing, stopped or failed.")
    return _call_id(item.get("id"), f"data.calls[{number}].id"), str(state)


def _call_id(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise BadEvent(f"{name} must be the id of a call.")
    try:
        return clean_id(value, name)
    except WireError as error:
        raise BadEvent(f"{name} is not an id of a call: letters, digits, _ and -, at most 128.") from error


def _kept(data: Mapping[str, Any], name: str, field: str) -> str:
    try:
        return text(data, name, field) or ""
    except WireError as error:
        raise BadEvent(f"{field}.{name} must be a text.") from error


def _text(payload: dict[str, Any], name: str, limit: int) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not value or _UNSTORABLE.search(value):
        raise BadEvent(f"{name} is missing or not a text.")
    if len(value) > limit:
        raise BadEvent(f"{name} is longer than {limit} characters.")
    return value


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
    if at > now + MAX_CLOCK_AHEAD:
        raise BadEvent("time lies more than five minutes ahead of our clock. Check the recorder's clock.")
    # A word about the future would stay fresh for too long (invariant 8): it counts from when it was heard.
    return min(at, now)
