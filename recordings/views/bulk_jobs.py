"""Bulk jobs: the list, one job while it runs and afterwards, stopping it, and trying again what failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseStopPolling

from recordings import ledger, permissions, services
from recordings.models import BulkJob
from recordings.models.keys import parse_key
from recordings.services import BulkRefused, Progress
from recordings.views.access import needs
from recordings.views.acting import person, requester
from recordings.views.bulk_page import bulk_page
from recordings.views.parts import is_poll

PAGE_SIZE = 30


@dataclass(frozen=True)
class JobRow:
    job: BulkJob
    progress: Progress


@require_safe
@needs(permissions.LOOK)
def bulk_list(request: HttpRequest) -> HttpResponse:
    before = parse_key(request.GET.get("before", ""))
    jobs = list(_page(before))
    rows = _rows(jobs[:PAGE_SIZE])
    context = {
        "now": timezone.now(),
        "rows": rows,
        "is_first": before is None,
        "older_url": f"{reverse('bulk_list')}?before={rows[-1].job.pk}" if len(jobs) > PAGE_SIZE else "",
    }
    return render(request, "recordings/bulk_list.html", context)


def _page(before: UUID | None) -> QuerySet[BulkJob]:
    """One page, the last started first, and one row more. A job's key is older than its start, so it orders nothing."""
    jobs = BulkJob.objects.select_related("requested_by").order_by("-started_at", "-id")
    last = BulkJob.objects.filter(pk=before).first() if before else None
    if last:
        jobs = jobs.filter(Q(started_at__lt=last.started_at) | Q(started_at=last.started_at, id__lt=last.pk))
    return jobs[: PAGE_SIZE + 1]


def _rows(jobs: Sequence[BulkJob]) -> list[JobRow]:
    known = services.progress_of(jobs)
    return [JobRow(job, known[job.pk]) for job in jobs]


@require_safe
@needs(permissions.LOOK)
def bulk_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    now = timezone.now()
    page = bulk_page(request, _job(pk))
    ledger.note_history_read(f"job={pk}", user=person(request), now=now, is_poll=is_poll(request))
    context = {"now": now, "page": page, "job": page.job}
    if not is_poll(request):
        return render(request, "recordings/bulk_detail.html", context)
    response = render(request, "recordings/bulk_detail.html#live", context)
    if not page.progress.is_running:
        response.status_code = HttpResponseStopPolling.status_code
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.LOOK)
def bulk_stop(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Asks once more, and says what stopping does not undo. Rights are the service's."""
    now, job = timezone.now(), _job(pk)
    if request.method != "POST":
        return _stop_page(request, job, now=now)
    try:
        services.stop_bulk(job, by=requester(request), now=now)
    except BulkRefused as refusal:
        return _stop_page(request, job, now=now, refused=str(refusal))
    messages.success(request, "Stopped. No further call is begun; what was sent before stays as it is.")
    return redirect("bulk_detail", pk)


def _stop_page(request: HttpRequest, job: BulkJob, *, now: datetime, refused: str = "") -> HttpResponse:
    context = {"now": now, "job": job, "progress": services.progress(job), "refused": refused}
    return render(request, "recordings/bulk_stop.html", context, status=422 if refused else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.LOOK)
def bulk_retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A new job for what failed and may come right. The second click leads to the job that the first one made."""
    if request.method != "POST":
        return redirect("bulk_detail", pk)
    job = _job(pk)
    try:
        again = services.retry_failed(job, by=requester(request), now=timezone.now())
    except BulkRefused as refusal:
        return _to_retry_of(request, job, refusal)
    messages.success(request, "A job of its own tries again what failed. This is its page.")
    return redirect("bulk_detail", again.pk)


def _to_retry_of(request: HttpRequest, job: BulkJob, refusal: BulkRefused) -> HttpResponse:
    again = job.retries.first()
    messages.warning(request, str(refusal))
    return redirect("bulk_detail", again.pk if again else job.pk)


def _job(pk: UUID) -> BulkJob:
    related = BulkJob.objects.select_related("requested_by", "stopped_by", "evidence_file", "retry_of")
    return get_object_or_404(related.defer("evidence_file__content"), pk=pk)
