"""Find out what became of a correction whose answer was lost or is still to come: invariant 3, step by step."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from recordings import conf, ingest, operations
from recordings.choices import ON_THE_WIRE, OperationStatus
from recordings.graph.errors import GraphError, GraphThrottled
from recordings.graph.wire import GraphOperation
from recordings.models import Actor, Operation
from recordings.passes import each
from recordings.services import connection
from recordings.services.locking import lock_both
from recordings.services.reading import Reading, is_suspect, probe_call, take_in
from recordings.services.sending import Clock, try_at_wire
from recordings.services.tenants import note_answer

ACTOR_NAME = "settler"
LOOK_AGAIN = timedelta(seconds=10)
# Calls last up to a day (Graph samples, Learnings): after that there is nobody left who could be told.
LONGEST_CALL = timedelta(hours=24)


@dataclass(frozen=True)
class Asked:
    """An operation that steps (b) and (c) have not settled; `is_known` says that Graph has it."""

    key: UUID
    is_known: bool
    reading: Reading


def settle_due(now: datetime, *, limit: int = 20, clock: Clock = timezone.now) -> int:
    """Look at no more than `limit` operations that nobody holds (aware UTC); how many were looked at."""
    keys = list(Operation.objects.to_settle(now).values_list("pk", flat=True)[:limit])
    _settle(keys, clock=clock)
    return len(keys)


def settle_unknown(key: UUID, *, clock: Clock = timezone.now) -> Operation:
    """Try invariant 3's steps in order until one settles the operation; answers it as it stands then.

    (a), Graph's own notification, comes by itself through ingest. Raises nothing of Graph's: what cannot be asked
    now is asked again ten seconds later, or when Graph's Retry-After says.
    """
    _settle([key], clock=clock)
    return Operation.objects.select_related("call").get(pk=key)


def _settle(keys: list[UUID], *, clock: Clock) -> None:
    """One pass: ask for each operation, then judge all probes together, then decide on each."""
    asked: list[Asked] = []
    each(keys, lambda key: asked.extend(_ask(key, clock=clock)))
    suspect = is_suspect([one.reading for one in asked])
    each(asked, lambda one: _decide(one, suspect=suspect, clock=clock))


def _ask(key: UUID, *, clock: Clock) -> list[Asked]:
    """Steps (b) and (c), and the probe that (d) needs; nothing if they settled it, or somebody else holds it."""
    if not _hold(key, now=clock()):
        return []
    operation = Operation.objects.select_related("call").get(pk=key)
    try:
        word = _by_id(operation) or _by_context(operation)
    except GraphThrottled as problem:
        _look_again(key, problem=problem, now=clock())
        return []
    if word and _take(key, word, now=clock()):
        return []
    return [Asked(key, is_known=word is not None, reading=probe_call(operation.call, now=clock()))]


def _decide(asked: Asked, *, suspect: bool, clock: Clock) -> None:
    """Steps (d) to (f)."""
    problem = asked.reading.problem
    operation = Operation.objects.get(pk=asked.key)
    if suspect and asked.reading.is_gone and not _is_too_old(operation, now=clock()):
        _look_again(asked.key, now=clock())
        return
    call = take_in(asked.reading).call
    if not call.is_live:  # (d)
        _give_up(asked.key, why="the call is over, and Graph did not say what became of the correction", now=clock())
    elif problem and not _is_hopeless(problem, operation, now=clock()):
        _look_again(asked.key, problem=problem, now=clock())
    elif problem:
        _give_up(asked.key, why=f"Graph cannot be asked: {problem.message}", now=clock())
    elif _is_too_old(operation, now=clock()):
        _give_up(asked.key, why="Graph did not say for a day what became of the correction", now=clock())
    elif asked.is_known or not _grace_is_over(operation, now=clock()):
        # While Graph says that it has the operation, nothing is lost: it is asked again, and nothing is sent.
        _look_again(asked.key, now=clock())
    elif operations.may_have_acted(operation, repeats_only=True):
        # One repeat was lost, too: another would only repeat the notice to the people on the call.
        _give_up(asked.key, why="the answer was lost twice, and Graph does not know the correction", now=clock())
    else:  # (e); (f) where it may not be sent any more
        until = connection.deadline()
        try_at_wire(asked.key, may_start=ON_THE_WIRE, only_if=_may_repeat, until=until, clock=clock)


def _may_repeat(operation: Operation, now: datetime) -> bool:
    """Asked again under the lock, so that two settlers who overtook each other make one repeat."""
    return _grace_is_over(operation, now=now) and not operations.may_have_acted(operation, repeats_only=True)


def _hold(key: UUID, *, now: datetime) -> bool:
    """Take the operation for as long as all steps may last; a `sent` one whose process died is `unknown` from now."""
    with transaction.atomic():
        call, operation = lock_both(key)
        until = now + 2 * conf.lease()
        if operation.status not in ON_THE_WIRE or not operations.lease(operation, until=until, now=now):
            return False
        if operation.status == OperationStatus.SENT:
            job = Actor.objects.job(ACTOR_NAME)
            operations.move(operation, OperationStatus.UNKNOWN, actor=job, now=now, reason="the answer was lost")
            ingest.reschedule(call, now=now)
    return True


def _by_id(operation: Operation) -> GraphOperation | None:
    """(b) GET operation, if its id is known; an answer that speaks of another context is none."""
    if not operation.graph_operation_id:
        return None
    try:
        answer = connection.client().get_operation(
            operation.call.graph_id,
            operation.graph_operation_id,
            client_request_id=str(uuid.uuid4()),
            deadline=connection.deadline(),
        )
    except GraphThrottled:
        raise
    except GraphError:
        return None
    word = answer.value
    is_ours = word.id in (None, operation.graph_operation_id)
    return word if is_ours and word.client_context in (None, "", operation.client_context) else None


def _by_context(operation: Operation) -> GraphOperation | None:
    """(c) Our context among the call's operations. Unproven on real Graph: not finding it means nothing."""
    try:
        answer = connection.client().list_operations(
            operation.call.graph_id, client_request_id=str(uuid.uuid4()), deadline=connection.deadline()
        )
    except GraphThrottled:
        raise
    except GraphError:
        return None
    return next((word for word in answer.value if word.client_context == operation.client_context), None)


def _take(key: UUID, word: GraphOperation, *, now: datetime) -> bool:
    """Take over Graph's word; True if it is its last on this operation."""
    with transaction.atomic():
        call, operation = lock_both(key)
        ingest.take_operation(call, operation, word, actor=Actor.objects.graph(), now=now)
        note_answer(None, tenant_id=call.tenant_id, now=now)
        ingest.reschedule(call, now=now)
    return operation.is_final


def _is_hopeless(problem: GraphError, operation: Operation, *, now: datetime) -> bool:
    """Whether asking again cannot help: Graph refuses for good, or nobody can be on the call any more."""
    return _is_too_old(operation, now=now) or (not problem.can_retry and _grace_is_over(operation, now=now))


def _is_too_old(operation: Operation, *, now: datetime) -> bool:
    last = operation.attempts.order_by("-number").first()
    return last is not None and now >= last.started_at + LONGEST_CALL


def _grace_is_over(operation: Operation, *, now: datetime) -> bool:
    last = operation.attempts.order_by("-number").first()
    return last is None or now >= last.started_at + conf.settle_grace()


def _look_again(key: UUID, *, now: datetime, problem: GraphError | None = None) -> None:
    asked_for = timedelta(seconds=(problem.retry_after_seconds or 0) if problem else 0)
    with transaction.atomic():
        _, operation = lock_both(key)
        if operation.status in ON_THE_WIRE:
            operations.wait(operation, until=now + max(LOOK_AGAIN, asked_for))


def _give_up(key: UUID, *, why: str, now: datetime) -> None:
    """(d) and (f): say that nobody knows, and leave it to a person."""
    with transaction.atomic():
        call, operation = lock_both(key)
        if operation.status in ON_THE_WIRE:
            job = Actor.objects.job(ACTOR_NAME)
            operations.move(operation, OperationStatus.UNRESOLVED, actor=job, now=now, reason=why)
        ingest.reschedule(call, now=now)
