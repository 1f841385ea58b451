"""One field that takes any id a person may hold and leads to the page that has it."""

from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from recordings import permissions
from recordings.models import Call, Operation
from recordings.models.keys import parse_key
from recordings.views.access import needs


@require_safe
@needs(permissions.LOOK)
def find(request: HttpRequest) -> HttpResponse:
    words = request.GET.get("q", "").replace("\x00", "").strip()
    if not words:
        return redirect("call_list")
    return redirect(_page_of_call(words) or _page_of_operation(words) or _page_of_calls(words))


def _page_of_call(words: str) -> str:
    """The call with this id, or the only one of its conversation."""
    call = Call.objects.filter(graph_id=words).first()
    if call is None:
        related = Call.objects.filter(Q(call_chain_id=words) | Q(scenario_id=words)).order_by("pk")[:2]
        call = related[0] if len(related) == 1 else None
    return reverse("call_detail", args=[call.graph_id]) if call else ""


def _page_of_operation(words: str) -> str:
    """The correction that bears this id, at its place on its call's page."""
    for lookup in _operation_lookups(words):
        operation = Operation.objects.filter(lookup).select_related("call").order_by("-pk").first()
        if operation:
            return f"{reverse('call_detail', args=[operation.call.graph_id])}#op-{operation.pk}"
    return ""


def _operation_lookups(words: str) -> list[Q]:
    """One look-up an index, since a single OR over all of them would read every row."""
    lookups = [
        Q(client_context=words),
        Q(graph_operation_id=words),
        Q(attempts__result__request_id=words),
    ]
    key = parse_key(words)
    return [Q(pk=key), *lookups, Q(attempts__client_request_id=key)] if key else lookups


def _page_of_calls(words: str) -> str:
    return f"{reverse('call_list')}?{urlencode({'q': words})}"
