"""Intent, wire, truth: take one stored wish to Graph. Every try is an Attempt, committed before its first byte."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from recordings import conf, findings, ingest, operations, rules
from recordings.choices import OperationStatus
from recordings.graph.errors import GraphError, GraphNotSent, Outcome
from recordings.models import Actor, Attempt, Operation
from recordings.models.watch import ASK_AGAIN
from recordings.passes import each
from recordings.services import budget, connection
from recordings.services.corrections import ruling
from recordings.services.locking import lock_both
from recordings.services.reading import SUSPECT_FROM, is_refused, is_suspect, probe_call, read_call
from recordings.services.tries import LONGEST_BACKOFF_SECONDS, Tried, post, store, wait_seconds

ACTOR_NAME = "sender"
# A person is waiting: a Retry-After up to here is sat out, a longer one is left to the worker.
SHORT_WAIT_SECONDS = 3.0
# An intent that could not leave for this long is told to its requester as failed.
GIVE_UP_AFTER = timedelta(minutes=15)

type Clock = Callable[[], datetime]
type Condition = Callable[[Operation, datetime], bool]


def _always(operation: Operation, now: datetime) -> bool:
    return True


def send_due(now: datetime, *, limit: int = 50, clock: Clock = timezone.now) -> int:
    """Send at most `limit` stored wishes whose moment has come (aware UTC); how many were looked at."""
    due = list(Operation.objects.to_send(now).select_related("call")[:limit])
    if due and is_refused(due[0].call, now=now):
        each(due, lambda one: _wait_out_refusal(one.pk, now=now))
        return len(due)
    suspect = len(due) >= SUSPECT_FROM and is_suspect([probe_call(one.call, now=now) for one in due])
    each(due, lambda one: _wait_out_suspicion(one.pk, now=now) if suspect else _send_if_free(one, now=now, clock=clock))
    return len(due)


def _send_if_free(operation: Operation, *, now: datetime, clock: Clock) -> None:
    """Hold it from before the reading until after the answer; another worker may have taken it since `now`."""
    now = max(now, clock())
    with transaction.atomic():
        is_mine = operations.lease(operation, until=now + conf.lease(), now=now)
    if is_mine:
        send_operation(operation.pk, clock=clock)


def _wait_out_suspicion(key: UUID, *, now: datetime) -> None:
    """Nothing is sent and no call is taken for gone while most of them cannot be found (invariant 5)."""
    with transaction.atomic():
        _, operation = lock_both(key)
        why = "Not sent yet: most calls are not found at Graph, so the credential must be checked first."
        operations.wait(operation, until=now + timedelta(seconds=LONGEST_BACKOFF_SECONDS), why=why)


def _wait_out_refusal(key: UUID, *, now: datetime) -> None:
    """While Microsoft refuses the whole tenant a try would only be lost: wait a minute, and not for ever."""
    said = "Microsoft refuses our app in the whole tenant."
    with transaction.atomic():
        call, operation = lock_both(key)
        if operation.status != OperationStatus.PENDING:
            return
        if now - (operation.approved_at or operation.requested_at) >= GIVE_UP_AFTER:
            _give_up(operation, why=said, now=now)
            ingest.reschedule(call, now=now)
        else:
            operations.wait(operation, until=now + ASK_AGAIN, why=f"Not sent yet: {said}")


def send_operation(key: UUID, *, clock: Clock = timezone.now) -> Operation:
    """Take a pending operation to Graph, within GRAPH_DEADLINE seconds; answers it as it stands then. Raises nothing
    of Graph's: a lost answer is `unknown`, one that never left stays `pending`.

    No database transaction is open while the wire is used. Reference:
    https://learn.microsoft.com/graph/api/call-updaterecordingstatus
    """
    operation = Operation.objects.select_related("call").get(pk=key)
    if operation.status != OperationStatus.PENDING:
        return operation
    until = connection.deadline()
    problem = _look_first(operation, until=until, now=clock())
    if problem:
        _hold(key, problem, now=clock())
    else:
        try_at_wire(key, may_start=(OperationStatus.PENDING,), until=until, clock=clock)
        # The person who asked sees at once whether that closed the finding, not only after the next sweep.
        findings.sweep_call(operation.call.graph_id, now=clock())
    return Operation.objects.select_related("call").get(pk=key)


def _look_first(operation: Operation, *, until: float, now: datetime) -> GraphError | None:
    """Read the call just before the POST; why Graph could not be asked, if it could not."""
    return read_call(operation.call, now=now, deadline=until).problem


def _hold(key: UUID, problem: GraphError, *, now: datetime) -> None:
    """Nothing was posted: wait where waiting can help, else say so."""
    with transaction.atomic():
        call, operation = lock_both(key)
        if operation.status != OperationStatus.PENDING:
            return
        since = operation.approved_at or operation.requested_at
        if problem.can_retry and now - since < GIVE_UP_AFTER:
            wait = wait_seconds(problem, tries=1 + int((now - since).total_seconds() // 10))
            operations.wait(operation, until=now + timedelta(seconds=wait), why=f"Not sent yet: {problem.message}")
            return
        _give_up(operation, code=problem.code or str(problem.http_status or ""), why=problem.message, now=now)
        ingest.reschedule(call, now=now)


def _give_up(operation: Operation, *, code: str = "", why: str, now: datetime) -> None:
    columns = {"result_code": code[:32], "result_message": f"Nothing was sent: {why}"[:1024]}
    actor = Actor.objects.job(ACTOR_NAME)
    operations.move(operation, OperationStatus.FAILED, actor=actor, now=now, reason="nothing was sent", columns=columns)


def try_at_wire(
    key: UUID,
    *,
    may_start: tuple[OperationStatus, ...],
    until: float,
    clock: Clock,
    only_if: Condition = _always,
    is_second_chance: bool = False,
) -> None:
    """Attempts until one counts: a 401 is renewed once, a short Retry-After is sat out, all else is final for now.

    `only_if` is asked once more under the lock, before the first of them. For a second chance the token was renewed
    already, after a 401.
    """
    renewed = is_second_chance
    while True:
        try:
            budget.wait_for_turn(until=until, clock=clock)
        except GraphNotSent as problem:
            _hold(key, problem, now=clock())
            return
        attempt = _begin(key, may_start=may_start, only_if=only_if, now=clock())
        if attempt is None:
            return
        only_if = _always
        tried = _post(attempt, until=until)
        store([(attempt, tried)], is_second_chance=renewed, now=clock())
        if tried.is_unauthorized and not renewed:
            renewed = True
            connection.client().renew_token()
        elif not _sat_out(tried.error, tries=attempt.number, until=until):
            return


def _sat_out(error: GraphError | None, *, tries: int, until: float) -> bool:
    """Wait out a short Retry-After; False if there is none, or no time for it."""
    if error is None or error.outcome != Outcome.THROTTLED or error.retry_after_seconds is None:
        return False
    wait = wait_seconds(error, tries=tries)
    if wait > SHORT_WAIT_SECONDS or time.monotonic() + wait >= until:
        return False
    time.sleep(wait)
    return True


def _begin(key: UUID, *, may_start: tuple[OperationStatus, ...], only_if: Condition, now: datetime) -> Attempt | None:
    """The last look at the facts and the Attempt's row, in one transaction. None if nothing may be sent."""
    with transaction.atomic():
        call, operation = lock_both(key)
        if operation.status not in may_start or not only_if(operation, now):
            return None
        actor = Actor.objects.job(ACTOR_NAME)
        judged = ruling(call, operation.requested_status, now=now)
        spent = operation.attempts.count() >= settings.GRAPH_MAX_ATTEMPTS
        needs_second = judged.permit == rules.Permit.NEEDS_APPROVAL and operation.approved_by_id is None
        if not spent and not needs_second and judged.permit != rules.Permit.REFUSED:
            attempt = operations.start_attempt(operation, actor=actor, now=now, leased_until=now + conf.lease())
            ingest.reschedule(call, now=now)
            return attempt
        why = "every allowed try was used" if spent else judged.why
        _turn_back(operation, why=why, ask=needs_second and not spent, actor=actor, now=now)
        ingest.reschedule(call, now=now)
    return None


def _turn_back(operation: Operation, *, why: str, ask: bool, actor: Actor, now: datetime) -> None:
    """Nothing may be sent any more. After a try that may have acted that is `unresolved`, never a guess."""
    if operations.may_have_acted(operation):
        operations.move(operation, OperationStatus.UNRESOLVED, actor=actor, now=now, reason=why)
    elif ask:
        columns = {"needs_approval_why": why[:255], "expires_after": now + conf.approval_expires()}
        operations.move(operation, OperationStatus.AWAITING_APPROVAL, actor=actor, now=now, reason=why, columns=columns)
    else:
        columns = {"result_message": f"Nothing was sent: {why}"[:1024]}
        operations.move(operation, OperationStatus.CANCELLED, actor=actor, now=now, reason=why, columns=columns)


def _post(attempt: Attempt, *, until: float) -> Tried:
    return post(connection.client(), attempt, until=until)
