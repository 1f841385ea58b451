"""The downloads. Each takes the query string of the page it stands on, so that people get what they see."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_GET
from django_filters import FilterSet

from recordings import exports, permissions
from recordings.filters import CallFilter, OperationFilter, known_words
from recordings.models import Call, Operation
from recordings.views.access import needs
from recordings.views.acting import requester

# With HTTP/1.0 the end of the connection is the end of the file, so a cut one would look whole.
_NEEDS_HTTP_11 = (
    "An export needs HTTP/1.1. Let the proxy in front of this site speak it (nginx: proxy_http_version 1.1)."
)


@require_GET
@needs(permissions.EXPORT)
def export_history(request: HttpRequest) -> HttpResponseBase:
    """The history of the calls that the calls page would show; `call`, `event_from`, `event_to` and `action` choose
    among their events."""
    chosen = CallFilter(request.GET, queryset=Call.objects.all())
    try:
        history = exports.History.asked_for(request.GET.dict())
        calls = _filtered(chosen)
    except exports.BadFilter as problem:
        return _refused(str(problem))
    known = {**known_words(chosen), **exports.History.WORDS}
    return _download(request, exports.HISTORY, history.entries(calls), known=known)


@require_GET
@needs(permissions.EXPORT)
def export_calls(request: HttpRequest) -> HttpResponseBase:
    """The calls of the calls page, as they stand now."""
    return _download_filtered(request, exports.CALLS, CallFilter(request.GET, queryset=Call.objects.all()))


@require_GET
@needs(permissions.EXPORT)
def export_operations(request: HttpRequest) -> HttpResponseBase:
    """The corrections of the operations page, as they stand now."""
    chosen = OperationFilter(request.GET, queryset=Operation.objects.all())
    return _download_filtered(request, exports.OPERATIONS, chosen)


def _download_filtered(request: HttpRequest, sheet: exports.Sheet, chosen: FilterSet) -> HttpResponseBase:
    try:
        rows = _filtered(chosen)
    except exports.BadFilter as problem:
        return _refused(str(problem))
    return _download(request, sheet, chosen.queryset if rows is None else rows, known=known_words(chosen))


def _filtered(chosen: FilterSet) -> QuerySet[Any] | None:
    """The rows a page's filter lets through; None if it was left empty. Raises BadFilter."""
    if not chosen.is_valid():
        named = {name: " ".join(errors) for name, errors in chosen.errors.items()}
        problems = " ".join(words if name == NON_FIELD_ERRORS else f"{name}: {words}" for name, words in named.items())
        raise exports.BadFilter(f"{problems} Nothing was exported.")
    rows: QuerySet[Any] = chosen.qs
    return rows if any(chosen.data.get(name) for name in chosen.filters) else None


def _download(
    request: HttpRequest, sheet: exports.Sheet, rows: QuerySet[Any], *, known: Mapping[str, bool]
) -> HttpResponseBase:
    if request.META.get("SERVER_PROTOCOL") == "HTTP/1.0":
        return HttpResponse(_NEEDS_HTTP_11, status=505, content_type="text/plain; charset=utf-8")
    try:
        flavour = exports.Flavour(request.GET.get("flavour", exports.Flavour.SPREADSHEET))
    except ValueError:
        return _refused("flavour must be spreadsheet or exact. Nothing was exported.")
    now = timezone.now()
    told = exports.told_filter(request.GET.dict(), known=known)
    asked = exports.Asked(requester(request).actor, filter=told, flavour=flavour)
    response = StreamingHttpResponse(
        exports.start(sheet, rows, asked=asked, clock=timezone.now), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{sheet.name}-{now:%Y%m%dT%H%M%SZ}.csv"'
    response["Cache-Control"] = "no-store"
    return response


def _refused(why: str) -> HttpResponse:
    return HttpResponse(f"{why}\n", status=400, content_type="text/plain; charset=utf-8")
