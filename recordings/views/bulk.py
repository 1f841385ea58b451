"""One wish, or one attestation, for many calls: what it would do, before anything is stored; then its start."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from recordings import permissions, services
from recordings.choices import SENDABLE_STATUSES, BulkStanding, Look, RecordingStatus, look
from recordings.forms import AttestForm, CorrectionForm
from recordings.models import BulkJob, EvidenceFile
from recordings.services import BulkRefused, Precheck
from recordings.views.access import needs
from recordings.views.acting import requester
from recordings.views.attesting import attest_form, attest_words
from recordings.views.bulk_selection import Chosen, calls_words, chosen_by, unsealed
from recordings.views.correction_panel import MEANINGS
from recordings.views.parts import asks_for_part

FORM_METHODS = ["GET", "HEAD", "POST"]


@dataclass(frozen=True)
class Target:
    """One status that Teams could be told."""

    shown: Look
    meaning: str
    is_chosen: bool


@require_http_methods(FORM_METHODS)
@needs(permissions.CORRECT)
def bulk_precheck(request: HttpRequest) -> HttpResponse:
    """Sort the chosen calls by what could be done about each. A GET, as after signing in again, has chosen none."""
    if request.method != "POST":
        return redirect("call_list")
    now = timezone.now()
    try:
        return _precheck_page(request, chosen_by(request, now=now), now=now)
    except BulkRefused as refusal:
        return _nothing_chosen(request, refusal, now=now)


@require_http_methods(FORM_METHODS)
@needs(permissions.CORRECT)
def bulk_start(request: HttpRequest) -> HttpResponse:
    """Start the job for exactly the calls that were sorted; a second click leads to the same job."""
    if request.method != "POST":
        return redirect("call_list")
    now = timezone.now()
    try:
        chosen = unsealed(request)
    except BulkRefused as refusal:
        return _nothing_chosen(request, refusal, now=now)
    form = CorrectionForm(request.POST)
    if not form.is_valid():
        return _precheck_page(request, chosen, now=now, form=form)
    wish, reason = form.cleaned_data["status"], form.cleaned_data["reason"]
    by = requester(request)
    try:
        job = services.start_bulk(chosen.queryset, wish=wish, reason=reason, by=by, selection=chosen.selection, now=now)
    except BulkRefused as refusal:
        return _precheck_page(request, chosen, now=now, form=form, refused=str(refusal))
    return _to_job(request, job, now=now)


@require_http_methods(FORM_METHODS)
@needs(permissions.ATTEST)
def bulk_attest(request: HttpRequest) -> HttpResponse:
    """The form of an attestation for many calls, with what it would do. `over` leaves out the calls that go on."""
    if request.method != "POST":
        return redirect("call_list")
    now = timezone.now()
    try:
        chosen = chosen_by(request, now=now)
        if "over" in request.POST:
            chosen = chosen.only_over()
        return _attest_page(request, chosen, now=now)
    except BulkRefused as refusal:
        return _nothing_chosen(request, refusal, now=now)


@require_http_methods(FORM_METHODS)
@needs(permissions.ATTEST)
def bulk_attest_start(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return redirect("call_list")
    now = timezone.now()
    try:
        chosen = unsealed(request)
    except BulkRefused as refusal:
        return _nothing_chosen(request, refusal, now=now)
    form = attest_form(request)
    if not form.is_valid():
        return _attest_page(request, chosen, now=now, form=form)
    by, words = requester(request), attest_words(form)
    try:
        job = services.start_bulk_attestation(chosen.queryset, **words, by=by, selection=chosen.selection, now=now)
    except BulkRefused as refusal:
        return _attest_page(request, chosen, now=now, form=form, refused=str(refusal))
    return _to_job(request, job, now=now)


def _to_job(request: HttpRequest, job: BulkJob, *, now: datetime) -> HttpResponse:
    if job.started_at == now:
        messages.success(request, "The job has started. This page shows how far it is; you may leave it.")
    else:
        messages.info(request, "These calls were started once already: this is that job. Nothing was started twice.")
    return redirect("bulk_detail", job.pk)


def _precheck_page(
    request: HttpRequest, chosen: Chosen, *, now: datetime, form: CorrectionForm | None = None, refused: str = ""
) -> HttpResponse:
    """A form given is one that was refused, so the answer is 422."""
    wish = request.POST.get("status", "")
    check = services.precheck(chosen.queryset, wish=wish, now=now) if wish in SENDABLE_STATUSES else None
    context = {
        "now": now,
        "chosen": chosen,
        "sealed": chosen.sealed_for(request),
        "targets": [_target(status, wish) for status in SENDABLE_STATUSES],
        "check": check,
        "start_words": start_words(check) if check else "",
        "form": form or CorrectionForm(initial={"reason": request.POST.get("reason", "")}),
        "refused": refused,
    }
    part = "#sorted" if asks_for_part(request) else ""
    return render(request, f"recordings/bulk_precheck.html{part}", context, status=422 if form else 200)


def _target(status: RecordingStatus, wish: str) -> Target:
    return Target(look(RecordingStatus, status), MEANINGS[status], is_chosen=status == wish)


def start_words(check: Precheck) -> str:
    """What the start button will do, in numbers; empty if it can do nothing."""
    acts, asks = check.count_of(BulkStanding.CAN_ACT), check.count_of(BulkStanding.NEEDS_APPROVAL)
    rest = check.total - acts - asks
    label = look(RecordingStatus, check.wish).label
    parts = [
        f"tell Teams “{label}” for {calls_words(acts)}" if acts else "",
        f"ask a second person about {calls_words(asks)}" if asks else "",
        f"leave out {rest:,}" if rest else "",
    ]
    return f"Start: {'; '.join(filter(None, parts))}" if acts or asks else ""


def _attest_page(
    request: HttpRequest, chosen: Chosen, *, now: datetime, form: AttestForm | None = None, refused: str = ""
) -> HttpResponse:
    """A form given is one that was refused, so the answer is 422."""
    context = {
        "now": now,
        "chosen": chosen,
        "sealed": chosen.sealed_for(request),
        "check": services.precheck_attestation(chosen.queryset),
        "form": form or AttestForm(),
        "refused": refused,
        "largest_bytes": EvidenceFile.LARGEST_BYTES,
    }
    return render(request, "recordings/bulk_attest.html", context, status=422 if form else 200)


def _nothing_chosen(request: HttpRequest, refusal: BulkRefused, *, now: datetime) -> HttpResponse:
    context = {"now": now, "refused": str(refusal)}
    part = "#note" if asks_for_part(request) else ""
    return render(request, f"recordings/bulk_refused.html{part}", context, status=422)
