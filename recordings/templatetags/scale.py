"""Time across the width of a drawing, in per cent: where a moment stands, which are marked, where words fit.

Pure: moments and widths in, numbers and words out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

# Widths the drawing has at least, in px: on a phone, and where the style sheet shows what is marked `x2`.
PHONE, DESK = 250, 660
# A letter of the drawing's text takes about this, in px.
LETTER = 5.9
_STEPS = (10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 7 * 86_400, 30 * 86_400)
MOST_TICKS = 7


class ChangeLike(Protocol):
    """What is needed of a StatusChange."""

    field: str
    old: str
    new: str
    occurred_at: datetime


class CallLike(Protocol):
    """What is needed of a Call."""

    created_at: datetime
    established_at: datetime | None


def first_known(call: CallLike, changes: Iterable[ChangeLike]) -> datetime:
    """The earliest moment anything is known of; On Record itself may have heard of the call long after it."""
    known = [call.created_at, *(change.occurred_at for change in changes)]
    return min([*known, call.established_at] if call.established_at else known)


@dataclass(frozen=True)
class Scale:
    """The stretch of time that fills the width."""

    start: datetime
    end: datetime

    def x(self, at: datetime) -> float:
        share = (at - self.start) / (self.end - self.start)
        return round(100 * min(max(share, 0.0), 1.0), 3)


def fit(words: str, width: float) -> str:
    """Where `words` fit into `width` per cent: "all" widths, `x2` on a desk only, or nowhere."""
    needed = len(words) * LETTER + 12
    if needed <= width * PHONE / 100:
        return "all"
    return "x2" if needed <= width * DESK / 100 else ""


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
