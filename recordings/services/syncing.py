"""Ask Graph about live calls nobody speaks of any more. It only looks: it never prolongs a leg (no keepAlive)."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.utils import timezone

from recordings import conf, ingest, passes
from recordings.choices import CallState
from recordings.graph.errors import GraphError, GraphNotSent, GraphThrottled
from recordings.models import Call
from recordings.services import budget, connection
from recordings.services.bulk.correcting import KEPT_FOR_PEOPLE
from recordings.services.reading import SUSPECT_FROM, Reading, is_refused, is_suspect, probe_call, take_in
from recordings.services.sending import Clock
from recordings.services.tenants import is_of_tenant

# So many calls that were heard of lately are asked for beside a 404 that has too few others to be judged by.
CONTROLS = 2


class Found(StrEnum):
    """What asking for one call gave."""

    LIVE = "live"
    ENDED = "ended"
    NOT_FOUND = "not found"
    UNCLEAR = "unclear"
    NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Synced:
    """What one pass came to. With a suspect credential no 404 of it was believed (invariant 5)."""

    found: Counter[Found]
    is_suspect: bool = False


def sync(now: datetime, *, limit: int | None = None, clock: Clock = timezone.now) -> Synced:
    """Ask Graph about at most `limit` live calls of our tenant, the longest silent first (`now` aware UTC).

    A call comes up once nobody has spoken of it for SYNC_AFTER seconds. It is leased before it is asked for, so that
    no other worker does, too, and comes up again so much later if nothing was learned. Raises nothing of Graph's.
    Reference: https://learn.microsoft.com/graph/api/call-get
    """
    calls = ingest.lease_probes(
        now,
        tenant_id=settings.GRAPH_TENANT_ID,
        until=now + max(conf.sync_after(), conf.lease()),
        limit=settings.SYNC_CALLS if limit is None else limit,
    )
    if not calls:
        return Synced(Counter())
    if is_refused(calls[0], now=now):
        return Synced(Counter({Found.NOT_ASKED: len(calls)}))
    readings = _probe(calls, clock=clock)
    skipped = calls[len(readings) :]
    ingest.put_off_probes(skipped, until=clock() + _wait_of(readings))
    suspect = _take_in(readings + _probe(_controls(readings), clock=clock))
    found = Counter([*map(_found, readings), *(Found.NOT_ASKED for _ in skipped)])
    return Synced(found, suspect)


def _probe(calls: Sequence[Call], *, clock: Clock) -> list[Reading]:
    """One after another for no longer than a person would wait, up to the first problem that would meet all others.

    Each request takes its turn in the budget of all workers; see `connection`.
    """
    until = connection.deadline()
    readings: list[Reading] = []
    for call in calls:
        if passes.stopping.is_set() or time.monotonic() >= until or _is_short(clock()):
            break
        readings.append(probe_call(call, now=clock()))
        if _meets_all(readings[-1].problem):
            break
    return readings


def _is_short(now: datetime) -> bool:
    """Whether the requests that are left now are better left to people: nobody waits for a probe."""
    return budget.take(0, now=now, keep=KEPT_FOR_PEOPLE * settings.GRAPH_BURST) > 0


def _meets_all(problem: GraphError | None) -> bool:
    return problem is not None and (isinstance(problem, GraphNotSent | GraphThrottled) or is_of_tenant(problem))


def _wait_of(readings: Sequence[Reading]) -> timedelta:
    """How long those wait that were not asked for: as long as Graph says, where it said so."""
    last = readings[-1].problem if readings else None
    return timedelta(seconds=max(settings.GRAPH_DEADLINE, (last and last.retry_after_seconds) or 0.0))


def _controls(readings: Sequence[Reading]) -> Sequence[Call]:
    """A pass of one or two calls cannot tell a lost call from a wrong credential; calls heard of lately can."""
    if len(readings) >= SUSPECT_FROM or not any(one.is_gone for one in readings):
        return ()
    asked = [one.call.pk for one in readings]
    others = Call.objects.filter(tenant_id=readings[0].call.tenant_id, probe_after__isnull=False).exclude(pk__in=asked)
    return list(others.order_by("-probe_after")[:CONTROLS])


def _take_in(readings: Sequence[Reading]) -> bool:
    suspect = is_suspect(readings)
    passes.each((one for one in readings if not (suspect and one.is_gone)), take_in)
    return suspect


def _found(reading: Reading) -> Found:
    if reading.is_gone:
        return Found.NOT_FOUND
    if reading.answer is None:
        return Found.UNCLEAR
    is_over = reading.answer.value.state == CallState.TERMINATED
    return Found.ENDED if is_over else Found.LIVE
