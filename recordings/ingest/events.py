"""One event of a recorder, as it is taken in: checked, and with the fields that its type needs read."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from recordings.graph.wire import CALL_STATES, Notification, Person, WireError, clean_id
from recordings.graph.wire.fields import text, word

# Legal JSON, but no database keeps it: NUL and lone surrogates.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

# A clock or a variable that nobody set says 1970 or the year 1. Kept for good, such a word would begin every drawing.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


class BadEvent(ValueError):
    """The event cannot be taken in; the text names what is wrong. Nothing was stored."""


@dataclass(frozen=True)
class Event:
    """One checked event. `call_id` is empty where it speaks of no single call; `at` is aware UTC.

    `number` is its place in a batch, from 1, or 0. The token of a forwarded notification shows in no log.
    """

    id: str
    source: str
    type: str
    at: datetime
    sequence: int = 0
    number: int = 0
    call_id: str = ""
    data: dict[str, Any] = field(default_factory=dict, repr=False)
    claims: tuple[tuple[str, str], ...] = ()
    notifications: tuple[Notification, ...] = ()
    authorization: str = field(default="", repr=False)

    @property
    def identity(self) -> str:
        """What makes the event one (CloudEvents 1.0: source and id together), short enough for a column."""
        return f"{hashlib.sha256(self.source.encode()).hexdigest()[:16]}/{self.id}"

    @property
    def place(self) -> str:
        """How a sentence about this event begins: with its place in a batch, if it came in one."""
        return place_of(self.number, self.id)

    @property
    def message_id(self) -> str:
        """The id that Microsoft gave a forwarded notification, or nothing."""
        return self.text("messageId")

    @property
    def forwarded_body(self) -> bytes:
        """The body of Graph's own post, as its SHA-256 is kept."""
        return str(self.data.get("body", "")).encode("utf-8", "replace")

    @property
    def state(self) -> str | None:
        """The call's state in Graph's spelling, whatever its case."""
        try:
            return word(self.data, "state", "data", known=CALL_STATES)
        except WireError as error:
            raise BadEvent("data.state must be a text, and no longer than a word.") from error

    def text(self, name: str) -> str:
        """A text of `data` as a database can keep it, or an empty one; BadEvent if it is something else."""
        return _kept(self.data, name, "data")

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


def place_of(number: int, event_id: object) -> str:
    """`event 17 (id …): ` of a batch, nothing for an event that came alone."""
    if not number:
        return ""
    is_shown = isinstance(event_id, str) and 0 < len(event_id) <= 128 and not UNSTORABLE.search(event_id)
    return f"event {number} (id {event_id}): " if is_shown else f"event {number}: "


def call_id_of(value: object, name: str) -> str:
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
