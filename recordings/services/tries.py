"""A try at the wire: the POST, what its answer means, and how it is stored. One is stored as a batch of one."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from recordings import ingest, operations
from recordings.choices import AttemptOutcome, OperationStatus
from recordings.graph.client import GraphClient
from recordings.graph.errors import (
    GraphCallGone,
    GraphError,
    GraphNotARecordingCall,
    GraphUnauthorized,
    Outcome,
)
from recordings.graph.wire import GraphOperation
from recordings.models import Actor, Attempt, Operation
from recordings.services import clocks
from recordings.services.locking import lock_many
from recordings.services.tenants import is_of_tenant, note_answer

LONGEST_BACKOFF_SECONDS = 60.0
# The code of what was stored and then not sent, because the worker was told to wait or to end.
NO_TURN = "turn"

_OUTCOMES = {
    Outcome.NOT_SENT: AttemptOutcome.NOT_SENT,
    Outcome.REFUSED: AttemptOutcome.REFUSED,
    Outcome.THROTTLED: AttemptOutcome.THROTTLED,
    Outcome.UNKNOWN: AttemptOutcome.UNKNOWN,
}


@dataclass(frozen=True)
class Tried:
    """One try's answer or error; exactly one of the two is there."""

    outcome: operations.Outcome
    word: GraphOperation | None = None
    error: GraphError | None = None

    @property
    def is_gone(self) -> bool:
        return isinstance(self.error, GraphCallGone)

    @property
    def is_unauthorized(self) -> bool:
        return isinstance(self.error, GraphUnauthorized)


def post(client: GraphClient, attempt: Attempt, *, until: float) -> Tried:
    """Send the stored attempt; `until` is a time.monotonic() moment. Uses no database. Never raises GraphError."""
    operation = attempt.operation
    try:
        answer = client.update_recording_status(
            operation.call.graph_id,
            status=operation.requested_status,
            client_context=operation.client_context,
            client_request_id=str(attempt.client_request_id),
            deadline=until,
        )
    except GraphError as error:
        return failed(error)
    outcome = replace(
        ingest.outcome_of(answer.value),
        http_status=answer.http_status,
        request_id=answer.request_id,
        latency_seconds=answer.latency_seconds,
    )
    return Tried(outcome, word=answer.value)


def failed(error: GraphError) -> Tried:
    outcome = operations.Outcome(
        _OUTCOMES[error.outcome],
        http_status=error.http_status,
        code=error.code,
        message=error.message,
        request_id=error.request_id,
        latency_seconds=error.latency_seconds,
    )
    return Tried(outcome, error=error)


def store(
    tries: Sequence[tuple[Attempt, Tried]],
    *,
    now: datetime,
    is_second_chance: bool = False,
    believes_gone: bool = True,
) -> list[Operation]:
    """The truth, in one transaction: the results, the operations' moves, and what Teams was told (`now` aware UTC).

    Answers the operations as they stand then. Without `believes_gone` no call is taken for gone (invariant 5): most of
    a batch were not found, which says more about our credential than about the calls.
    """
    graph = Actor.objects.graph()
    clocks.note_clocks(now)
    with transaction.atomic(savepoint=False):
        locked = lock_many([attempt.operation_id for attempt, _ in tries])
        before = {operation.call_id: ingest.columns_of(operation.call) for operation in locked.values()}
        for attempt, _ in tries:
            attempt.operation = locked[attempt.operation_id]
        completed = {key for key, operation in locked.items() if operation.status == OperationStatus.COMPLETED}
        finished = [_finished(attempt, tried, is_second_chance=is_second_chance, now=now) for attempt, tried in tries]
        operations.finish_attempts(finished, actor=graph, now=now)
        _note_tenants(tries, is_second_chance=is_second_chance, now=now)
        words = [
            (attempt.operation.call, said, operation)
            for attempt, tried in tries
            for said, operation in _words(attempt, tried, completed, believes_gone=believes_gone, actor=graph, now=now)
        ]
        ingest.take_in_all(words, now=now)
        ingest.reschedule_alike([operation.call for operation in locked.values()], before=before, now=now)
    return [attempt.operation for attempt, _ in tries]


def _finished(attempt: Attempt, tried: Tried, *, is_second_chance: bool, now: datetime) -> operations.Finished:
    to = status_after(tried, attempt, is_second_chance=is_second_chance)
    is_over = to in (OperationStatus.COMPLETED, OperationStatus.FAILED)
    later = None if is_over else now + timedelta(seconds=wait_seconds(tried.error, tries=attempt.number))
    return operations.Finished(attempt, tried.outcome, to, later)


def _words(
    attempt: Attempt, tried: Tried, completed: Collection[UUID], *, believes_gone: bool, actor: Actor, now: datetime
) -> list[tuple[ingest.Said, Operation | None]]:
    """What the answer says of the call itself; nothing where it only says something of the operation."""
    operation = attempt.operation
    if isinstance(tried.error, GraphNotARecordingCall):
        return [(ingest.word_no_recording_call(operation.call, actor=actor, now=now), None)]
    if tried.is_gone:
        return [(ingest.word_gone(actor=actor, now=now), None)] if believes_gone else []
    if operation.status != OperationStatus.COMPLETED or operation.pk in completed:
        return []
    said = ingest.word_told(operation.call, operation, sent_at=attempt.started_at, actor=actor, now=now)
    return [(said, operation)]


def _note_tenants(tries: Sequence[tuple[Attempt, Tried]], *, is_second_chance: bool, now: datetime) -> None:
    """Once a tenant, however many answers speak of it; a refusal of all of it outweighs an answer from before."""
    telling: dict[str, GraphError | None] = {}
    for attempt, tried in tries:
        if tried.is_unauthorized and not is_second_chance:
            continue
        tenant_id = attempt.operation.call.tenant_id
        if tried.error is None:
            telling.setdefault(tenant_id, None)
        elif is_of_tenant(tried.error):
            telling[tenant_id] = tried.error
    for tenant_id, problem in telling.items():
        note_answer(problem, tenant_id=tenant_id, now=now)


def status_after(tried: Tried, attempt: Attempt, *, is_second_chance: bool) -> OperationStatus:
    """Where one try takes the operation. If an earlier try may have acted, no refusal proves that it did not."""
    if tried.word:
        return ingest.status_after(tried.word.status)
    again = OperationStatus.UNKNOWN if attempt.is_repeat else OperationStatus.PENDING
    over = OperationStatus.UNRESOLVED if attempt.is_repeat else OperationStatus.FAILED
    # One that had no turn did not leave because others had to wait: that is no try of this correction's own.
    is_last = attempt.number >= settings.GRAPH_MAX_ATTEMPTS and tried.outcome.code != NO_TURN
    match tried.outcome.outcome:
        case AttemptOutcome.UNKNOWN:
            return OperationStatus.UNKNOWN
        case AttemptOutcome.NOT_SENT | AttemptOutcome.THROTTLED:
            can_wait = tried.error is not None and tried.error.can_retry and not is_last
            return again if can_wait else over
        case _:
            can_renew = tried.is_unauthorized and not is_second_chance and not is_last
            return again if can_renew else over


def wait_seconds(error: GraphError | None, *, tries: int) -> float:
    """Graph's own Retry-After, but no shorter than a wait that doubles from one second, so that a zero burns no tries;
    without one a wait twice as long, with some chance in it, so that waiters do not march in step."""
    if error is not None and error.retry_after_seconds is not None:
        return max(error.retry_after_seconds, 2.0 ** min(tries - 1, 5))
    longest = min(LONGEST_BACKOFF_SECONDS, 2.0 ** min(tries, 6))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads waiters, keeps no secret
