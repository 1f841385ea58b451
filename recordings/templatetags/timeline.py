"""The timeline of one call, and its strip in the list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django import template

from recordings import rules
from recordings.choices import CallState, ChangedField
from recordings.models import BlindSpot, Call, Operation, StatusChange
from recordings.templatetags.lanes import NARROWEST, Span, spans
from recordings.templatetags.marks import after_end, labels_of, marks_of
from recordings.templatetags.scale import Scale, first_known, ticks

register = template.Library()

# Drawn beyond the end of a call, so that what still stands after it can be seen.
TAIL = 0.25
MARGIN = 0.02
SHORTEST = timedelta(seconds=10)
# Where the name of the last lane stands, how much the corrections push it down, and the words below it; in px.
LAST_Y, MARKS, FOOT = 132, 38, 22


@dataclass(frozen=True)
class Lane:
    """One of the three things kept apart; y and heights in px."""

    name: str
    spans: tuple[Span, ...]
    title_y: int
    height: int

    @property
    def y(self) -> int:
        return self.title_y + 6

    @property
    def words_y(self) -> int:
        return self.y + self.height // 2 + 4


@dataclass(frozen=True)
class Band:
    """A time of which nobody knows, behind the lanes."""

    spot: BlindSpot
    x: float
    width: float


def bands_of(spots: Sequence[BlindSpot], scale: Scale, *, now: datetime) -> list[Band]:
    """Where blind spots stand; what lies outside of the drawing ends at its edge."""
    edges = [(spot, scale.x(spot.from_at), scale.x(spot.until_at or now)) for spot in spots]
    return [Band(spot, x, round(max(until - x, NARROWEST), 3)) for spot, x, until in edges]


def scale_of(call: Call, changes: Sequence[StatusChange], *, now: datetime) -> Scale:
    """From the first thing known of the call to now, or to a little after its end."""
    start = first_known(call, changes)
    end = max(call.over_at or now, start + SHORTEST)
    length = end - start
    edge = end if call.is_live else min(max(now, end), end + length * TAIL)
    return Scale(start - length * MARGIN, edge + length * MARGIN)


@register.filter
def stamp(at: datetime, now: datetime) -> str:
    """`HH:MM:SS`, with its day once that is not today; plain text, since a drawing takes no markup."""
    at = at.astimezone(UTC)
    words = f"{at:%H:%M:%S}"
    return words if at.date() == now.astimezone(UTC).date() else f"{at.day} {at:%b} {words}"


@register.inclusion_tag("recordings/parts/timeline.html")
def timeline(
    call: Call,
    changes: Sequence[StatusChange],
    operations: Sequence[Operation],
    now: datetime,
    spots: Sequence[BlindSpot] = (),
    now_word: str = "now",
) -> dict[str, object]:
    """Recorder, Told to Teams and Evidence below one another, with every correction as a mark, and blind spots.

    `now_word` is what the moment `now` is called where it is another one than that of reading.
    """
    scale = scale_of(call, changes, now=now)
    since, over_at = first_known(call, changes), call.over_at
    until = over_at or now
    marks = marks_of(operations, scale)
    lanes = _lanes(call, changes, scale=scale, since=since, until=until, last_y=LAST_Y + (MARKS if marks else 0))
    floor = lanes[-1].y + lanes[-1].height
    return {
        "call": call,
        "now": now,
        "now_word": now_word,
        "bands": bands_of(spots, scale, now=now),
        "lanes": lanes,
        "ticks": ticks(scale),
        "marks": marks,
        "labels": labels_of(lanes[1].spans, until=until),
        "after_end": after_end(call, scale, now=now),
        "since": since,
        "until": until,
        "since_x": scale.x(since),
        "until_x": scale.x(until),
        "over_at": over_at,
        "scale": scale,
        "floor": floor,
        "foot": floor + FOOT,
        "height": floor + FOOT + 12,
    }


def _lanes(
    call: Call, changes: Sequence[StatusChange], *, scale: Scale, since: datetime, until: datetime, last_y: int
) -> tuple[Lane, ...]:
    def lane(name: str, field: ChangedField, current: str, title_y: int, height: int) -> Lane:
        found = spans(field, changes, current=current, scale=scale, since=since, until=until)
        return Lane(name, found, title_y, height)

    return (
        lane("Recorder", ChangedField.CAPTURE_STATE, call.capture_state, 36, 18),
        lane("Told to Teams", ChangedField.RECORDING_STATUS, call.recording_status, 82, 26),
        lane("Evidence", ChangedField.STATE, call.state, last_y, 18),
    )


@register.inclusion_tag("recordings/parts/strip.html")
def strip(call: Call, changes: Sequence[StatusChange], now: datetime) -> dict[str, object]:
    """What Teams was told over the time of the call, in one line of a table."""
    since = first_known(call, changes)
    until = max(call.over_at or now, since + timedelta(seconds=1))
    scale = Scale(since, until)
    told = spans(
        ChangedField.RECORDING_STATUS, changes, current=call.recording_status, scale=scale, until=until, since=since
    )
    words = ", ".join(f"{span.shown.label} for {rules.duration((span.until or until) - span.since)}" for span in told)
    has_begun = call.established_at is not None or call.state not in (CallState.INCOMING, CallState.ESTABLISHING)
    return {"spans": told, "words": words, "has_begun": has_begun}
