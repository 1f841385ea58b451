"""Find out what became of a correction whose answer was lost or is still to come: invariant 3, step by step."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from recordings import conf, ingest, operations
from recordings.choices import AttemptOutcome, OperationStatus
from recordings.graph.errors import GraphError
from recordings.graph.wire import GraphOperation
from recordings.models import Actor, Operation
from recordings.services import connection
from recordings.services.locking import lock_both
from recordings.services.reading import read_call
from recordings.services.sending import Clock, try_at_wire

ACTOR_NAME = "settler"
LOOK_AGAIN = timedelta(seconds=10)
LEASE = timedelta(seconds=60)
ON_THE_WIRE = (
    OperationStatus.SENT,
    OperationStatus.NOT_STARTED,
    OperationStatus.RUNNING,
    OperationStatus.UNKNOWN,
)


def settle_due(now: datetime, *, limit: int = 50, clock: Clock = timezone.now) -> int:
    """Look at no more than `limit` operations that nobody holds (aware UTC); how many were looked at."""
    keys = list(Operation.objects.to_settle(now).values_list("pk", flat=True)[:limit])
    for key in keys:
        settle_unknown(key, clock=clock)
    return len(keys)


def settle_unknown(key: UUID, *, clock: Clock = timezone.now) -> Operation:
    """Try invariant 3's steps in order until one settles the operation; answers it as it stands then.

    (a), Graph's own notification, comes by itself through ingest. Raises nothing of Graph's: what cannot be asked
    now is asked again ten seconds later.
    """
    if _hold(key, now=clock()):
        _walk_the_steps(key, clock=clock)
    return Operation.objects.select_related("call").get(pk=key)


def _walk_the_steps(key: UUID, *, clock: Clock) -> None:
    operation = Operation.objects.select_related("call").get(pk=key)
    word = _ask_by_id(operation) or _ask_by_context(operation)  # (b), (c)
    if word and _take(key, word, now=clock()):
        return
    reading = read_call(operation.call, now=clock())
    if not reading.call.is_live:  # (d)
        _give_up(key, why="the call is over, and Graph did not say what became of the correction", now=clock())
    elif reading.problem or not _grace_is_over(operation, now=clock()):
        _look_again(key, now=clock())
    elif word or _was_repeated(operation):
        # Graph has the operation but never finished it, or one repeat was lost, too: another would only repeat the
        # notice to the people on the call.
        _give_up(key, why="Graph never said what became of the correction", now=clock())
    else:  # (e); (f) where it may not be sent any more
        try_at_wire(key, may_start=ON_THE_WIRE, until=connection.deadline(), clock=clock)


def _hold(key: UUID, *, now: datetime) -> bool:
    """Take the operation for a minute; a `sent` one whose process died is `unknown` from now on."""
    with transaction.atomic():
        call, operation = lock_both(key)
        if operation.status not in ON_THE_WIRE or not operations.lease(operation, until=now + LEASE, now=now):
            return False
        if operation.status == OperationStatus.SENT:
            job = Actor.objects.job(ACTOR_NAME)
            operations.move(operation, OperationStatus.UNKNOWN, actor=job, now=now, reason="the answer was lost")
            ingest.reschedule(call, now=now)
    return True


def _ask_by_id(operation: Operation) -> GraphOperation | None:
    if not operation.graph_operation_id:
        return None
    return _asked(
        lambda: (
            connection.client()
            .get_operation(
                operation.call.graph_id,
                operation.graph_operation_id,
                client_request_id=str(uuid.uuid4()),
                deadline=connection.deadline(),
            )
            .value
        )
    )


def _ask_by_context(operation: Operation) -> GraphOperation | None:
    """Look for our context among the call's operations. Unproven on real Graph: not finding it means nothing."""

    def find() -> GraphOperation | None:
        answer = connection.client().list_operations(
            operation.call.graph_id, client_request_id=str(uuid.uuid4()), deadline=connection.deadline()
        )
        return next((word for word in answer.value if word.client_context == operation.client_context), None)

    return _asked(find)


def _asked(ask: Callable[[], GraphOperation | None]) -> GraphOperation | None:
    try:
        return ask()
    except GraphError:
        return None


def _take(key: UUID, word: GraphOperation, *, now: datetime) -> bool:
    """Take over Graph's word; True if it is its last on this operation."""
    with transaction.atomic():
        call, operation = lock_both(key)
        ingest.take_operation(call, operation, word, actor=Actor.objects.graph(), now=now)
        ingest.reschedule(call, now=now)
    return operation.is_final


def _grace_is_over(operation: Operation, *, now: datetime) -> bool:
    last = operation.attempts.order_by("-number").first()
    return last is None or now >= last.started_at + conf.settle_grace()


def _was_repeated(operation: Operation) -> bool:
    """Whether a repeat may have reached Teams already; one that surely did not was never heard."""
    harmless = (AttemptOutcome.NOT_SENT, AttemptOutcome.REFUSED, AttemptOutcome.THROTTLED)
    return operation.attempts.filter(is_repeat=True).exclude(result__outcome__in=harmless).exists()


def _look_again(key: UUID, *, now: datetime) -> None:
    with transaction.atomic():
        _, operation = lock_both(key)
        if operation.status in ON_THE_WIRE:
            operations.wait(operation, until=now + LOOK_AGAIN)


def _give_up(key: UUID, *, why: str, now: datetime) -> None:
    """(d) and (f): say that nobody knows, and leave it to a person."""
    with transaction.atomic():
        call, operation = lock_both(key)
        if operation.status in ON_THE_WIRE:
            job = Actor.objects.job(ACTOR_NAME)
            operations.move(operation, OperationStatus.UNRESOLVED, actor=job, now=now, reason=why)
        ingest.reschedule(call, now=now)
