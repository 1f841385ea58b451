"""The only writer of Operation, Attempt and AttemptResult; one table of legal moves.

Every function runs in the caller's transaction and leaves its ledger entry there. Callers lock the call's row first.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from django.db import IntegrityError, transaction

from recordings import ledger
from recordings.choices import FINAL_STATUSES, AttemptOutcome, LedgerAction, OperationStatus
from recordings.models import Actor, Attempt, AttemptResult, Call, Operation
from recordings.models.keys import new_key

_S = OperationStatus

# Who may follow whom. `unresolved` is final for us; Graph's own late word still settles it.
LEGAL_MOVES: dict[OperationStatus, frozenset[OperationStatus]] = {
    _S.AWAITING_APPROVAL: frozenset({_S.PENDING, _S.DECLINED, _S.EXPIRED, _S.CANCELLED}),
    _S.PENDING: frozenset({_S.SENT, _S.AWAITING_APPROVAL, _S.CANCELLED, _S.FAILED}),
    _S.SENT: frozenset({_S.PENDING, _S.NOT_STARTED, _S.RUNNING, _S.UNKNOWN, _S.COMPLETED, _S.FAILED, _S.UNRESOLVED}),
    _S.NOT_STARTED: frozenset({_S.SENT, _S.RUNNING, _S.UNKNOWN, _S.COMPLETED, _S.FAILED, _S.UNRESOLVED}),
    _S.RUNNING: frozenset({_S.SENT, _S.UNKNOWN, _S.COMPLETED, _S.FAILED, _S.UNRESOLVED}),
    _S.UNKNOWN: frozenset({_S.SENT, _S.NOT_STARTED, _S.RUNNING, _S.COMPLETED, _S.FAILED, _S.UNRESOLVED}),
    _S.UNRESOLVED: frozenset({_S.COMPLETED, _S.FAILED}),
    _S.COMPLETED: frozenset(),
    _S.FAILED: frozenset(),
    _S.DECLINED: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.CANCELLED: frozenset(),
}

_ACTIONS = {
    _S.COMPLETED: LedgerAction.CORRECTION_SETTLED,
    _S.FAILED: LedgerAction.CORRECTION_SETTLED,
    _S.DECLINED: LedgerAction.CORRECTION_DECLINED,
    _S.EXPIRED: LedgerAction.CORRECTION_EXPIRED,
    _S.CANCELLED: LedgerAction.CORRECTION_CANCELLED,
    _S.UNRESOLVED: LedgerAction.CORRECTION_UNRESOLVED,
}


type Columns = Mapping[str, object]

NONE: Columns = MappingProxyType({})


# A try with such an outcome surely did not reach the people on the call.
HARMLESS = (AttemptOutcome.NOT_SENT, AttemptOutcome.REFUSED, AttemptOutcome.THROTTLED)


class OperationInProgress(Exception):
    """The call has a live correction already (invariant 4). Nothing was changed."""


class IllegalMove(Exception):
    """The operation cannot go there from where it is, or somebody else moved it first. Nothing was changed."""


@dataclass(frozen=True)
class Outcome:
    """What one try came to. `graph_status` is Graph's word for the operation, empty while it has none."""

    outcome: AttemptOutcome
    http_status: int | None = None
    code: str = ""
    subcode: str = ""
    message: str = ""
    request_id: str = ""
    graph_operation_id: str = ""
    graph_status: str = ""
    latency_seconds: float | None = None


def client_context_of(key: uuid.UUID) -> str:
    """All that Graph is told of us: no name, no reason (invariant 9)."""
    return f"onrecord:{key}"


def create(
    call: Call,
    *,
    requested_status: str,
    actor: Actor,
    reason: str,
    now: datetime,
    send_after: datetime | None = None,
    needs_approval_why: str = "",
    expires_after: datetime | None = None,
) -> Operation:
    """The intent, durable before anything is sent (invariant 1). Raises OperationInProgress (invariant 4).

    Before `send_after` only the process of the person who asks sends it; afterwards any worker does.
    """
    key = new_key()
    operation = Operation(
        id=key,
        call=call,
        requested_status=requested_status,
        status=_S.AWAITING_APPROVAL if needs_approval_why else _S.PENDING,
        client_context=client_context_of(key),
        requested_by=actor,
        requested_at=now,
        status_at=now,
        reason=reason,
        send_after=send_after,
        needs_approval_why=needs_approval_why,
        expires_after=expires_after if needs_approval_why else None,
    )
    try:
        with transaction.atomic():
            operation.save(force_insert=True)
    except IntegrityError as error:
        raise OperationInProgress from error
    ledger.record(
        LedgerAction.CORRECTION_REQUESTED,
        actor=actor,
        now=now,
        operation=operation,
        requested_status=requested_status,
        status=operation.status,
        reason=reason,
        needs_approval_why=needs_approval_why,
    )
    return operation


def approve(
    operation: Operation, *, actor: Actor, evidence: str, reason: str, now: datetime, send_after: datetime | None = None
) -> None:
    """Let an awaiting operation go to the wire. Raises IllegalMove, OperationInProgress."""
    columns = {"approved_by": actor, "approved_at": now, "evidence": evidence, "send_after": send_after}
    try:
        with transaction.atomic():
            _put(operation, _S.PENDING, now=now, **columns)
    except IntegrityError as error:
        raise OperationInProgress from error
    ledger.record(
        LedgerAction.CORRECTION_APPROVED,
        actor=actor,
        now=now,
        operation=operation,
        requested_status=operation.requested_status,
        status=operation.status,
        reason=reason,
        evidence=evidence,
    )


def move(
    operation: Operation, to: OperationStatus, *, actor: Actor, now: datetime, reason: str = "", columns: Columns = NONE
) -> None:
    """Go to `to`, with its ledger entry; `columns` change with it. Raises IllegalMove."""
    _put(operation, to, now=now, **columns)
    ledger.record(
        _ACTIONS.get(to, LedgerAction.CORRECTION_WAITING),
        actor=actor,
        now=now,
        operation=operation,
        requested_status=operation.requested_status,
        status=to.value,
        reason=reason,
        graph_operation_id=operation.graph_operation_id,
        result_code=str(columns.get("result_code", "")),
        result_message=str(columns.get("result_message", "")),
    )


def wait(operation: Operation, *, until: datetime, why: str = "") -> None:
    """Do not look at this operation before `until`; its status stays, so the ledger has nothing to say."""
    columns: dict[str, object] = {"send_after": until, "leased_until": None}
    if why:
        columns["result_message"] = why[:1024]
    Operation.objects.filter(pk=operation.pk, status=operation.status).update(**columns)
    for name, value in columns.items():
        setattr(operation, name, value)


def lease(operation: Operation, *, until: datetime, now: datetime) -> bool:
    """Hold the operation until `until`; False if somebody else does, or it has moved on meanwhile."""
    free = Operation.objects.filter(pk=operation.pk, status=operation.status).due(now)
    if free.update(leased_until=until) != 1:
        return False
    operation.leased_until = until
    return True


def may_have_acted(operation: Operation, *, repeats_only: bool = False) -> bool:
    """Whether a try may have reached Teams: its answer was lost, accepted, or never stored."""
    tries = operation.attempts.filter(is_repeat=True) if repeats_only else operation.attempts.all()
    return tries.exclude(result__outcome__in=HARMLESS).exists()


def start_attempt(operation: Operation, *, actor: Actor, now: datetime, leased_until: datetime) -> Attempt:
    """The attempt's row and the move to `sent`, to be committed before the first byte. Raises IllegalMove."""
    attempt = Attempt(
        operation=operation,
        number=operation.attempts.count() + 1,
        client_request_id=uuid.uuid4(),
        is_repeat=may_have_acted(operation),
        started_at=now,
    )
    _put(operation, _S.SENT, now=now, sent_at=operation.sent_at or now, leased_until=leased_until, send_after=None)
    attempt.save(force_insert=True)
    ledger.record(
        LedgerAction.CORRECTION_SENT,
        actor=actor,
        now=now,
        operation=operation,
        requested_status=operation.requested_status,
        status=operation.status,
        attempt=attempt.number,
        is_repeat=attempt.is_repeat,
        client_request_id=attempt.client_request_id,
    )
    return attempt


def finish_attempt(
    attempt: Attempt,
    outcome: Outcome,
    *,
    to: OperationStatus,
    actor: Actor,
    now: datetime,
    send_after: datetime | None = None,
) -> None:
    """What came back, and the operation's move to `to`, with one ledger entry for both.

    The operation may have moved while the answer was under way, by Graph's notification or by a person: then the
    answer is kept and moves it only where that is still legal.
    """
    operation = attempt.operation
    if to not in LEGAL_MOVES[OperationStatus(operation.status)]:
        to, send_after = OperationStatus(operation.status), operation.send_after
    result = AttemptResult(
        attempt=attempt,
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
    result.save(force_insert=True)
    _put(operation, to, now=now, leased_until=None, send_after=send_after, **_result_columns(outcome))
    ledger.record(
        LedgerAction.CORRECTION_ANSWERED,
        actor=actor,
        now=now,
        operation=operation,
        requested_status=operation.requested_status,
        status=operation.status,
        attempt=attempt.number,
        is_repeat=attempt.is_repeat,
        client_request_id=attempt.client_request_id,
        request_id=result.request_id,
        outcome=outcome.outcome.value,
        http_status=outcome.http_status,
        error_code=result.error_code,
        message=result.message,
        graph_operation_id=outcome.graph_operation_id,
        graph_status=outcome.graph_status,
    )


def settle(operation: Operation, outcome: Outcome, *, to: OperationStatus, actor: Actor, now: datetime) -> bool:
    """Take over Graph's word on an operation from a notification or a GET. False if it says nothing new."""
    if operation.status == to or to not in LEGAL_MOVES[OperationStatus(operation.status)]:
        return False
    move(operation, to, actor=actor, now=now, columns={"leased_until": None, **_result_columns(outcome)})
    return True


def _result_columns(outcome: Outcome) -> dict[str, object]:
    """What an outcome says of the operation: the result is always the latest try's own, an id once given stays."""
    columns: dict[str, object] = {
        "result_code": outcome.code[:32],
        "result_subcode": outcome.subcode[:32],
        "result_message": outcome.message[:1024],
    }
    if outcome.graph_operation_id:
        columns["graph_operation_id"] = outcome.graph_operation_id
    return columns


def _put(operation: Operation, to: OperationStatus, *, now: datetime, **columns: object) -> None:
    old = OperationStatus(operation.status)
    if to != old and to not in LEGAL_MOVES[old]:
        raise IllegalMove(f"a correction that is {old.label.lower()} cannot become {to.label.lower()}")
    if to != old:
        columns |= {"status": to, "status_at": now}
    if to in FINAL_STATUSES and to != old:
        columns |= {"finished_at": now, "leased_until": None, "send_after": None}
    if Operation.objects.filter(pk=operation.pk, status=old).update(**columns) != 1:
        raise IllegalMove("somebody else moved this correction first")
    for name, value in columns.items():
        setattr(operation, name, value)
