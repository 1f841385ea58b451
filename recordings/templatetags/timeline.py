"""The timeline of one call, and its strip in the list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django import template

from recordings import rules
from recordings.choices import CallState, ChangedField, RecordingStatus
from recordings.models import Call, Operation, StatusChange
from recordings.templatetags.lanes import ROOM, Scale, Span, spans, ticks

register = template.Library()

# Drawn beyond the end of a call, so that what still stands after it can be seen.
TAIL = 0.2
MARGIN = 0.02
CLOSE = 1.6
LABEL_ROOM = 9.0


@dataclass(frozen=True)
class Lane:
    """One of the three things kept apart."""

    name: str
    spans: tuple[Span, ...]
    title_y: int
    y: int
    height: int
    is_worded: bool = False

    @property
    def words_y(self) -> int:
        return self.y + 13


@dataclass(frozen=True)
class Mark:
    """A correction, at the moment it was asked for. `shift` keeps neighbours apart, in px."""

    operation: Operation
    x: float
    shift: int

    @property
    def icon_x(self) -> int:
        return self.shift - 8


@dataclass(frozen=True)
class Label:
    """How long a gap lasted, written above it."""

    x: float
    words: str


def first_known(call: Call, changes: Sequence[StatusChange]) -> datetime:
    return min([call.created_at, *(change.occurred_at for change in changes)])


def scale_of(call: Call, changes: Sequence[StatusChange], *, now: datetime) -> Scale:
    """From the first thing known of the call to now, or to a little after its end."""
    start = first_known(call, changes)
    end = max(call.ended_at or call.gone_at or now, start + timedelta(seconds=10))
    length = end - start
    edge = end if call.is_live else min(max(now, end), end + length * TAIL)
    return Scale(start - length * MARGIN, edge + length * MARGIN)


@register.inclusion_tag("recordings/parts/timeline.html")
def timeline(
    call: Call, changes: Sequence[StatusChange], operations: Sequence[Operation], now: datetime
) -> dict[str, object]:
    """Recorder, Told to Teams and Evidence below one another, with every correction as a mark."""
    scale = scale_of(call, changes, now=now)
    since, over_at = first_known(call, changes), call.ended_at or call.gone_at
    until = over_at or now
    lanes = _lanes(call, changes, scale=scale, since=since, until=until)
    return {
        "call": call,
        "now": now,
        "lanes": lanes,
        "ticks": ticks(scale),
        "marks": _marks(operations, scale),
        "labels": _labels(lanes[1].spans, until=until),
        "after_end": _after_end(call, scale, now=now),
        "since": since,
        "since_x": scale.x(since),
        "until_x": scale.x(until),
        "over_at": over_at,
        "scale": scale,
    }


def _lanes(
    call: Call, changes: Sequence[StatusChange], *, scale: Scale, since: datetime, until: datetime
) -> tuple[Lane, ...]:
    def lane(name: str, field: ChangedField, current: str, title_y: int, height: int, *, worded: bool = False) -> Lane:
        found = spans(field, changes, current=current, scale=scale, since=since, until=until)
        return Lane(name, found, title_y, title_y + 6, height, is_worded=worded)

    return (
        lane("Recorder", ChangedField.CAPTURE_STATE, call.capture_state, 36, 18),
        lane("Told to Teams", ChangedField.RECORDING_STATUS, call.recording_status, 82, 26),
        lane("Evidence", ChangedField.STATE, call.state, 160, 18, worded=True),
    )


def _marks(operations: Sequence[Operation], scale: Scale) -> list[Mark]:
    marks: list[Mark] = []
    for operation in sorted(operations, key=lambda one: one.requested_at):
        x = scale.x(operation.requested_at)
        last = marks[-1] if marks else None
        shift = last.shift + 18 if last and x - last.x < CLOSE else 0
        marks.append(Mark(operation, x, shift))
    return marks


def _labels(told: Sequence[Span], *, until: datetime) -> list[Label]:
    labels: list[Label] = []
    for span in told:
        is_free = not labels or span.middle - labels[-1].x > LABEL_ROOM
        if span.is_gap and is_free and 2 * LABEL_ROOM < span.middle < 100 - LABEL_ROOM / 2:
            labels.append(Label(span.middle, rules.duration((span.until or until) - span.since)))
    return labels


@dataclass(frozen=True)
class AfterEnd:
    x: float
    width: float
    words: str
    short: str

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def has_room(self) -> bool:
        return self.width > ROOM


def _after_end(call: Call, scale: Scale, *, now: datetime) -> AfterEnd | None:
    """What Teams is still told although the leg is over."""
    over_at = call.ended_at or call.gone_at
    if over_at is None or call.recording_status != RecordingStatus.RECORDING:
        return None
    x = scale.x(over_at)
    short = f"{rules.duration(now - over_at)} after the end"
    return AfterEnd(x, round(scale.x(min(now, scale.end)) - x, 3), f"Still told recording, {short}", short)


@register.inclusion_tag("recordings/parts/strip.html")
def strip(call: Call, changes: Sequence[StatusChange], now: datetime) -> dict[str, object]:
    """What Teams was told over the time of the call, in one line of a table."""
    since = first_known(call, changes)
    until = max(call.ended_at or call.gone_at or now, since + timedelta(seconds=1))
    scale = Scale(since, until)
    told = spans(
        ChangedField.RECORDING_STATUS, changes, current=call.recording_status, scale=scale, until=until, since=since
    )
    words = ", ".join(f"{span.shown.label} for {rules.duration((span.until or until) - span.since)}" for span in told)
    has_begun = call.established_at is not None or call.state not in (CallState.INCOMING, CallState.ESTABLISHING)
    return {"spans": told, "words": words, "has_begun": has_begun}
