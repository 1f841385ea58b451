"""Beside what is exported: blind spots, in which no change is no proof that nothing changed, and clocks apart.

While they were apart, times that different sides wrote cannot be laid side by side.
"""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Max, Min, Model, Q, QuerySet
from django.db.models.functions import Coalesce

from recordings.choices import LedgerAction
from recordings.exports.readable import facts_of
from recordings.ledger import Unreadable, timestamp
from recordings.models import BlindSpot, Call, ClockSkew, LedgerEntry, Operation
from recordings.models.watch import BlindSpotQuerySet

# An end that has not come yet, as ISO 8601-2 writes it.
_OPEN = ".."


@dataclass(frozen=True)
class Span:
    """A stretch of time (aware UTC, None is still going on) and the recorders that could have spoken in it.

    Without a set of them it is about all; our own blind spots are about everything.
    """

    since: datetime | None
    until: datetime | None
    recorders: frozenset[int | None] | None = None

    def within(self, since: datetime | None, until: datetime | None) -> "Span":
        starts = [at for at in (self.since, since) if at]
        ends = [at for at in (self.until, until) if at]
        return Span(max(starts, default=None), min(ends, default=None), self.recorders)

    def spots(self) -> BlindSpotQuerySet:
        spots = BlindSpot.objects.covering(self.since, self.until)
        if self.recorders is None:
            return spots
        return spots.filter(Q(recorder=None) | Q(recorder__in=[pk for pk in self.recorders if pk]))


def span_of(calls: QuerySet[Call]) -> Span | None:
    """From the first moment known of any of these calls to the end of the last; None if there are none."""
    calls = calls.order_by()
    found = calls.aggregate(
        created=Min("created_at"),
        first=Min("first_signal_at"),
        established=Min("established_at"),
        over=Max(Coalesce("ended_at", "gone_at")),
    )
    began = [at for at in (found["created"], found["first"], found["established"]) if at]
    if not began:
        return None
    recorders = frozenset(calls.values_list("recorder", flat=True).distinct())
    goes_on = calls.filter(ended_at__isnull=True, gone_at__isnull=True).exists()
    return Span(min(began), None if goes_on else found["over"], recorders)


def entries_of(span: Span) -> list[UUID]:
    """The keys of the ledger's entries on every blind spot and clock skew that touches the span, whenever recorded."""
    return [*_entries_of_spots(span), *_entries_of_skews(span)]


def _entries_of_skews(span: Span) -> list[UUID]:
    skews = ClockSkew.objects.covering(span.since, span.until)
    began = {timestamp(skew.from_at) for skew in skews}
    moments = [at for skew in skews for at in (skew.from_at, skew.until_at) if at]
    told = LedgerEntry.objects.filter(
        action__in=(LedgerAction.CLOCK_SKEWED, LedgerAction.CLOCK_RIGHT), occurred_at__in=moments
    )
    return [entry.pk for entry in told if _says(entry, "from_at", began)]


def _entries_of_spots(span: Span) -> list[UUID]:
    spots = {spot.pk: spot for spot in span.spots()}
    began = Q(action=LedgerAction.BLIND_SPOT_OPENED, occurred_at__in=[spot.from_at for spot in spots.values()])
    ended = Q(
        action=LedgerAction.BLIND_SPOT_CLOSED,
        occurred_at__in=[spot.until_at for spot in spots.values() if spot.until_at],
    )
    return [entry.pk for entry in LedgerEntry.objects.filter(began | ended) if _says(entry, "blind_spot", spots)]


def _says(entry: LedgerEntry, name: str, wanted: Container[object]) -> bool:
    """Whether the entry is about one of these. One that cannot be read may be, so it is not left out."""
    try:
        return facts_of(entry).get(name) in wanted
    except Unreadable:
        return True


def beside_calls(calls: Sequence[Call]) -> None:
    """Leave on each call the blind spots and clock skews of its time; a query each for all of them."""
    _put_beside(calls, lambda call: (call.began_at, call.over_at, call.recorder_id))


def beside_operations(operations: Sequence[Operation]) -> None:
    """The same for corrections, from being asked for to their end."""
    _put_beside(operations, lambda one: (one.requested_at, one.finished_at, one.call.recorder_id))


type Life = tuple[datetime, datetime | None, int | None]


def _put_beside[Row: Model](rows: Sequence[Row], life_of: Callable[[Row], Life]) -> None:
    lives = [life_of(row) for row in rows]
    ends = [until for _, until, _ in lives]
    last = None if None in ends else max((end for end in ends if end), default=None)
    first = min(since for since, _, _ in lives)
    spots = list(BlindSpot.objects.covering(first, last).select_related("recorder"))
    skews = list(ClockSkew.objects.covering(first, last))
    for row, (since, until, recorder_id) in zip(rows, lives, strict=True):
        vars(row)["blind_spots"] = [spot for spot in spots if spot.touches(since, until, recorder_id=recorder_id)]
        vars(row)["clock_skews"] = [skew for skew in skews if skew.touches(since, until)]


def blind_spots(row: Model) -> str:
    """`from/until whose` of each blind spot left on the row, separated by commas."""
    return _words(vars(row)["blind_spots"])


def clock_skews(row: Model) -> str:
    """`from/until +seconds` of each clock skew left on the row (ours minus Graph's), separated by commas."""
    skews: list[ClockSkew] = vars(row)["clock_skews"]
    return ", ".join(f"{timestamp(skew.from_at)}/{_end(skew)} {skew.seconds:+.1f}" for skew in skews)


def _words(spots: Iterable[BlindSpot]) -> str:
    return ", ".join(f"{timestamp(spot.from_at)}/{_end(spot)} {spot.whose}" for spot in spots)


def _end(spot: BlindSpot | ClockSkew) -> str:
    return timestamp(spot.until_at) if spot.until_at else _OPEN
