"""The second person: what waits for an approval, one of them with a fresh reading, and the yes or no."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from recordings import ledger, permissions, services
from recordings.choices import ActorKind, LedgerAction, OperationStatus
from recordings.forms import ApproveForm, DeclineForm
from recordings.models import Actor, Call, LedgerEntry, Operation
from recordings.rules import Permit
from recordings.services import corrections
from recordings.views.access import needs
from recordings.views.acting import person, requester, say_outcome
from recordings.views.decisions import Decision, decision_of, decisions_of

MOST_WAITING = 200
MOST_DECIDED = 20
_DECISIONS = (
    LedgerAction.CORRECTION_APPROVED,
    LedgerAction.CORRECTION_DECLINED,
    LedgerAction.CORRECTION_EXPIRED,
)


@dataclass(frozen=True)
class Waiting:
    """One line of the inbox, and whether this reader can decide about it."""

    operation: Operation
    is_own: bool
    is_expired: bool
    can_decide: bool


@require_safe
@needs(permissions.LOOK)
def approval_list(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    related = Operation.objects.awaiting_approval().select_related("call", "requested_by").order_by("pk")
    found = [_waiting(request, operation, now=now) for operation in related[: MOST_WAITING + 1]]
    context = {
        "now": now,
        "waiting": found[:MOST_WAITING],
        "is_cut_at": MOST_WAITING if len(found) > MOST_WAITING else 0,
        "decisions": _decisions(),
    }
    return render(request, "recordings/approval_list.html", context)


def _waiting(request: HttpRequest, operation: Operation, *, now: datetime) -> Waiting:
    """Can be decided by the reader: as OperationQuerySet.to_decide, which the navigation counts."""
    reader = Actor(kind=ActorKind.PERSON, subject_id=str(request.user.pk))
    is_own = reader.is_same_person_as(operation.requested_by)
    is_expired = operation.expires_after is not None and operation.expires_after <= now
    is_waiting = operation.status == OperationStatus.AWAITING_APPROVAL and not is_expired
    can_decide = is_waiting and not is_own and permissions.may(request.user, permissions.APPROVE)
    return Waiting(operation, is_own=is_own, is_expired=is_expired, can_decide=can_decide)


def _decisions() -> list[Decision]:
    """The latest decisions, newest first. Each kind is read by itself, as the index has them."""
    related = LedgerEntry.objects.select_related("actor", "operation__call", "operation__requested_by")
    entries = [entry for kind in _DECISIONS for entry in related.filter(action=kind).order_by("-pk")[:MOST_DECIDED]]
    entries.sort(key=lambda entry: entry.pk, reverse=True)
    return [decision_of(entry) for entry in entries[:MOST_DECIDED]]


@require_safe
@needs(permissions.LOOK)
def approval_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _page(request, _operation(pk), now=timezone.now())


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.APPROVE)
def approve_operation(request: HttpRequest, pk: UUID) -> HttpResponse:
    if request.method != "POST":
        return redirect("approval_detail", pk=pk)
    now = timezone.now()
    operation, form = _operation(pk), ApproveForm(request.POST)
    if not form.is_valid():
        return _page(request, operation, now=now, approve=form)
    evidence, comment = form.cleaned_data["evidence"], form.cleaned_data["comment"]
    try:
        services.approve(operation, by=requester(request), reason=comment, evidence=evidence, now=now)
    except services.CorrectionRefused as refused:
        return _page(request, _operation(pk), now=now, approve=form, refusal=refused.why)
    say_outcome(request, services.send_operation(pk))
    return redirect("call_detail", graph_id=operation.call.graph_id)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.APPROVE)
def decline_operation(request: HttpRequest, pk: UUID) -> HttpResponse:
    if request.method != "POST":
        return redirect("approval_detail", pk=pk)
    now = timezone.now()
    operation, form = _operation(pk), DeclineForm(request.POST)
    if not form.is_valid():
        return _page(request, operation, now=now, decline=form)
    try:
        services.decline(operation, by=requester(request), reason=form.cleaned_data["reason"], now=now)
    except services.CorrectionRefused as refused:
        return _page(request, _operation(pk), now=now, decline=form, refusal=refused.why)
    messages.success(request, "Declined. Nothing was sent, and the person who asked sees your reason.")
    return redirect("approval_list")


def _operation(pk: UUID) -> Operation:
    related = Operation.objects.select_related("call__recorder", "requested_by", "approved_by")
    return get_object_or_404(related, pk=pk)


def _page(
    request: HttpRequest,
    operation: Operation,
    *,
    now: datetime,
    approve: ApproveForm | None = None,
    decline: DeclineForm | None = None,
    refusal: str = "",
) -> HttpResponse:
    """The wish with everything a second person needs; a form given is one that was refused, so the answer is 422."""
    waiting = _waiting(request, operation, now=now)
    reading = services.read_call(operation.call, now=now) if waiting.can_decide else None
    call = reading.call if reading else operation.call
    context = {
        "now": now,
        "operation": operation,
        "call": call,
        "reading": reading,
        "would_refuse": _would_refuse(call, operation, now=now) if waiting.can_decide else "",
        "decisions": decisions_of([operation])[operation.pk],
        "explained": operation.explained(),
        "is_waiting": operation.status == OperationStatus.AWAITING_APPROVAL and not waiting.is_expired,
        "is_expired": waiting.is_expired,
        "is_own": waiting.is_own,
        "can_decide": waiting.can_decide,
        "approve": approve or ApproveForm(),
        "decline": decline or DeclineForm(),
        "refusal": refusal,
    }
    ledger.note_call_read(operation.call, user=person(request), now=now)
    return render(request, "recordings/approval_detail.html", context, status=422 if approve or decline else 200)


def _would_refuse(call: Call, operation: Operation, *, now: datetime) -> str:
    """Why On Record would refuse to send it as the call is now, approved or not; empty if it would not."""
    judged = corrections.ruling(call, operation.requested_status, now=now)
    return judged.why if judged.permit == Permit.REFUSED else ""
