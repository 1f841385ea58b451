"""The findings: the queue, one finding, and the file that somebody attested with."""

import re
from urllib.parse import quote
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from recordings import ledger, permissions
from recordings.filters import FindingFilter, in_phase
from recordings.models import BulkJob, EvidenceFile, Finding
from recordings.views.access import needs
from recordings.views.acting import person
from recordings.views.bulk_bar import bar_of
from recordings.views.finding_page import finding_page
from recordings.views.finding_rows import (
    COUNTED_FOR,
    MOST_NEWS,
    calls_of,
    closed_lately,
    counts_of,
    newest_entry,
    news_since,
    page_of,
)
from recordings.views.list_urls import filter_query, list_url, tabs_of
from recordings.views.parts import asks_for_part, is_poll

_VIEWS = (("Open", ""), ("Mine", "phase=mine"), ("Put off", "phase=asleep"), ("Closed", "phase=closed"))
# What a header's plain file name may hold; the whole name follows it in UTF-8 (RFC 6266).
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._ -]")


@require_safe
@needs(permissions.LOOK)
def finding_list(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    chosen = FindingFilter(request.GET, queryset=Finding.objects.all(), request=request)
    query = filter_query(request, FindingFilter)
    if is_poll(request):
        count = news_since(request.GET["poll"], chosen.qs)
        news = {"count": count, "most": MOST_NEWS, "here_url": list_url("finding_list", query)}
        return render(request, "recordings/finding_list.html#news", news)
    assert isinstance(request.user, User)
    phase, before = query.get("phase", ""), request.GET.get("before", "")
    found = in_phase(chosen.qs, phase, reader=request.user, now=now)
    page = page_of(found, are_closed=phase == "closed", before=before, now=now)
    bar = bar_of(
        request,
        calls_of(found),
        query=query.urlencode(),
        shown=len({row.finding.call_id for row in page.rows if row.finding.call_id}),
        is_whole=not before and not page.older,
        is_understood=chosen.is_valid(),
    )
    context = {
        "now": now,
        "filter": chosen,
        "query": f"?{query.urlencode()}" if query else "",
        "page": page,
        "phase": phase,
        "bar": bar if phase != "closed" else None,
        "tabs": tabs_of("finding_list", query, views=_VIEWS),
        "counts": counts_of(request.user, now=now),
        "closed_lately": closed_lately(now),
        "counted_days": COUNTED_FOR.days,
        "is_first": not before,
        "older_url": list_url("finding_list", query, before=page.older) if page.older else "",
        "news_url": list_url("finding_list", query, poll=newest_entry()),
    }
    part = "#listed" if asks_for_part(request) else ""
    return render(request, f"recordings/finding_list.html{part}", context)


@require_safe
@needs(permissions.LOOK)
def finding_detail(request: HttpRequest, pk: int) -> HttpResponse:
    now = timezone.now()
    page = finding_page(finding_named(pk), now=now)
    ledger.note_finding_read(page.finding, user=person(request), now=now)
    return render(request, "recordings/finding_detail.html", {"page": page, "finding": page.finding, "now": now})


def finding_named(pk: int) -> Finding:
    """The finding with everything its page names; 404 if there is none."""
    related = ("call", "recorder", "tenant", "assignee", "acknowledged_by", "resolved_by")
    findings = Finding.objects.select_related(*related, "evidence_file__added_by").defer("evidence_file__content")
    return get_object_or_404(findings, pk=pk)


@require_safe
@needs(permissions.LOOK)
def evidence_download(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The file as it was given, as a download and never as a page of this site; unless nothing refers to it."""
    of_file = {"evidence_file": OuterRef("pk")}
    is_evidence = Exists(Finding.objects.filter(**of_file)) | Exists(BulkJob.objects.filter(**of_file))
    file = get_object_or_404(EvidenceFile.objects.filter(is_evidence), pk=pk)
    ledger.note_evidence_taken(file, user=person(request), now=timezone.now())
    response = HttpResponse(bytes(file.content), content_type="application/octet-stream")
    response["Content-Disposition"] = _attachment(file.name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _attachment(name: str) -> str:
    """The header that names a download: a plain name for any reader, and the whole one for all of today (RFC 6266)."""
    plain = _NOT_PLAIN.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
