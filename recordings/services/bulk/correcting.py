"""Send what waits: while the threads wait for answers, the next batch's intent and the last one's results are stored.

The wire never waits for the database, and no lock is held while it is used. See docs/decisions.
"""

import time
from collections import deque
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from recordings import conf, passes
from recordings.choices import BulkKind, OperationStatus
from recordings.graph.errors import GraphUnauthorized, Outcome
from recordings.models import BulkItem, Operation
from recordings.models.watch import ASK_AGAIN
from recordings.passes import each
from recordings.services import budget, connection, tries
from recordings.services.bulk.claiming import put_off, waiting_keys
from recordings.services.bulk.following import follow
from recordings.services.bulk.intending import intend
from recordings.services.bulk.pool import Pool, Try
from recordings.services.reading import SUSPECT_FROM, is_refused, most_are_gone
from recordings.services.sending import Clock, try_at_wire
from recordings.services.tenants import is_of_tenant

# So few go ahead alone: if Microsoft refuses them all, or finds none of their calls, the rest is not even tried.
VANGUARD = 8
BATCH = 64
# With so few left to leave the next batch is stored; the wire must not wait for it.
AHEAD = 64
# The wire goes first, but not beyond this: what a worker has not stored when it is killed must be settled.
MOST_OUTSTANDING = 192
# Storing many answers costs half for each of what storing twenty does; but none waits for others for long, and at the
# end, when the wire runs empty, the last ones are stored soon.
TOGETHER = 96
TOGETHER_AT_THE_END = 32
TOGETHER_WITHIN_SECONDS = 0.3
# Where an answer takes longer, nothing is stored ahead: what was read of a call would be old before its turn came.
SLOW_SECONDS = 1.0
# What nobody waits for leaves this share of the budget to people.
KEPT_FOR_PEOPLE = 0.1
_LOST = (Outcome.NOT_SENT, Outcome.UNKNOWN)
NOT_FOUND = "Not sent yet: most calls are not found at Graph, so the credential must be checked first."
REFUSED = "Not sent yet: Microsoft refuses our app in the whole tenant."


def correct_waiting(*, limit: int, clock: Clock) -> int:
    """Send at most `limit` waiting corrections; how many items were looked at."""
    first = waiting_keys(BulkKind.CORRECT, after=0, limit=min(limit, VANGUARD), now=clock())
    if not first:
        return 0
    call = BulkItem.objects.select_related("call").get(pk=first[0]).call
    if is_refused(call, now=clock()):
        put_off(until=clock() + ASK_AGAIN, why=REFUSED)
        return 0
    with Pool(settings.BULK_WIDTH) as pool:
        return _Pass(pool, limit=limit, clock=clock).run(first)


class _Pass:
    """One worker's way through what waits, from the oldest item on."""

    def __init__(self, pool: Pool, *, limit: int, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._limit = limit
        self._worked = 0
        self._after = 0
        self._were_gone: deque[bool] = deque(maxlen=BATCH)
        self._is_slow = False
        self._has_renewed = False
        self._is_stopped = False

    def run(self, first: Sequence[int]) -> int:
        """The vanguard alone, then everything else as fast as answers come."""
        keys = first
        while keys and not self._begin(keys):  # another worker has them
            keys = self._waiting(VANGUARD)
        self._pool.wait(ready=VANGUARD)
        vanguard = self._pool.answers(most=VANGUARD)
        self._learn(vanguard)
        if not any(tried.is_unauthorized for _, tried in vanguard):
            self._begin(self._next())  # the wire must not wait until the vanguard's answers are stored
        self._store(vanguard)
        while keys := self._next():
            self._begin(keys)
        self._store_all()
        return self._worked

    def _next(self) -> list[int]:
        """The next batch, once there is room for it; nothing when the pass is over. To store what came can wait."""
        while not self._has_room:
            self._pool.wait(ready=TOGETHER, within_seconds=TOGETHER_WITHIN_SECONDS, leaving=self._ahead)
            if not self._has_room:
                self._take_in()
        # The wire is idle at first: a small batch is ready soon, and the next ones grow while it is on its way.
        width = self._pool.width
        most = min(_batch_size(), max(width, 2 * self._pool.outstanding))
        return self._waiting(min(most, width - self._pool.leaving) if self._is_slow else most)

    @property
    def _ahead(self) -> int:
        return self._pool.width // 2 if self._is_slow else AHEAD

    @property
    def _has_room(self) -> bool:
        return self._pool.leaving <= self._ahead and self._pool.outstanding <= MOST_OUTSTANDING

    def _waiting(self, most: int) -> list[int]:
        most = min(most, self._limit - self._worked)
        if self._is_stopped or passes.stopping.is_set() or most <= 0:
            return []
        return waiting_keys(BulkKind.CORRECT, after=self._after, limit=most, now=self._clock())

    def _begin(self, keys: Sequence[int]) -> int:
        """Tokens, then the intents, then the wire. How many are sent."""
        if not keys or not self._has_turn(len(keys)):
            return 0
        self._worked += len(keys)
        self._after = keys[-1]
        ruled_at = time.monotonic()
        attempts = intend(keys, now=self._clock())
        self._pool.send(attempts, ruled_at=ruled_at, lease_seconds=conf.lease().total_seconds())
        budget.give_back(len(keys) - len(attempts), now=self._clock())
        return len(attempts)

    def _has_turn(self, count: int) -> bool:
        """Wait for the tokens of a batch, storing answers meanwhile; False where it would take too long."""
        keep = KEPT_FOR_PEOPLE * settings.GRAPH_BURST
        while wait := budget.take(count, now=self._clock(), keep=keep):
            if self._pool.outstanding:
                self._pool.wait(ready=TOGETHER, within_seconds=TOGETHER_WITHIN_SECONDS)
                self._take_in()
            elif wait > budget.SHORT_WAIT_SECONDS:
                problem = budget.not_now(wait, now=self._clock())
                self._stop(f"Not sent yet: {problem.message}", wait_seconds=wait)
            else:
                time.sleep(wait)
            if self._is_stopped:
                return False
        return True

    def _stop(self, why: str, *, wait_seconds: float = ASK_AGAIN.total_seconds()) -> None:
        """Begin nothing more in this pass; what waits says why, and comes up again."""
        self._is_stopped = True
        put_off(until=self._clock() + timedelta(seconds=wait_seconds), why=why)

    def _store_all(self) -> None:
        while self._pool.outstanding:
            self._pool.wait(ready=TOGETHER_AT_THE_END, within_seconds=TOGETHER_WITHIN_SECONDS)
            self._take_in()

    def _take_in(self) -> None:
        """Learn from what has come back, and store it."""
        found = self._pool.answers(most=TOGETHER)
        self._learn(found)
        self._store(found)

    def _store(self, found: Sequence[Try]) -> None:
        """Together if that can be; else one by one, so that none is held up by another."""
        if not found:
            return
        stored: list[Operation] = []
        believes_gone = not self._suspects
        each([found], lambda some: stored.extend(self._stored(some, believes_gone=believes_gone)), to_the_end=True)
        if not stored:
            each(found, lambda one: self._stored([one], believes_gone=believes_gone), to_the_end=True)
        self._try_again([attempt.operation for attempt, tried in found if tried.is_unauthorized])

    def _stored(self, some: Sequence[Try], *, believes_gone: bool) -> list[Operation]:
        now = self._clock()
        with transaction.atomic():
            stored = tries.store(some, now=now, believes_gone=believes_gone)
            follow(stored, now=now)
        return stored

    @property
    def _suspects(self) -> bool:
        """Whether most of the latest calls were not found: of the few that come at a time it may be so by chance."""
        return most_are_gone(sum(self._were_gone), of=len(self._were_gone))

    def _learn(self, found: Sequence[Try]) -> None:
        """Stop where the answers say that going on would only spoil more of the same."""
        if not found:
            return
        self._were_gone.extend(tried.is_gone for _, tried in found)
        self._is_slow = max(tried.outcome.latency_seconds or 0.0 for _, tried in found) > SLOW_SECONDS
        problems = [tried.error for _, tried in found if tried.error]
        for problem in problems:
            budget.learn(problem, now=self._clock())
        closed = budget.closed_until(now=self._clock())
        if closed:
            self._pool.pause((closed - self._clock()).total_seconds())
        if self._is_stopped:
            return
        lost = [one for one in problems if one.outcome in _LOST and one.code != tries.NO_TURN]
        if self._suspects:
            self._stop(NOT_FOUND)
        elif any(is_of_tenant(one) and not isinstance(one, GraphUnauthorized) for one in problems):
            self._stop(REFUSED)
        elif not closed and len(lost) >= SUSPECT_FROM and 2 * len(lost) > len(found):
            self._stop(f"Not sent yet: {lost[-1].message}")

    def _try_again(self, refused: Sequence[Operation]) -> None:
        """A 401: the token is renewed once a pass, and each of them gets one more attempt."""
        if not refused:
            return
        if not self._has_renewed:
            self._pool.renew_token()
            self._has_renewed = True
        each(refused, self._second_chance)
        if is_refused(refused[0].call, now=self._clock()) and not self._is_stopped:
            self._stop(REFUSED)

    def _second_chance(self, operation: Operation) -> None:
        until = connection.deadline()
        pending = (OperationStatus.PENDING,)
        try_at_wire(operation.pk, may_start=pending, until=until, clock=self._clock, is_second_chance=True)
        with transaction.atomic():
            follow(Operation.objects.filter(pk=operation.pk), now=self._clock())


def _batch_size() -> int:
    """No more than leaves at once, nor than leaves in a second, so that people find tokens at any moment."""
    most = int(settings.GRAPH_BURST * (1 - KEPT_FOR_PEOPLE))
    return max(1, min(BATCH, most, max(VANGUARD, int(settings.GRAPH_RATE))))
