"""Each try at the wire: its row before the first byte, and its result after the last."""

import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from recordings import ledger
from recordings.choices import AttemptOutcome, LedgerAction, OperationStatus
from recordings.models import Actor, Attempt, AttemptResult, LedgerEntry, Operation
from recordings.operations.moves import LEGAL_MOVES, Outcome, put, result_columns

# A try with such an outcome surely did not reach the people on the call.
HARMLESS = (AttemptOutcome.NOT_SENT, AttemptOutcome.REFUSED, AttemptOutcome.THROTTLED)


def may_have_acted(operation: Operation, *, repeats_only: bool = False) -> bool:
    """Whether a try may have reached Teams: its answer was lost, accepted, or never stored."""
    tries = operation.attempts.filter(is_repeat=True) if repeats_only else operation.attempts.all()
    return tries.exclude(result__outcome__in=HARMLESS).exists()


def start_attempt(operation: Operation, *, actor: Actor, now: datetime, leased_until: datetime) -> Attempt:
    """The attempt of one operation: see `start_attempts`."""
    (attempt,) = start_attempts([operation], actor=actor, now=now, leased_until=leased_until)
    return attempt


def start_attempts(
    operations: Sequence[Operation], *, actor: Actor, now: datetime, leased_until: datetime
) -> list[Attempt]:
    """The attempts' rows and the moves to `sent`, to be committed before the first byte. Raises IllegalMove."""
    before: dict[uuid.UUID, list[str]] = defaultdict(list)
    tries = Attempt.objects.filter(operation__in=operations).order_by("number")
    for key, outcome in tries.values_list("operation_id", "result__outcome"):
        before[key].append(outcome)
    attempts = [_attempt(operation, before[operation.pk], now=now) for operation in operations]
    for (_, sent_at), alike in _grouped(operations, lambda one: (one.status, one.sent_at or now)).items():
        columns = {"sent_at": sent_at, "leased_until": leased_until, "send_after": None}
        put(alike, OperationStatus.SENT, now=now, columns=columns)
    Attempt.objects.bulk_copy(attempts)
    ledger.append([_sent(attempt, actor=actor, now=now) for attempt in attempts])
    return attempts


def _attempt(operation: Operation, before: list[str], *, now: datetime) -> Attempt:
    return Attempt(
        operation=operation,
        number=len(before) + 1,
        client_request_id=uuid.uuid4(),
        is_repeat=any(outcome not in HARMLESS for outcome in before),
        started_at=now,
    )


def _sent(attempt: Attempt, *, actor: Actor, now: datetime) -> LedgerEntry:
    return ledger.entry_of(
        LedgerAction.CORRECTION_SENT,
        actor=actor,
        now=now,
        about=ledger.References(operation=attempt.operation),
        facts={
            "requested_status": attempt.operation.requested_status,
            "status": attempt.operation.status,
            "attempt": attempt.number,
            "is_repeat": attempt.is_repeat,
            "client_request_id": attempt.client_request_id,
        },
    )


@dataclass(frozen=True)
class Finished:
    """What one attempt came to, and where that takes its operation; before `send_after` it is not looked at again."""

    attempt: Attempt
    outcome: Outcome
    to: OperationStatus
    send_after: datetime | None = None


def finish_attempt(
    attempt: Attempt,
    outcome: Outcome,
    *,
    to: OperationStatus,
    actor: Actor,
    now: datetime,
    send_after: datetime | None = None,
) -> None:
    """The result of one attempt: see `finish_attempts`."""
    finish_attempts([Finished(attempt, outcome, to, send_after)], actor=actor, now=now)


def finish_attempts(finished: Sequence[Finished], *, actor: Actor, now: datetime) -> None:
    """What came back, and the operations' moves, with one ledger entry for each try.

    An operation may have moved while the answer was under way, by Graph's notification or by a person: then the
    answer is kept and moves it only where that is still legal.
    """
    results = [_result(one, now=now) for one in finished]
    AttemptResult.objects.bulk_copy(results)
    for group in _grouped(finished, _move_of).values():
        _put_alike(group, now=now)
    ledger.append([_answered(one, result, actor=actor, now=now) for one, result in zip(finished, results, strict=True)])


def _legal(one: Finished) -> tuple[OperationStatus, datetime | None]:
    operation = one.attempt.operation
    status = OperationStatus(operation.status)
    return (one.to, one.send_after) if one.to in LEGAL_MOVES[status] else (status, operation.send_after)


def _move_of(one: Finished) -> tuple[object, ...]:
    """Moves that are alike in all of this are one statement; only Graph's ids for them differ."""
    return one.attempt.operation.status, *_legal(one), *result_columns(one.outcome).values()


def _put_alike(group: list[Finished], *, now: datetime) -> None:
    to, send_after = _legal(group[0])
    columns = {"leased_until": None, "send_after": send_after, **result_columns(group[0].outcome)}
    ids = {one.attempt.operation_id: one.outcome.graph_operation_id for one in group if one.outcome.graph_operation_id}
    put([one.attempt.operation for one in group], to, now=now, columns=columns, graph_ids=ids)


def _result(one: Finished, *, now: datetime) -> AttemptResult:
    outcome = one.outcome
    return AttemptResult(
        attempt=one.attempt,
        outcome=outcome.outcome,
        http_status=outcome.http_status,
        error_code=outcome.code[:64],
        message=outcome.message[:1024],
        request_id=outcome.request_id[:128],
        graph_operation_id=outcome.graph_operation_id,
        graph_status=outcome.graph_status[:32],
        latency_seconds=outcome.latency_seconds,
        recorded_at=now,
    )


def _answered(one: Finished, result: AttemptResult, *, actor: Actor, now: datetime) -> LedgerEntry:
    attempt = one.attempt
    return ledger.entry_of(
        LedgerAction.CORRECTION_ANSWERED,
        actor=actor,
        now=now,
        about=ledger.References(operation=attempt.operation),
        facts={
            "requested_status": attempt.operation.requested_status,
            "status": attempt.operation.status,
            "attempt": attempt.number,
            "is_repeat": attempt.is_repeat,
            "client_request_id": attempt.client_request_id,
            "request_id": result.request_id,
            "outcome": one.outcome.outcome.value,
            "http_status": one.outcome.http_status,
            "error_code": result.error_code,
            "message": result.message,
            "graph_operation_id": one.outcome.graph_operation_id,
            "graph_status": one.outcome.graph_status,
        },
    )


def _grouped[Row, Key](rows: Sequence[Row], key_of: Callable[[Row], Key]) -> dict[Key, list[Row]]:
    groups: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key_of(row)].append(row)
    return groups
