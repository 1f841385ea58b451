"""From a call's changes to what is drawn of them: spans of time on lanes, in per cent of the width.

Pure: changes, moments and widths in, numbers and words out. Solid is recorded, hatched is a gap; colour only adds why.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from recordings import rules
from recordings.choices import (
    CALL_STATE_RANK,
    CHANGED_FIELD_WORDS,
    CallState,
    CaptureState,
    ChangedField,
    Look,
    RecordingStatus,
    look,
)
from recordings.templatetags.scale import ChangeLike, Scale, fit

NARROWEST = 0.15


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
    def fits(self) -> str:
        return fit(self.shown.label, self.width)

    @property
    def ink(self) -> str:
        """The class of words on it: white on what is solid and dark, plain on a wash, with a rim on a hatch."""
        if self.fill.css in _DARK:
            return "on"
        return "plain" if self.fill.css in _WASHES else "over"


_GAPS = {
    RecordingStatus.UNKNOWN: Fill(hatch="h-unknown"),
    RecordingStatus.NOT_RECORDING: Fill(hatch="h-notRecording"),
    RecordingStatus.FAILED: Fill(hatch="h-failed"),
    RecordingStatus.RECORDING: Fill(css="f-recording"),
}
_CAPTURES = {
    CaptureState.UNKNOWN: Fill(css="f-wash"),
    CaptureState.PAUSED: Fill(hatch="h-notRecording"),
    CaptureState.STOPPED: Fill(hatch="h-notRecording"),
    CaptureState.FAILED: Fill(hatch="h-failed"),
    CaptureState.CAPTURING: Fill(css="f-recording"),
}
_DARK = ("f-recording", "f-info")
_WASHES = ("f-wash", "f-info-w")
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


def spans(
    field: ChangedField,
    changes: Iterable[ChangeLike],
    *,
    current: str,
    scale: Scale,
    since: datetime,
    until: datetime,
) -> tuple[Span, ...]:
    """Every value of `field` between two moments. `current` is the value if nothing ever changed.

    What was heard late stands in between; what it made no change of after all is not drawn as one.
    """
    moves = sorted((change for change in changes if change.field == field), key=lambda change: change.occurred_at)
    value = moves[0].old if moves else current
    found: list[Span] = []
    for move in moves:
        if move.occurred_at > until:
            break
        new = rules.merged_state(value, move.new) if field == ChangedField.STATE else move.new
        if new == value:
            continue
        if move.occurred_at > since:
            found.append(_span(field, value, since, move.occurred_at, scale))
        value, since = new, max(move.occurred_at, since)
    if until > since:
        found.append(replace(_span(field, value, since, until, scale), until=None))
    return tuple(found)


def _span(field: ChangedField, value: str, since: datetime, until: datetime, scale: Scale) -> Span:
    x = scale.x(since)
    width = max(round(scale.x(until) - x, 3), NARROWEST)
    return Span(look(CHANGED_FIELD_WORDS[field], value), since, until, x, width, fill_of(field, value))
