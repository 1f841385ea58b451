"""The calls: the list, one call, and correcting what Teams was told of it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseStopPolling

from recordings import ledger, permissions, services
from recordings.choices import OperationStatus
from recordings.filters import CallFilter
from recordings.forms import CorrectionForm
from recordings.models import Call
from recordings.services import CorrectionRefused
from recordings.views.access import needs
from recordings.views.acting import person, requester, say_outcome
from recordings.views.bulk_bar import bar_of
from recordings.views.call_as_of import call_as_of
from recordings.views.call_page import call_page
from recordings.views.call_rows import MOST_NEWS, newest_change, news_since, page_of
from recordings.views.list_urls import filter_query, list_url, tabs_of
from recordings.views.parts import asks_for_part, is_poll

_VIEWS = (("All", ""), ("Stuck", "stuck=1"), ("In progress", "phase=open"), ("Ended", "phase=ended"))


@require_safe
@needs(permissions.LOOK)
def call_list(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    chosen = CallFilter(request.GET, queryset=Call.objects.all())
    query = filter_query(request, CallFilter)
    if is_poll(request):
        news = {
            "count": news_since(request.GET["poll"], chosen.qs),
            "most": MOST_NEWS,
            "here_url": list_url("call_list", query),
        }
        return render(request, "recordings/call_list.html#news", news)
    before = request.GET.get("before", "")
    page = page_of(chosen.qs, before=before, now=now)
    context = {
        "now": now,
        "filter": chosen,
        "query": f"?{query.urlencode()}" if query else "",
        "page": page,
        "tabs": tabs_of("call_list", query, views=_VIEWS),
        "is_first": not before,
        "bar": bar_of(
            request,
            chosen.qs,
            query=query.urlencode(),
            shown=len(page.rows),
            is_whole=not before and not page.older,
            is_understood=chosen.is_valid(),
        ),
        "older_url": list_url("call_list", query, before=page.older) if page.older else "",
        "news_url": list_url("call_list", query, poll=newest_change()),
    }
    part = "#listed" if asks_for_part(request) else ""
    return render(request, f"recordings/call_list.html{part}", context)


@require_safe
@needs(permissions.LOOK)
def call_detail(request: HttpRequest, graph_id: str) -> HttpResponse:
    now = timezone.now()
    call = _call(graph_id)
    if "as_of" in request.GET:
        return call_as_of(request, call, asked=request.GET["as_of"], now=now)
    page = call_page(request, call, now=now, chosen=request.GET.get("status", ""))
    ledger.note_call_read(call, user=person(request), now=now, is_poll=is_poll(request))
    if not is_poll(request):
        return render(request, "recordings/call_detail.html", {"page": page, "call": call, "now": now})
    response = render(request, "recordings/call_detail.html#live", {"page": page, "call": call, "now": now})
    if not page.is_moving:
        response.status_code = HttpResponseStopPolling.status_code
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.LOOK)
def correct_call(request: HttpRequest, graph_id: str) -> HttpResponse:
    """Ask for a correction and send it at once, unless a second person must approve. Rights are the service's."""
    call = _call(graph_id)
    if request.method != "POST":
        ledger.note_call_read(call, user=person(request), now=timezone.now(), is_poll=asks_for_part(request))
        return _panel(request, call, chosen=request.GET.get("status", ""))
    form = CorrectionForm(request.POST)
    if not form.is_valid():
        return _panel(request, call, form=form, chosen=request.POST.get("status", ""), status=422)
    wish, reason = form.cleaned_data["status"], form.cleaned_data["reason"]
    now = timezone.now()
    try:
        operation = services.request_correction(call, wish=wish, reason=reason, by=requester(request), now=now)
    except CorrectionRefused as refusal:
        return _panel(request, _call(graph_id), form=form, chosen=wish, refused=refusal.why, status=422)
    if operation.status == OperationStatus.PENDING:
        operation = services.send_operation(operation.pk)
    say_outcome(request, operation)
    return _after_correction(request, graph_id, said=f"Correction: {operation.status_look.label}.")


def _call(graph_id: str) -> Call:
    return get_object_or_404(Call.objects.select_related("recorder"), graph_id=graph_id)


def _panel(
    request: HttpRequest,
    call: Call,
    *,
    form: CorrectionForm | None = None,
    chosen: str = "",
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    """The panel alone: a page of its own without script, the fragment of the call's page with it."""
    now = timezone.now()
    page = call_page(request, call, now=now, form=form, chosen=chosen, refused=refused)
    context = {"page": page, "call": call, "now": now}
    if asks_for_part(request):
        return render(request, "recordings/call_detail.html#panel", context, status=status)
    return render(request, "recordings/correct_call.html", context, status=status)


def _after_correction(request: HttpRequest, graph_id: str, *, said: str) -> HttpResponse:
    """The call as it is now; with htmx its heading has the focus, and `said` is spoken."""
    if not asks_for_part(request):
        return redirect("call_detail", graph_id)
    now = timezone.now()
    call = _call(graph_id)
    context = {"page": call_page(request, call, now=now), "call": call, "now": now, "said": said}
    response = render(request, "recordings/call_detail.html#after", context)
    response["HX-Retarget"], response["HX-Reswap"] = "#call", "outerHTML"
    return response
