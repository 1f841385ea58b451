"""What stands on and above the lanes of a timeline: corrections, how long gaps lasted, what was left after the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from recordings import rules
from recordings.choices import RecordingStatus
from recordings.models import Call, Operation
from recordings.templatetags.lanes import Span
from recordings.templatetags.scale import DESK, LETTER, PHONE, Scale, fit

# Marks closer than this, in per cent, would cover one another; they move apart by so many px, and no further.
CLOSE = 2.8
STEP, FURTHEST = 18, 90
# Of a letter's width: what the name of the lane takes before the first label.
LANE_NAME = 14


@dataclass(frozen=True)
class Mark:
    """A correction, at the moment it was sent, or asked for while it was not. `shift` keeps neighbours apart, in px."""

    operation: Operation
    at: datetime
    x: float
    shift: int

    @property
    def did(self) -> str:
        return "sent" if self.operation.sent_at else "asked for"

    @property
    def icon_x(self) -> int:
        return self.shift - 8


def marks_of(operations: Sequence[Operation], scale: Scale) -> list[Mark]:
    """In order. The latest stands at its very moment, earlier ones make room to the left."""
    marks: list[Mark] = []
    for operation in sorted(operations, key=_moment_of, reverse=True):
        at = _moment_of(operation)
        x = scale.x(at)
        last = marks[-1] if marks else None
        is_close = last is not None and last.x - x < CLOSE
        shift = max(last.shift - STEP, -FURTHEST) if last and is_close else 0
        marks.append(Mark(operation, at, x, shift))
    return marks[::-1]


def _moment_of(operation: Operation) -> datetime:
    """A wish may wait an hour for its second person; nothing happened to the call before it was sent."""
    return operation.sent_at or operation.requested_at


@dataclass(frozen=True)
class Label:
    """How long a gap lasted, written above it; `css` is `x2` where only a desk has room for it."""

    x: float
    words: str
    css: str


def labels_of(told: Sequence[Span], *, until: datetime) -> list[Label]:
    """One for each gap that has room, beside the name of the lane and its neighbours."""
    labels: list[Label] = []
    taken = {PHONE: LANE_NAME * LETTER, DESK: LANE_NAME * LETTER}
    for span in told:
        words = rules.duration((span.until or until) - span.since) if span.is_gap else ""
        free = [width for width in taken if words and _has_room(span, words, width, taken[width])]
        if DESK not in free:
            continue
        for width in free:
            taken[width] = span.middle * width / 100 + _half(words)
        labels.append(Label(span.middle, words, "" if PHONE in free else "x2"))
    return labels


def _half(words: str) -> float:
    return len(words) * LETTER / 2 + 4


def _has_room(span: Span, words: str, width: int, taken: float) -> bool:
    middle = span.middle * width / 100
    return taken <= middle - _half(words) and middle + _half(words) <= width


@dataclass(frozen=True)
class AfterEnd:
    """What Teams is still told although the leg is over."""

    x: float
    width: float
    words: str
    short: str

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def fits(self) -> str:
        return fit(self.short, self.width)


def after_end(call: Call, scale: Scale, *, now: datetime) -> AfterEnd | None:
    over_at = call.over_at
    if over_at is None or call.recording_status != RecordingStatus.RECORDING:
        return None
    x, lasted = scale.x(over_at), rules.duration(now - over_at)
    width = round(scale.x(min(now, scale.end)) - x, 3)
    return AfterEnd(x, width, f"Still told recording, {lasted} after the end", f"Still told, {lasted}")
