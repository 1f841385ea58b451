"""Corrections: the list, finding out an outcome, and closing one whose outcome nobody can find out."""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from recordings import ledger, permissions, services
from recordings.choices import OperationStatus
from recordings.filters import OperationFilter
from recordings.forms import CloseForm
from recordings.models import Operation
from recordings.models.keys import parse_key
from recordings.views.access import needs
from recordings.views.acting import person, requester, say_outcome
from recordings.views.back import way_back
from recordings.views.list_urls import filter_query, list_url, tabs_of
from recordings.views.operation_rows import row_of, rows_of, with_attempts
from recordings.views.parts import asks_for_part, is_poll

PAGE_SIZE = 50
# The announcement of new changes counts no further.
MOST_NEWS = 50


@require_safe
@needs(permissions.LOOK)
def operation_list(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    found = OperationFilter(request.GET, queryset=Operation.objects.order_by("-pk"), request=request)
    query = filter_query(request, OperationFilter)
    if is_poll(request):
        return _announcement(request, _news(request, found.qs), here_url=list_url("operation_list", query))
    cursor = parse_key(request.GET.get("before", ""))
    operations = list(_page(found.qs, before=cursor))
    rows = rows_of(operations[:PAGE_SIZE], now=now)
    last = rows[-1].operation.pk if rows else ""
    context = {
        "now": now,
        "filter": found,
        "filter_query": query.urlencode(),
        "tabs": tabs_of("operation_list", query, views=_views(request)),
        "rows": rows,
        "time_shown": _time_shown([row.operation for row in rows]),
        "is_first_page": cursor is None,
        "older_url": list_url("operation_list", query, before=last) if len(operations) > PAGE_SIZE else "",
        "news_url": list_url("operation_list", query, poll=1, since=now.isoformat(), from_key=last),
    }
    part = "#rows" if asks_for_part(request) else ""
    return render(request, f"recordings/operation_list.html{part}", context)


def _time_shown(operations: Sequence[Operation]) -> tuple[datetime | None, datetime | None]:
    """From the earliest wish of the page to the latest end; None while one of them goes on."""
    ends = [operation.finished_at for operation in operations]
    latest = max((end for end in ends if end), default=None) if all(ends) else None
    return min((operation.requested_at for operation in operations), default=None), latest


def _announcement(request: HttpRequest, news: int, *, here_url: str) -> HttpResponse:
    """Says that there are changes; rows move only when somebody asks for them. Nothing new is 204."""
    if not news:
        return HttpResponse(status=204)
    context = {"news": news, "most_news": MOST_NEWS, "here_url": here_url}
    return render(request, "recordings/operation_list.html#news", context)


def _views(request: HttpRequest) -> list[tuple[str, str]]:
    return [
        ("All", ""),
        ("In progress", "phase=live"),
        ("Unknown outcome", "status=unknown"),
        ("Waiting for approval", "phase=waiting"),
        ("Unresolved", "status=unresolved"),
        ("Asked for by me", urlencode({"requester": request.user.get_username()})),
    ]


def _page(found: QuerySet[Operation], *, before: UUID | None) -> QuerySet[Operation]:
    """One page, newest first, and one row more to know whether there are older ones. Keys are time-ordered."""
    if before:
        found = found.filter(pk__lt=before)
    return with_attempts(found)[: PAGE_SIZE + 1]


def _news(request: HttpRequest, found: QuerySet[Operation]) -> int:
    """How many rows, at most MOST_NEWS, came or changed since the page was made; older pages are not looked at."""
    since = _moment(request.GET.get("since", ""))
    oldest = parse_key(request.GET.get("from_key", ""))
    if since is None:
        return 0
    changed = found.filter(status_at__gt=since)
    return len((changed.filter(pk__gte=oldest) if oldest else changed).values_list("pk")[:MOST_NEWS])


def _moment(text: str) -> datetime | None:
    """An ISO 8601 time with its zone, as UTC; None for what is none, or lies outside of time."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.CORRECT)
def check_operation(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask Graph what became of it, now. A GET, as after signing in again, asks nothing."""
    if request.method != "POST":
        return redirect("operation_list")
    now = timezone.now()
    operation = get_object_or_404(Operation.objects.select_related("call"), pk=pk)
    if Operation.objects.to_settle(now).filter(pk=pk).exists():
        say_outcome(request, services.settle_unknown(pk))
    else:
        _say_not_asked(request, operation)
    return redirect(way_back(request, otherwise="operation_list"))


def _say_not_asked(request: HttpRequest, operation: Operation) -> None:
    if operation.is_final or operation.status in (OperationStatus.PENDING, OperationStatus.AWAITING_APPROVAL):
        say_outcome(request, operation)
        return
    again = operation.send_after or operation.leased_until
    when = f" at {again:%H:%M:%S} UTC" if again else " in a moment"
    messages.info(request, f"Nothing was asked: On Record asked a moment ago and asks again{when}.")


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.CORRECT)
def close_operation(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A person gives up on an outcome, with a reason, so that the call can be corrected again."""
    now = timezone.now()
    related = Operation.objects.select_related("call", "requested_by", "approved_by").prefetch_related(
        "attempts__result"
    )
    operation = get_object_or_404(related, pk=pk)
    form = CloseForm(request.POST or None)
    refusal = ""
    if request.method == "POST" and form.is_valid():
        try:
            services.close_as_unresolved(operation, by=requester(request), reason=form.cleaned_data["reason"], now=now)
        except services.CorrectionRefused as refused:
            refusal = refused.why
        else:
            messages.success(request, "The correction was closed as unresolved. The call can be corrected again.")
            return redirect("call_detail", graph_id=operation.call.graph_id)
    ledger.note_call_read(operation.call, user=person(request), now=now)
    context = {"now": now, "row": row_of(operation, now=now), "form": form, "refusal": refusal}
    return render(request, "recordings/close_operation.html", context, status=422 if request.method == "POST" else 200)
