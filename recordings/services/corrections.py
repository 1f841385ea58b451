"""Ask for a correction, approve it, decline it, let it expire, close it: what happens beside the wire."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from recordings import conf, ingest, ledger, operations, permissions, rules
from recordings.choices import OPEN_OUTCOMES, BulkStanding, LedgerAction, OperationStatus
from recordings.models import Actor, Call, Operation
from recordings.operations import OperationInProgress
from recordings.passes import each
from recordings.services.locking import lock_both, lock_call
from recordings.services.requester import Requester
from recordings.services.texts import LONGEST, kept, storable


class CorrectionRefused(Exception):
    """On Record refused; nothing was sent, and the refusal stands in the ledger. `attest`: that is the way left."""

    def __init__(self, why: str, *, attest: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.attest = attest


IN_PROGRESS = "Another correction of this call is in progress. Wait for its outcome; nothing was sent."


def ruling(call: Call, wish: str, *, now: datetime, graces: rules.Graces | None = None) -> rules.Ruling:
    """Whether `wish` may be told to Teams about `call` now (aware UTC): invariants 4, 7 and 8."""
    if call.tenant_id != settings.GRAPH_TENANT_ID.lower():
        why = "This call belongs to another tenant than the one On Record is connected to."
        return rules.Ruling(BulkStanding.NOT_POSSIBLE, why)
    return rules.rule_on(
        wish,
        call.facts(),
        now=now,
        graces=graces or conf.graces(),
        require_approval=settings.REQUIRE_APPROVAL,
    )


def request_correction(call: Call, *, wish: str, reason: str, by: Requester, now: datetime) -> Operation:
    """Store the intent to tell Teams `wish` about `call` (`now` aware UTC); sending it is `send_operation`'s work.

    The operation comes back `pending`, or `awaitingApproval` where invariant 8 asks for a second person. Raises
    NotAllowed and CorrectionRefused; both leave a ledger entry and no operation.
    """
    try:
        by.require(permissions.CORRECT)
        return _create(call, wish, kept(reason, what="reason", error=CorrectionRefused), by, now)
    except permissions.NotAllowed as refusal:
        _record_refusal(call, wish, reason, by.actor, now, str(refusal))
        raise
    except OperationInProgress as refusal:
        _record_refusal(call, wish, reason, by.actor, now, IN_PROGRESS)
        raise CorrectionRefused(IN_PROGRESS) from refusal
    except CorrectionRefused as refusal:
        _record_refusal(call, wish, reason, by.actor, now, refusal.why)
        raise


def _create(call: Call, wish: str, reason: str, by: Requester, now: datetime) -> Operation:
    if not reason:
        raise CorrectionRefused("A correction needs a reason. Nothing was sent.")
    with transaction.atomic():
        locked = lock_call(call)
        if Operation.objects.live().filter(call=locked).exists():
            raise OperationInProgress
        judged = _permitted(locked, wish, now=now)
        _cancel_awaiting(locked, actor=by.actor, now=now)
        operation = operations.create(
            locked,
            requested_status=wish,
            actor=by.actor,
            reason=reason,
            now=now,
            send_after=now + conf.lease(),
            needs_approval_why=judged.why if judged.permit == rules.Permit.NEEDS_APPROVAL else "",
            expires_after=now + conf.approval_expires(),
        )
        ingest.reschedule(locked, now=now)
    return operation


def _permitted(call: Call, wish: str, *, now: datetime) -> rules.Ruling:
    judged = ruling(call, wish, now=now)
    if judged.permit == rules.Permit.REFUSED:
        raise CorrectionRefused(judged.why, attest=judged.attest)
    return judged


def _cancel_awaiting(call: Call, *, actor: Actor, now: datetime) -> None:
    """A permitted wish takes the place of one that still waits for its second person (invariant 4)."""
    for waiting in Operation.objects.awaiting_approval().filter(call=call):
        operations.move(
            waiting, OperationStatus.CANCELLED, actor=actor, now=now, reason="another correction took its place"
        )


def _record_refusal(
    call: Call, wish: str, reason: str, actor: Actor, now: datetime, why: str, *, operation: Operation | None = None
) -> None:
    with transaction.atomic():
        ledger.record(
            LedgerAction.CORRECTION_REFUSED,
            actor=actor,
            now=now,
            call=call,
            operation=operation,
            requested_status=storable(wish)[:32],
            reason=storable(reason)[:LONGEST],
            why=why,
        )


def approve(operation: Operation, *, by: Requester, reason: str, evidence: str, now: datetime) -> Operation:
    """Let another person's wish go to the wire, after `read_call` has shown how the call is now (aware UTC).

    Raises NotAllowed, CorrectionRefused; both leave a ledger entry. If the facts have turned against the wish, it is
    cancelled and says so.
    """
    with _refusals_recorded(operation, reason, by.actor, now):
        by.require(permissions.APPROVE)
        return _approve_or_cancel(operation, by=by, reason=reason, evidence=evidence, now=now)


def _approve_or_cancel(operation: Operation, *, by: Requester, reason: str, evidence: str, now: datetime) -> Operation:
    proof = kept(evidence, what="evidence", error=CorrectionRefused)
    comment = kept(reason, what="comment", error=CorrectionRefused)
    if not proof:
        raise CorrectionRefused("An approval needs evidence: say what shows that this is true.")
    with transaction.atomic():
        call, waiting = lock_both(operation.pk)
        _check_second_person(waiting, by.actor, now=now)
        judged = ruling(call, waiting.requested_status, now=now)
        if judged.permit == rules.Permit.REFUSED:
            operations.move(waiting, OperationStatus.CANCELLED, actor=by.actor, now=now, reason=judged.why)
        else:
            _approve(waiting, by=by, reason=comment, evidence=proof, now=now)
        ingest.reschedule(call, now=now)
    if judged.permit == rules.Permit.REFUSED:
        raise CorrectionRefused(f"{judged.why} The correction was cancelled; nothing was sent.", attest=judged.attest)
    return waiting


def _approve(waiting: Operation, *, by: Requester, reason: str, evidence: str, now: datetime) -> None:
    try:
        operations.approve(
            waiting,
            actor=by.actor,
            evidence=evidence,
            reason=reason,
            now=now,
            send_after=now + conf.lease(),
        )
    except OperationInProgress as refusal:
        raise CorrectionRefused(IN_PROGRESS) from refusal


def _check_second_person(operation: Operation, actor: Actor, *, now: datetime) -> None:
    if operation.status != OperationStatus.AWAITING_APPROVAL:
        raise CorrectionRefused(f"This correction no longer waits: it is {operation.status_look.label.lower()}.")
    if operation.expires_after and operation.expires_after <= now:
        raise CorrectionRefused("The time to approve this correction has passed. Ask for it again.")
    if actor.is_same_person_as(operation.requested_by):
        raise CorrectionRefused("You asked for this correction, so somebody else must approve it.")


def decline(operation: Operation, *, by: Requester, reason: str, now: datetime) -> Operation:
    """Say no to another person's wish, with a reason. Raises NotAllowed, CorrectionRefused; both leave an entry."""
    with _refusals_recorded(operation, reason, by.actor, now):
        by.require(permissions.APPROVE)
        why = kept(reason, what="reason", error=CorrectionRefused)
        if not why:
            raise CorrectionRefused("Declining needs a reason, so that the requester knows what to do.")
        with transaction.atomic():
            call, waiting = lock_both(operation.pk)
            _check_second_person(waiting, by.actor, now=now)
            operations.move(waiting, OperationStatus.DECLINED, actor=by.actor, now=now, reason=why)
            ingest.reschedule(call, now=now)
        return waiting


@contextmanager
def _refusals_recorded(operation: Operation, reason: str, actor: Actor, now: datetime) -> Iterator[None]:
    """A refused approval stays to be seen in the ledger: somebody may have tried to be two people."""
    try:
        yield
    except (CorrectionRefused, permissions.NotAllowed) as refusal:
        wish = operation.requested_status
        _record_refusal(operation.call, wish, reason, actor, now, str(refusal), operation=operation)
        raise


def expire_approvals(now: datetime) -> int:
    """Close wishes whose time to be approved has passed (aware UTC); how many there were."""
    overdue = Operation.objects.awaiting_approval().filter(expires_after__lte=now)
    keys = list(overdue.values_list("pk", flat=True))
    each(keys, lambda key: _expire(key, now=now))
    return len(keys)


def _expire(key: UUID, *, now: datetime) -> None:
    with transaction.atomic():
        _, waiting = lock_both(key)
        if waiting.status == OperationStatus.AWAITING_APPROVAL:
            job = Actor.objects.job("approvals")
            operations.move(waiting, OperationStatus.EXPIRED, actor=job, now=now, reason="nobody approved it in time")


def close_as_unresolved(operation: Operation, *, by: Requester, reason: str, now: datetime) -> Operation:
    """A person gives up on an outcome nobody can find out, so that the truth is not locked out (invariant 4).

    Raises NotAllowed, CorrectionRefused.
    """
    by.require(permissions.CORRECT)
    why = kept(reason, what="reason", error=CorrectionRefused)
    if not why:
        raise CorrectionRefused("Closing a correction as unresolved needs a reason.")
    with transaction.atomic():
        call, live = lock_both(operation.pk)
        if live.status not in OPEN_OUTCOMES:
            raise CorrectionRefused(f"Its outcome is not open: it is {live.status_look.label.lower()}.")
        operations.move(live, OperationStatus.UNRESOLVED, actor=by.actor, now=now, reason=why)
        ingest.reschedule(call, now=now)
    return live
