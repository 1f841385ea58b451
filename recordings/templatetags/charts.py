"""What Teams was told, hour by hour, as inline SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import template

from recordings.choices import ChangedField, Look, RecordingStatus, look
from recordings.templatetags.lanes import Fill, fill_of

register = template.Library()

# The chart: trouble sits at the baseline, where hours compare.
TOLD_ORDER = (
    RecordingStatus.FAILED,
    RecordingStatus.UNKNOWN,
    RecordingStatus.NOT_RECORDING,
    RecordingStatus.RECORDING,
)
_ROUND: list[int] = [4, *(round_number * 10**power for power in range(8) for round_number in (8, 20, 40))]
_HEIGHT = 160.0
_TOP = 6.0


@dataclass(frozen=True)
class Hour:
    """How many calls began in one hour, by what Teams was told of them."""

    start: datetime
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def told(self) -> list[int]:
        """In the order of the legend."""
        return [self.counts.get(status.value, 0) for status in reversed(TOLD_ORDER)]


@dataclass(frozen=True)
class Block:
    y: float
    height: float
    fill: Fill


@dataclass(frozen=True)
class Column:
    hour: Hour
    x: float
    width: float
    blocks: list[Block]
    words: str
    is_labelled: bool

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 2)


@dataclass(frozen=True)
class Legend:
    shown: Look
    fill: Fill
    total: int


@register.inclusion_tag("recordings/parts/told_chart.html")
def told_chart(hours: Sequence[Hour]) -> dict[str, Any]:
    """Calls by what Teams was told, hour by hour, and the same numbers as a table."""
    top = _round_up(max((hour.total for hour in hours), default=0))
    columns = [_column(hour, number, len(hours), top) for number, hour in enumerate(hours)]
    legend = [_legend(status, hours) for status in reversed(TOLD_ORDER)]
    lines = [(round(_TOP + _HEIGHT - _HEIGHT * part / 4, 1), top * part // 4) for part in range(5)]
    return {"columns": columns, "legend": legend, "lines": lines, "base": _TOP + _HEIGHT}


def _legend(status: RecordingStatus, hours: Sequence[Hour]) -> Legend:
    total = sum(hour.counts.get(status.value, 0) for hour in hours)
    return Legend(look(RecordingStatus, status), _chart_fill(status), total)


def _column(hour: Hour, number: int, of: int, top: int) -> Column:
    slot = 100 / of
    blocks: list[Block] = []
    y = _TOP + _HEIGHT
    for status in TOLD_ORDER:
        count = hour.counts.get(status.value, 0)
        if count:
            height = max(round(_HEIGHT * count / top, 1), 2.0)
            y -= height
            blocks.append(Block(round(y, 1), max(height - 1, 1), _chart_fill(status)))
    parts = ", ".join(
        f"{hour.counts.get(status.value, 0)} {RecordingStatus(status).label.lower()}" for status in reversed(TOLD_ORDER)
    )
    words = f"{hour.start:%H:%M} UTC: {hour.total} calls, {parts}"
    return Column(hour, round(slot * (number + 0.16), 2), round(slot * 0.68, 2), blocks, words, number % 3 == 0)


def _chart_fill(status: RecordingStatus) -> Fill:
    """As on the lanes; a whole column of hatches would shimmer, so only the unknown keeps its hatch."""
    if status == RecordingStatus.UNKNOWN:
        return fill_of(ChangedField.RECORDING_STATUS, status)
    return Fill(css=f"f-{status.value}")


def _round_up(count: int) -> int:
    """The next round number that divides into four."""
    return next(step for step in _ROUND if step >= count)
