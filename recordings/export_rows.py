"""Which rows a background export is of: the words of a page's filter, a period and a moment, to rows and a sentence.

The page that asks and the worker that makes it both read them here, so that people get what they were shown.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import django_filters
from django.contrib.auth.models import User
from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import QuerySet
from django.http import QueryDict
from django_filters import FilterSet

from recordings import exports
from recordings.choices import ExportSheet, LedgerAction, look
from recordings.exports import BadFilter, History, Period
from recordings.filters import CallFilter, FindingFilter, LedgerFilter, OperationFilter, in_phase, known_words, words_of
from recordings.models import Call, Export, Finding, FindingQuerySet, LedgerEntry, Operation


class AnyFindingFilter(FindingFilter):
    """That of the findings page, but that an export of all is open to choice."""

    phase = django_filters.ChoiceFilter(
        method="all_phases",
        choices=[("open", "Open"), ("mine", "Mine"), ("asleep", "Put off"), ("closed", "Closed")],
        label="Phase",
        empty_label="Open and closed",
    )


@dataclass(frozen=True)
class Chosen:
    """The rows, to be read and to be counted, and the filter in words, in one order, and as the ledger may keep it."""

    rows: QuerySet[Any]
    counted: QuerySet[Any]
    sentence: str
    query: str
    told: str


@dataclass(frozen=True)
class Narrowed:
    """What a period and a reader add to the words of a filter (times aware UTC)."""

    period: Period
    reader: User | None
    now: datetime


def choose(sheet: ExportSheet, query: QueryDict, *, narrowed: Narrowed) -> Chosen:
    """The rows of `sheet` that these words choose. Raises BadFilter, naming the word that is not understood."""
    rows, counted, words, known = _SHEETS[sheet](query, narrowed)
    kept = {name: word for name, word in _own_words(query, *known).items() if word}
    return Chosen(rows, counted, words, urlencode(kept), exports.told_filter(kept, known=known))


def rows_of(export: Export, *, now: datetime) -> QuerySet[Any]:
    """The rows of an export that was asked for before (`now` aware UTC). Raises BadFilter for words that have lost
    their meaning since, as the name of a recorder that is no more."""
    narrowed = Narrowed(Period(export.from_at, export.until_at), export.requester, now)
    return choose(ExportSheet(export.sheet), QueryDict(export.query), narrowed=narrowed).rows


def filter_of(sheet: ExportSheet, query: QueryDict) -> FilterSet:
    """The filter whose fields the page offers. The history is chosen by its calls, too."""
    filterset, model = _FILTERS[sheet]
    return filterset(query, queryset=model._default_manager.all())


def time_words(period: Period, *, zone: str, as_of: datetime | None) -> str:
    """The time of an export as a sentence, in `zone`."""
    shown = [
        f"{word} {at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"
        for word, at in (("from", period.since), ("until before", period.until), ("as of", as_of))
        if at
    ]
    return f"{', '.join(shown)} ({zone})" if shown else "of all times"


# Besides the fields of its calls.
_OF_HISTORY = {"call": False, "action": True}

type Choice = tuple[QuerySet[Any], QuerySet[Any], str, dict[str, bool]]


def _history(query: QueryDict, narrowed: Narrowed) -> Choice:
    history = replace(History.asked_for(_own_words(query, "call", "action")), period=narrowed.period)
    asked = filter_of(ExportSheet.HISTORY, query)
    calls = _understood(asked)
    is_narrowed = any(query.get(name) for name in asked.filters)
    own = [
        f"Call: {history.call_id}" if history.call_id else "",
        f"What happened: {look(LedgerAction, history.action).label}" if history.action else "",
        f"of the calls: {words_of(asked)}" if is_narrowed else "",
    ]
    words = "; ".join(word for word in own if word)
    of_calls = calls if is_narrowed else None
    return history.entries(of_calls), history.counted(of_calls), words, _OF_HISTORY | known_words(asked)


def _by_filter(sheet: ExportSheet, column: str) -> Callable[[QueryDict, Narrowed], Choice]:
    def choose_rows(query: QueryDict, narrowed: Narrowed) -> Choice:
        asked = filter_of(sheet, query)
        rows = narrowed.period.within(_understood(asked), column)
        return rows, rows, words_of(asked), known_words(asked)

    return choose_rows


def _findings(query: QueryDict, narrowed: Narrowed) -> Choice:
    asked = filter_of(ExportSheet.FINDINGS, query)
    rows, phase = cast(FindingQuerySet, _understood(asked)), asked.form.cleaned_data["phase"]
    if phase:
        rows = in_phase(rows, phase, reader=narrowed.reader, now=narrowed.now)
    within = narrowed.period.within(rows, "opened_at")
    return within, within, words_of(asked), known_words(asked)


def _understood(asked: FilterSet) -> QuerySet[Any]:
    if not asked.is_valid():
        named = {name: " ".join(errors) for name, errors in asked.errors.items()}
        problems = (words if name == NON_FIELD_ERRORS else f"{name}: {words}" for name, words in named.items())
        raise BadFilter(f"{' '.join(problems)} Nothing was exported.")
    rows: QuerySet[Any] = asked.qs
    return rows


def _own_words(query: QueryDict, *names: str) -> dict[str, str]:
    return {name: str(query[name]) for name in names if name in query}


_FILTERS = {
    ExportSheet.HISTORY: (CallFilter, Call),
    ExportSheet.CALLS: (CallFilter, Call),
    ExportSheet.OPERATIONS: (OperationFilter, Operation),
    ExportSheet.FINDINGS: (AnyFindingFilter, Finding),
    ExportSheet.LEDGER: (LedgerFilter, LedgerEntry),
}
_SHEETS = {
    ExportSheet.HISTORY: _history,
    ExportSheet.CALLS: _by_filter(ExportSheet.CALLS, "created_at"),
    ExportSheet.OPERATIONS: _by_filter(ExportSheet.OPERATIONS, "requested_at"),
    ExportSheet.FINDINGS: _findings,
    ExportSheet.LEDGER: _by_filter(ExportSheet.LEDGER, "recorded_at"),
}
