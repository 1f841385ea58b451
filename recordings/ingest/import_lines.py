"""A line of an import file, checked: every field by its name, every mistake by a sentence."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from recordings.choices import CallDirection, CallState, CaptureState, RecordingStatus
from recordings.ingest.events import EARLIEST
from recordings.models import Call

_ID = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_CAPITAL = re.compile(r"_([a-z])")
_TRUTH = {"true": True, "1": True, "false": False, "0": False}

# Each field of a line and the column of the call that keeps it, whose length is the field's.
_COLUMNS = {
    "graphId": "graph_id",
    "tenantId": "tenant_id",
    "callChainId": "call_chain_id",
    "scenarioId": "scenario_id",
    "state": "state",
    "direction": "direction",
    "subject": "subject",
    "recordedUserId": "recorded_user_id",
    "recordedUserName": "recorded_user_name",
    "organizerId": "organizer_id",
    "organizerName": "organizer_name",
    "captureState": "capture_state",
    "captureAt": "capture_at",
    "recordingStatus": "recording_status",
    "recordingStatusAt": "recording_status_at",
    "establishedAt": "established_at",
    "endedAt": "ended_at",
    "isPolicyCall": "is_policy_call",
}
FIELDS = tuple(_COLUMNS)
_LIMITS = {name: getattr(Call._meta.get_field(column), "max_length", None) for name, column in _COLUMNS.items()}
_LONGEST_OTHER = 128  # a moment, which no column keeps as text
_WORDS: dict[str, tuple[str, ...]] = {
    "state": tuple(state.value for state in CallState if state != CallState.UNKNOWN),
    "direction": tuple(CallDirection.values),
    "captureState": tuple(CaptureState.values),
    "recordingStatus": tuple(RecordingStatus.values),
}


class BadLine(ValueError):
    """The line cannot be taken in; the text says what is wrong with which field."""


@dataclass(frozen=True)
class ImportedCall:
    """One checked line. Moments are aware UTC; an empty text or None is "nothing said"."""

    graph_id: str
    tenant_id: str
    about: dict[str, str]  # column of the call -> text
    state: str
    capture_state: str
    capture_at: datetime | None
    recording_status: str
    recording_status_at: datetime | None
    established_at: datetime | None
    ended_at: datetime | None
    is_policy_call: bool | None


def parse_call(data: object, *, now: datetime, claim_fresh: timedelta) -> ImportedCall:
    """The call that one JSON object or CSV row describes. Raises BadLine.

    A capture younger than `claim_fresh` is refused: it would let corrections pass that only the recorder's own fresh
    word may let pass (invariant 8).
    """
    line = _Line(data, now=now)
    capture_state, capture_at = line.dated("captureState", "captureAt", nothing=CaptureState.UNKNOWN)
    told, told_at = line.dated("recordingStatus", "recordingStatusAt", nothing=RecordingStatus.UNKNOWN)
    if capture_at and now - capture_at <= claim_fresh:
        raise BadLine("captureAt is of this very minute; so fresh a word must come from the recorder itself")
    established_at, ended_at = line.moment("establishedAt"), line.moment("endedAt")
    return ImportedCall(
        graph_id=line.required_id("graphId"),
        tenant_id=line.required_id("tenantId").lower(),
        about=line.about(),
        state=_state(line.word("state"), established_at, ended_at),
        capture_state=capture_state,
        capture_at=capture_at,
        recording_status=told,
        recording_status_at=told_at,
        established_at=established_at,
        ended_at=ended_at,
        is_policy_call=line.truth("isPolicyCall"),
    )


def _state(state: str, established_at: datetime | None, ended_at: datetime | None) -> str:
    """The state, also where only a moment says it."""
    if ended_at and established_at and ended_at < established_at:
        raise BadLine("endedAt lies before establishedAt")
    if ended_at and state not in ("", CallState.TERMINATED):
        raise BadLine(f"endedAt is given, but state is {state}")
    if state == CallState.TERMINATED and not ended_at:
        raise BadLine("state is terminated, but endedAt is missing")
    if state:
        return state
    return CallState.TERMINATED.value if ended_at else CallState.ESTABLISHED.value if established_at else ""


def check_names(names: Iterable[str]) -> None:
    """Raises BadLine, naming the first field that is not known. Understands what _Line does."""
    unknown = sorted({_camel_case(name) for name in names} - set(FIELDS))
    if unknown:
        raise BadLine(f"the field {unknown[0]!r} is not known; known are {', '.join(FIELDS)}")


def _camel_case(name: str) -> str:
    return _CAPITAL.sub(lambda found: found[1].upper(), name)


class _Line:
    """The fields of one line, by their names in camelCase; snake_case is understood, too."""

    def __init__(self, data: object, *, now: datetime) -> None:
        if not isinstance(data, Mapping):
            raise BadLine("is not a JSON object")
        check_names(str(name) for name in data)
        self._data = {_camel_case(str(name)): data[name] for name in data}
        self._now = now

    def text(self, name: str) -> str:
        value = self._data.get(name)
        if value is None:
            return ""
        if not isinstance(value, str) or _NO_TEXT.search(value):
            raise BadLine(f"{name} is not a text in UTF-8")
        limit = _LIMITS[name] or _LONGEST_OTHER
        if len(value.strip()) > limit:
            raise BadLine(f"{name} is longer than {limit} characters")
        return value.strip()

    def word(self, name: str) -> str:
        value = self.text(name)
        if value and value not in _WORDS[name]:
            raise BadLine(f"{name} is {value!r}; known are {', '.join(_WORDS[name])}")
        return value

    def id(self, name: str) -> str:
        value = self.text(name)
        if value and not _ID.fullmatch(value):
            raise BadLine(f"{name} is not an id: letters, digits, _ and -, at most {_LIMITS[name]}")
        return value

    def required_id(self, name: str) -> str:
        value = self.id(name)
        if not value:
            raise BadLine(f"{name} is missing")
        return value

    def about(self) -> dict[str, str]:
        ids = {_COLUMNS[name]: self.id(name) for name in ("callChainId", "scenarioId")}
        names = ("subject", "recordedUserId", "recordedUserName", "organizerId", "organizerName")
        texts = {_COLUMNS[name]: self.text(name) for name in names}
        return {**ids, **texts, "direction": self.word("direction")}

    def dated(self, name: str, moment_name: str, *, nothing: str) -> tuple[str, datetime | None]:
        """A word together with the moment it was said for; neither goes without the other."""
        word, moment = self.word(name), self.moment(moment_name)
        if word in ("", nothing):
            if moment:
                raise BadLine(f"{moment_name} is given, but {name} is not")
            return "", None
        if moment is None:
            raise BadLine(f"{name} is given, but {moment_name} is missing")
        return word, moment

    def moment(self, name: str) -> datetime | None:
        value = self.text(name)
        if not value:
            return None
        try:
            at = datetime.fromisoformat(value)
            utc = at.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise BadLine(f"{name} is {value!r}, which is not a time") from error
        if at.tzinfo is None:
            raise BadLine(f"{name} is {value!r}; write its zone, too, for example 2026-11-18T14:31:02Z")
        if utc < EARLIEST:
            raise BadLine(f"{name} is {value!r}, which lies before the year 2000")
        if utc > self._now:
            raise BadLine(f"{name} is {value!r}, which lies in the future")
        return utc

    def truth(self, name: str) -> bool | None:
        value: Any = self._data.get(name)
        if value in (None, "") or isinstance(value, bool):
            return None if value in (None, "") else value
        known = _TRUTH.get(value.strip().lower()) if isinstance(value, str) else None
        if known is None:
            raise BadLine(f"{name} must be true or false")
        return known
