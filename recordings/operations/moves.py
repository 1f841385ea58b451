"""Who may follow whom, and the one way to get there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from django.db.models import CharField

from recordings import ledger
from recordings.choices import FINAL_STATUSES, AttemptOutcome, LedgerAction, OperationStatus
from recordings.models import Actor, ByKey, Operation

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


def move(
    operation: Operation, to: OperationStatus, *, actor: Actor, now: datetime, reason: str = "", columns: Columns = NONE
) -> None:
    """Go to `to`, with its ledger entry; `columns` change with it. Raises IllegalMove."""
    put([operation], to, now=now, columns=columns)
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


def settle(operation: Operation, outcome: Outcome, *, to: OperationStatus, actor: Actor, now: datetime) -> bool:
    """Take over Graph's word on an operation from a notification or a GET. False if it says nothing new."""
    if operation.status == to or to not in LEGAL_MOVES[OperationStatus(operation.status)]:
        return False
    columns: dict[str, object] = {"leased_until": None, **result_columns(outcome)}
    if outcome.graph_operation_id:  # an id once given stays
        columns["graph_operation_id"] = outcome.graph_operation_id
    move(operation, to, actor=actor, now=now, columns=columns)
    return True


def wait(operation: Operation, *, until: datetime, why: str = "") -> None:
    """Do not look at this operation before `until`; its status stays, so the ledger has nothing to say."""
    columns: dict[str, object] = {"send_after": until, "leased_until": None}
    if why:
        columns["result_message"] = why[:1024]
    Operation.objects.filter(pk=operation.pk, status=operation.status).update(**columns)
    _take(operation, columns)


def lease(operation: Operation, *, until: datetime, now: datetime) -> bool:
    """Hold the operation until `until`; False if somebody else does, or it has moved on meanwhile."""
    free = Operation.objects.filter(pk=operation.pk, status=operation.status).due(now)
    if free.update(leased_until=until) != 1:
        return False
    operation.leased_until = until
    return True


def result_columns(outcome: Outcome) -> dict[str, object]:
    """What an outcome says of the operation: always the latest word's own."""
    return {
        "result_code": outcome.code[:32],
        "result_subcode": outcome.subcode[:32],
        "result_message": outcome.message[:1024],
    }


def put(
    operations: Sequence[Operation],
    to: OperationStatus,
    *,
    now: datetime,
    columns: Columns = NONE,
    graph_ids: Mapping[UUID, str] = MappingProxyType({}),
) -> None:
    """Move operations that are all in one status, in one statement; `graph_ids` are Graph's own ids, by our key.

    Raises IllegalMove unless every one of them moved.
    """
    old = OperationStatus(operations[0].status)
    if to != old and to not in LEGAL_MOVES[old]:
        raise IllegalMove(f"a correction that is {old.label.lower()} cannot become {to.label.lower()}")
    changed = dict(columns)
    if to != old:
        changed |= {"status": to, "status_at": now}
    if to in FINAL_STATUSES and to != old:
        changed |= {"finished_at": now, "leased_until": None, "send_after": None}
    ids = {operation.pk: graph_ids.get(operation.pk, operation.graph_operation_id) for operation in operations}
    named = {"graph_operation_id": ByKey(ids, CharField())} if graph_ids else {}
    if Operation.objects.filter(pk__in=list(ids), status=old).update(**changed, **named) != len(operations):
        raise IllegalMove("somebody else moved this correction first")
    for operation in operations:
        _take(operation, changed if not graph_ids else {**changed, "graph_operation_id": ids[operation.pk]})


def _take(operation: Operation, columns: Columns) -> None:
    for name, value in columns.items():
        setattr(operation, name, value)
