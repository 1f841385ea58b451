"""How many requests Graph gets from us: one token bucket a tenant, shared by all workers through its row.

A request takes its token before it leaves, many may be taken at once, and while Graph has asked for a pause nobody
gets any. The only writer of RequestBudget.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from recordings.graph.errors import GraphError, GraphNotSent, GraphThrottled
from recordings.models import RequestBudget

type Clock = Callable[[], datetime]

# Somebody waits for the answer: a turn that comes this soon is waited for, a later one is left to the worker.
SHORT_WAIT_SECONDS = 3.0
# Graph asked to wait and did not say how long (429 without Retry-After).
UNSAID_PAUSE_SECONDS = 1.0
# No header, however strange, may stop all work for longer.
LONGEST_PAUSE = timedelta(hours=1)
# So far may the clocks of two machines differ, and the slower one's share is still counted by the faster one's.
LONGEST_SKEW = timedelta(minutes=1)


def take(count: int, *, now: datetime, keep: float = 0.0) -> float:
    """Take `count` tokens, all or none; 0 if they were granted, else how many seconds to wait before asking again.

    `keep` tokens are left for others: work that nobody waits for takes none of the last ones. Raises ValueError for
    more than the bucket can ever hold. `now` is aware UTC.
    """
    if count + keep > settings.GRAPH_BURST:
        raise ValueError(f"a bucket of {settings.GRAPH_BURST} never holds {count} tokens and {keep:g} more")
    with transaction.atomic():
        budget: RequestBudget = _locked(now=now)
        if budget.closed_until and budget.closed_until > now:
            return (budget.closed_until - now).total_seconds()
        _refill(budget, now=now)
        missing = count + keep - budget.tokens
        if missing > 0:
            budget.save()
            return missing / float(settings.GRAPH_RATE)
        budget.tokens -= count
        budget.save()
    return 0.0


def give_back(count: int, *, now: datetime) -> None:
    """Tokens that were taken and not needed after all (aware UTC)."""
    if count:
        with transaction.atomic():
            budget: RequestBudget = _locked(now=now)
            budget.tokens = min(float(settings.GRAPH_BURST), budget.tokens + count)
            budget.save()


def close_until(moment: datetime, *, now: datetime) -> None:
    """Nobody gets a token before `moment` (both aware UTC): Graph asked for a pause, and meant all of us."""
    with transaction.atomic():
        budget: RequestBudget = _locked(now=now)
        until = min(moment, now + LONGEST_PAUSE)
        if budget.closed_until is None or budget.closed_until < until:
            budget.closed_until = until
            budget.save()


def closed_until(*, now: datetime) -> datetime | None:
    """Until when nobody gets a token; None while they are given out."""
    closed = RequestBudget.objects.filter(name=_name(), closed_until__gt=now)
    return closed.values_list("closed_until", flat=True).first()


def pause_asked_for(problem: GraphError) -> timedelta | None:
    """For how long Graph asks us all to wait; None where an error says nothing of that.

    Reference: https://learn.microsoft.com/graph/throttling (429), https://learn.microsoft.com/graph/errors (503)
    """
    if isinstance(problem, GraphThrottled):
        said = problem.retry_after_seconds
        return timedelta(seconds=UNSAID_PAUSE_SECONDS if said is None else said)
    if problem.http_status == 503 and problem.retry_after_seconds:
        return timedelta(seconds=problem.retry_after_seconds)
    return None


def learn(problem: GraphError | None, *, now: datetime) -> None:
    """Close the budget where an answer asks for it (aware UTC)."""
    pause = pause_asked_for(problem) if problem else None
    if pause:
        close_until(now + pause, now=now)


def wait_for_turn(*, until: float, clock: Clock = timezone.now) -> None:
    """Take one token, waiting a short while if need be. `until` is a time.monotonic() moment.

    Raises GraphNotSent where it would take too long: nothing has left, and `retry_after_seconds` says when to come.
    """
    while wait := take(1, now=clock()):
        if wait > SHORT_WAIT_SECONDS or time.monotonic() + wait >= until:
            raise not_now(wait, now=clock())
        time.sleep(wait)


def not_now(wait_seconds: float, *, now: datetime) -> GraphNotSent:
    """What to tell whoever does not get a turn."""
    again = (now + timedelta(seconds=wait_seconds)).astimezone(UTC)
    if closed_until(now=now):
        said = f"Microsoft asked for a pause until {again:%H:%M:%S} UTC, so nothing was sent."
    else:
        said = "Too many requests to Microsoft are waiting already, so nothing was sent."
    return GraphNotSent(said, code="turn", retry_after_seconds=wait_seconds)


class Turnstile:
    """What the client of this process asks before each request, and tells of each refusal."""

    def enter(self, *, until: float) -> None:
        wait_for_turn(until=until)

    def learn(self, problem: GraphError) -> None:
        learn(problem, now=timezone.now())


def _name() -> str:
    return str(settings.GRAPH_TENANT_ID).lower()[:64]


def _locked(*, now: datetime) -> RequestBudget:
    full = {"tokens": float(settings.GRAPH_BURST), "refilled_at": now}
    RequestBudget.objects.get_or_create(name=_name(), defaults=full)
    return RequestBudget.objects.select_for_update().get(name=_name())


def _refill(budget: RequestBudget, *, now: datetime) -> None:
    """What has flowed in since the last time; a clock that lags behind another machine's takes nothing away.

    A last time that lies further ahead than clocks differ was written by a wrong one. Nobody is held up until it comes.
    """
    if budget.refilled_at > now + LONGEST_SKEW:
        budget.refilled_at = now
    seconds = max(0.0, (now - budget.refilled_at).total_seconds())
    budget.tokens = min(float(settings.GRAPH_BURST), budget.tokens + seconds * float(settings.GRAPH_RATE))
    budget.refilled_at = max(now, budget.refilled_at)
