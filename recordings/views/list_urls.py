"""The addresses of a list: its filter in one order, its saved views, its places."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django_filters import FilterSet


@dataclass(frozen=True)
class Tab:
    """A saved view, which is a filter and nothing else."""

    label: str
    url: str
    is_current: bool


def filter_query(request: HttpRequest, known: type[FilterSet]) -> QueryDict:
    """What narrows the list down; neither the place in it nor what was left empty."""
    query = QueryDict(mutable=True)
    for name in known.base_filters:
        if request.GET.get(name):
            query[name] = request.GET[name]
    return query


def list_url(name: str, query: QueryDict, **place: object) -> str:
    """The list with the URL name `name`, filtered by `query`, at `place`."""
    whole = query.copy()
    whole.update({key: str(value) for key, value in place.items()})
    return f"{reverse(name)}?{whole.urlencode()}" if whole else reverse(name)


def tabs_of(name: str, query: QueryDict, *, views: Iterable[tuple[str, str]]) -> list[Tab]:
    """The saved `views`, each a label and a query string."""
    here = query.urlencode()
    return [Tab(label, list_url(name, QueryDict(wanted)), is_current=wanted == here) for label, wanted in views]
