"""The intent, and the second person's yes."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from recordings import ledger
from recordings.choices import LedgerAction, OperationStatus
from recordings.models import Actor, Call, LedgerEntry, Operation
from recordings.models.keys import new_key
from recordings.operations.moves import OperationInProgress, put


def client_context_of(key: uuid.UUID) -> str:
    """All that Graph is told of us: no name, no reason (invariant 9)."""
    return f"onrecord:{key}"


@dataclass(frozen=True)
class Wish:
    """What somebody wants Teams to be told of one call; `needs_approval_why` where a second person must agree."""

    call: Call
    requested_status: str
    needs_approval_why: str = ""


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
    """The intent for one call: see `create_many`."""
    wish = Wish(call, requested_status, needs_approval_why)
    (operation,) = create_many(
        [wish], actor=actor, reason=reason, now=now, send_after=send_after, expires_after=expires_after
    )
    return operation


def create_many(
    wishes: Sequence[Wish],
    *,
    actor: Actor,
    reason: str,
    now: datetime,
    send_after: datetime | None = None,
    expires_after: datetime | None = None,
    job: uuid.UUID | None = None,
) -> list[Operation]:
    """The intents, durable before anything is sent (invariant 1). Raises OperationInProgress (invariant 4).

    Before `send_after` only the process of the person who asks sends them; afterwards any worker does. The entries
    name the bulk `job` that asked, where one did.
    """
    wanted = [
        _operation(wish, actor=actor, reason=reason, now=now, send_after=send_after, expires_after=expires_after)
        for wish in wishes
    ]
    try:
        with transaction.atomic():
            Operation.objects.bulk_copy(wanted)
    except IntegrityError as error:
        raise OperationInProgress from error
    ledger.append([_requested(operation, job=job, now=now) for operation in wanted])
    return wanted


def _operation(
    wish: Wish,
    *,
    actor: Actor,
    reason: str,
    now: datetime,
    send_after: datetime | None,
    expires_after: datetime | None,
) -> Operation:
    key = new_key()
    return Operation(
        id=key,
        call=wish.call,
        requested_status=wish.requested_status,
        status=OperationStatus.AWAITING_APPROVAL if wish.needs_approval_why else OperationStatus.PENDING,
        client_context=client_context_of(key),
        requested_by=actor,
        requested_at=now,
        status_at=now,
        reason=reason,
        send_after=send_after,
        needs_approval_why=wish.needs_approval_why,
        expires_after=expires_after if wish.needs_approval_why else None,
    )


def _requested(operation: Operation, *, job: uuid.UUID | None, now: datetime) -> LedgerEntry:
    return ledger.entry_of(
        LedgerAction.CORRECTION_REQUESTED,
        actor=operation.requested_by,
        now=now,
        about=ledger.References(operation=operation, job=job),
        facts={
            "requested_status": operation.requested_status,
            "status": operation.status,
            "reason": operation.reason,
            "needs_approval_why": operation.needs_approval_why,
        },
    )


def approve(
    operation: Operation, *, actor: Actor, evidence: str, reason: str, now: datetime, send_after: datetime | None = None
) -> None:
    """Let an awaiting operation go to the wire. Raises IllegalMove, OperationInProgress."""
    columns = {"approved_by": actor, "approved_at": now, "evidence": evidence, "send_after": send_after}
    try:
        with transaction.atomic():
            put([operation], OperationStatus.PENDING, now=now, columns=columns)
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
