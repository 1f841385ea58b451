"""One field that takes any id a person may hold and leads to the page that has it.

Every question here is one look-up by an index, without an order: a page that people paste into must not read tables.
"""

import re
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from recordings import permissions
from recordings.models import BulkJob, Call, LedgerEntry, Operation
from recordings.models.keys import parse_key
from recordings.views.access import needs

# What mail, chat and log lines leave around an id, and two characters nobody sees.
_AROUND = " \t\r\n\"'`´“”„‘’‚«»‹›<>,;\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NO-BREAK SPACE}\N{NO-BREAK SPACE}"  # noqa: RUF001
# …/communications/calls/{id}/operations/{id}, of Graph or of this site; a call record's id is that of the conversation:
# https://learn.microsoft.com/graph/api/resources/callrecords-callrecord
_ADDRESS = re.compile(
    r"(?:^|/)call(?:s|records)/([\w-]{1,128})(?:/operations/([\w-]{1,128}))?(?![\w-])", re.ASCII | re.IGNORECASE
)


@require_safe
@needs(permissions.LOOK)
def find(request: HttpRequest) -> HttpResponse:
    words = request.GET.get("q", "").replace("\x00", "").strip(_AROUND)
    if not words:
        return redirect("call_list")
    address = _ADDRESS.search(words)
    if address:
        call_id, operation_id = address.groups("")
        return redirect(_page_of_operation(operation_id) or _page_of(call_id))
    return redirect(_page_of(words))


def _page_of(words: str) -> str:
    pages = (_page_of_call, _page_of_legs, _page_of_operation, _page_of_job, _page_of_entry)
    found = next(filter(None, (page_of(words) for page_of in pages)), "")
    return found or _page_of_search(words)


def _page_of_call(words: str) -> str:
    graph_id = Call.objects.filter(graph_id__in=_spellings(words)).values_list("graph_id", flat=True)[:1]
    return "".join(reverse("call_detail", args=[found]) for found in graph_id)


def _page_of_legs(words: str) -> str:
    """The only call of this conversation or scenario, or the list of just its calls."""
    for name, column in (("chain", "call_chain_id"), ("scenario", "scenario_id")):
        legs = Call.objects.filter(**{f"{column}__in": _spellings(words)}).values_list("graph_id", column)[:2]
        match list(legs):
            case [(graph_id, _)]:
                return reverse("call_detail", args=[graph_id])
            case [(_, shared), _]:
                return f"{reverse('call_list')}?{urlencode({name: shared})}"
    return ""


def _page_of_operation(words: str) -> str:
    """The correction that bears this id, at its place on its call's page."""
    for lookup in _operation_lookups(words) if words else []:
        for key, graph_id in Operation.objects.filter(lookup).values_list("pk", "call__graph_id")[:1]:
            return f"{reverse('call_detail', args=[graph_id])}#op-{key}"
    return ""


def _page_of_job(words: str) -> str:
    key = parse_key(words)
    found = BulkJob.objects.filter(pk=key).values_list("pk", flat=True)[:1] if key else []
    return "".join(reverse("bulk_detail", args=[job]) for job in found)


def _page_of_entry(words: str) -> str:
    """The ledger, beginning with this entry."""
    key = parse_key(words)
    found = LedgerEntry.objects.filter(pk=key).values_list("pk", flat=True)[:1] if key else []
    return "".join(f"{reverse('ledger_list')}?at={entry}#entry-{entry}" for entry in found)


def _operation_lookups(words: str) -> list[Q]:
    """One look-up an index, since a single OR over all of them would read every row."""
    spellings, key = _spellings(words), parse_key(words)
    lookups = [
        Q(client_context__in=sorted({words, words.lower()})),
        Q(graph_operation_id__in=spellings),
        Q(attempts__result__request_id__in=spellings),
        Q(attempts__result__graph_operation_id__in=spellings),
    ]
    return [Q(pk=key), *lookups, Q(attempts__client_request_id=key)] if key else lookups


def _spellings(words: str) -> list[str]:
    """As it was pasted, and a UUID also as Graph writes it."""
    key = parse_key(words)
    return sorted({words, str(key)}) if key else [words]


def _page_of_search(words: str) -> str:
    return f"{reverse('call_list')}?{urlencode({'q': words})}"
