"""From a call's changes to what is drawn of them: spans of time on lanes, in per cent of the width.

Pure: changes, moments and widths in, numbers and words out. Solid is recorded, hatched is a gap; colour only adds why.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from recordings.choices import (
    CALL_STATE_RANK,
    CallState,
    CaptureState,
    ChangedField,
    Look,
    RecordingStatus,
    Worded,
    look,
)

NARROWEST = 0.15
# A word fits into a span that is wider than this.
ROOM = 12.0


class ChangeLike(Protocol):
    """What is needed of a StatusChange."""

    field: str
    old: str
    new: str
    occurred_at: datetime


@dataclass(frozen=True)
class Fill:
    """How a span is painted: a class of the style sheet, or a hatch of the sprite."""

    css: str = ""
    hatch: str = ""


@dataclass(frozen=True)
class Span:
    """One value, for as long as it stood. `until` is None while it still stands."""

    shown: Look
    since: datetime
    until: datetime | None
    x: float
    width: float
    fill: Fill

    @property
    def is_gap(self) -> bool:
        return bool(self.fill.hatch)

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def has_room(self) -> bool:
        return self.width > ROOM


@dataclass(frozen=True)
class Scale:
    """The stretch of time that fills the width."""

    start: datetime
    end: datetime

    def x(self, at: datetime) -> float:
        share = (at - self.start) / (self.end - self.start)
        return round(100 * min(max(share, 0.0), 1.0), 3)


_GAPS = {
    RecordingStatus.UNKNOWN: Fill(hatch="h-unknown"),
    RecordingStatus.NOT_RECORDING: Fill(hatch="h-notRecording"),
    RecordingStatus.FAILED: Fill(hatch="h-failed"),
    RecordingStatus.RECORDING: Fill(css="f-recording"),
}
_CAPTURES = {
    CaptureState.UNKNOWN: Fill(css="f-wash"),
    CaptureState.STOPPED: Fill(hatch="h-notRecording"),
    CaptureState.FAILED: Fill(hatch="h-failed"),
    CaptureState.CAPTURING: Fill(css="f-recording"),
}
_STATES = {"info": "f-info", "warn": "f-unknown", "flow": "f-flow", "mute": "f-notRecording"}


def _state_fill(value: str) -> Fill:
    if value == CallState.UNKNOWN:
        return Fill(css="f-wash")
    rank = {state.value: known for state, known in CALL_STATE_RANK.items()}.get(value)
    if rank is not None and rank < CALL_STATE_RANK[CallState.ESTABLISHED]:
        return Fill(css="f-info-w")
    return Fill(css=_STATES[look(CallState, value).tone])


def fill_of(field: str, value: str) -> Fill:
    """How a value of one of the three things kept apart is painted; a word Graph invents later is a gap."""
    if field == ChangedField.STATE:
        return _state_fill(value)
    known: dict[str, Fill] = {
        word.value: fill for word, fill in (_CAPTURES if field == ChangedField.CAPTURE_STATE else _GAPS).items()
    }
    return known.get(value, Fill(hatch="h-unknown"))


_WORDS: dict[str, type[Worded]] = {
    ChangedField.STATE.value: CallState,
    ChangedField.CAPTURE_STATE.value: CaptureState,
    ChangedField.RECORDING_STATUS.value: RecordingStatus,
}


def spans(
    field: ChangedField,
    changes: Iterable[ChangeLike],
    *,
    current: str,
    scale: Scale,
    since: datetime,
    until: datetime,
) -> tuple[Span, ...]:
    """Every value of `field` between two moments. `current` is the value if nothing ever changed."""
    moves = sorted((change for change in changes if change.field == field), key=lambda change: change.occurred_at)
    value = moves[0].old if moves else current
    found: list[Span] = []
    for move in moves:
        if move.occurred_at > until:
            break
        if move.occurred_at > since:
            found.append(_span(field, value, since, move.occurred_at, scale))
        value, since = move.new, max(move.occurred_at, since)
    if until > since:
        found.append(replace(_span(field, value, since, until, scale), until=None))
    return tuple(found)


def _span(field: ChangedField, value: str, since: datetime, until: datetime, scale: Scale) -> Span:
    x = scale.x(since)
    width = max(round(scale.x(until) - x, 3), NARROWEST)
    return Span(look(_WORDS[field.value], value), since, until, x, width, fill_of(field, value))


_STEPS = (10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 7 * 86_400, 30 * 86_400)
MOST_TICKS = 7


@dataclass(frozen=True)
class Tick:
    x: float
    label: str
    is_minor: bool


def ticks(scale: Scale) -> Sequence[Tick]:
    """Round moments across the scale, at most seven; every other one leaves first where it is narrow."""
    length = (scale.end - scale.start).total_seconds()
    seconds = next((step for step in _STEPS if length / step <= MOST_TICKS), _STEPS[-1])
    first = scale.start.timestamp() // seconds * seconds
    at = scale.start + timedelta(seconds=first - scale.start.timestamp())
    found: list[Tick] = []
    while at <= scale.end:
        if at >= scale.start:
            found.append(Tick(scale.x(at), _tick_label(at, seconds), is_minor=len(found) % 2 == 1))
        at += timedelta(seconds=seconds)
    return found


def _tick_label(at: datetime, seconds: int) -> str:
    if seconds >= 86_400:
        return f"{at.day} {at:%b}"
    return f"{at:%H:%M:%S}" if seconds < 60 else f"{at:%H:%M}"
