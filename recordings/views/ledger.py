"""The ledger: its entries, each with its body and its proof, its seals, and having it verified."""

from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseStopPolling

from recordings import exports, ledger, permissions
from recordings.filters import LedgerFilter, known_words
from recordings.ledger import TreeBroken
from recordings.models import LedgerEntry
from recordings.models.keys import parse_key
from recordings.views.access import needs
from recordings.views.acting import person, requester
from recordings.views.ledger_head import head, verified
from recordings.views.ledger_proof import Proof, leaf_of, proof_of
from recordings.views.ledger_rows import Page, Row, entry_with, key_at, page_after, page_at, page_before, row_of
from recordings.views.list_urls import filter_query, list_url
from recordings.views.parts import asks_for_part

_BROKEN = "The stored tree has a gap, so this entry cannot be proven now. Have the ledger verified."


@require_safe
@needs(permissions.LOOK)
def ledger_list(request: HttpRequest) -> HttpResponse:
    """The entries, newest first; `?at=` begins with the entry of that number or id, whatever the filter."""
    chosen = LedgerFilter(request.GET, queryset=LedgerEntry.objects.all())
    query = filter_query(request, LedgerFilter)
    wanted = request.GET.get("at", "").strip()
    place = key_at(wanted) if wanted else None
    page, now = _page(request, chosen.qs, place), timezone.now()
    told = exports.told_filter(request.GET.dict(), known=known_words(chosen))
    ledger.note_history_read(told, user=person(request), now=now)
    context = {
        "now": now,
        "filter": chosen,
        "filter_query": query.urlencode(),
        "page": page,
        "wanted": wanted,
        "place": place,
        "older_url": list_url("ledger_list", query, before=page.older) if page.older else "",
        "newer_url": list_url("ledger_list", query, after=page.newer) if page.newer else "",
    }
    if asks_for_part(request):
        return render(request, "recordings/ledger_list.html#listed", context)
    above = head()
    return render(request, "recordings/ledger_list.html", {**context, "head": above, "verified": above.verified})


def _page(request: HttpRequest, found: QuerySet[LedgerEntry], place: UUID | None) -> Page:
    after = parse_key(request.GET.get("after", ""))
    if place:
        return page_at(LedgerEntry.objects.all(), key=place)
    if after:
        return page_after(found, after=after)
    return page_before(found, before=parse_key(request.GET.get("before", "")))


@require_safe
@needs(permissions.LOOK)
def ledger_entry(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One entry: its text to the byte, its place, and its proof under the newest seal."""
    row, proof, problem = _row(pk), None, ""
    _note_read(request, pk)
    try:
        proof = _proof(row)
    except TreeBroken:
        problem = _BROKEN
    context = {
        "now": timezone.now(),
        "row": row,
        "entry": row.entry,
        "leaf": leaf_of(row.entry).hex(),
        "proof": proof,
        "problem": problem,
    }
    return render(request, "recordings/ledger_entry.html", context)


@require_safe
@needs(permissions.LOOK)
def ledger_body(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The very bytes that are hashed, without a line break at their end."""
    row = _row(pk)
    _note_read(request, pk)
    return _file(row.entry.body, f"{pk}.json", content_type="application/json")


@require_safe
@needs(permissions.LOOK)
def ledger_proof(request: HttpRequest, pk: UUID) -> HttpResponse:
    try:
        proof = _proof(_row(pk))
    except TreeBroken:
        return _text(f"{_BROKEN}\n", status=409)
    if proof is None:
        return _text("This entry is not sealed yet, so there is no proof of it. Ask again in a minute.\n", status=404)
    return _file(proof.text, f"{pk}.tlog-proof", content_type="text/plain; charset=utf-8")


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.LOOK)
def ledger_verify(request: HttpRequest) -> HttpResponse:
    """POST asks for a verification, which needs its own right; GET tells htmx how far one is."""
    if request.method == "POST":
        permissions.require(request.user, permissions.VERIFY)
        ledger.request_verification(requester(request).actor, now=timezone.now())
        messages.success(
            request, "A verification was asked for. The worker does it, and this page shows how far it is."
        )
        return redirect("ledger_list")
    if not asks_for_part(request):
        return redirect("ledger_list")
    runs = verified()
    context = {"now": timezone.now(), "verified": runs}
    response = render(request, "recordings/ledger_list.html#verified", context)
    if runs.running is None:
        response.status_code = HttpResponseStopPolling.status_code
    return response


def _note_read(request: HttpRequest, pk: UUID) -> None:
    ledger.note_history_read(f"entry={pk}", user=person(request), now=timezone.now())


def _row(pk: UUID) -> Row:
    entry = entry_with(pk)
    if entry is None:
        raise Http404
    return row_of(entry)


def _proof(row: Row) -> Proof | None:
    return None if row.index is None else proof_of(row.entry, row.index)


def _text(words: str, *, status: int) -> HttpResponse:
    return HttpResponse(words, status=status, content_type="text/plain; charset=utf-8")


def _file(text: str, name: str, *, content_type: str) -> HttpResponse:
    response = HttpResponse(text.encode(), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
