"""The addresses of the call list: its filter in one order, its saved views, its places."""

from dataclasses import dataclass

from django.http import HttpRequest, QueryDict
from django.urls import reverse

from recordings.filters import CallFilter

# A saved view is a filter and nothing else.
_VIEWS = (("All", ""), ("Stuck", "stuck=1"), ("In progress", "phase=open"), ("Ended", "phase=ended"))


@dataclass(frozen=True)
class Tab:
    label: str
    url: str
    is_current: bool


def filter_query(request: HttpRequest) -> QueryDict:
    """What narrows the list down; neither the place in it nor what was left empty."""
    query = QueryDict(mutable=True)
    for name in CallFilter.base_filters:
        if request.GET.get(name):
            query[name] = request.GET[name]
    return query


def list_url(query: QueryDict, **place: object) -> str:
    whole = query.copy()
    whole.update({name: str(value) for name, value in place.items()})
    return f"{reverse('call_list')}?{whole.urlencode()}" if whole else reverse("call_list")


def tabs(query: QueryDict) -> list[Tab]:
    return [Tab(label, list_url(QueryDict(wanted)), is_current=wanted == query.urlencode()) for label, wanted in _VIEWS]
