"""Asking for an export: what, chosen how, of which time; how many rows that will be; and then the reason."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.forms import BoundField, CheckboxInput, Select
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from recordings import export_rows, exports, permissions
from recordings.choices import HISTORY_ACTIONS, ExportFormat, ExportSheet
from recordings.export_rows import Chosen, Narrowed
from recordings.exports import BadFilter, Wanted
from recordings.exports.estimate import Estimate, estimate
from recordings.forms import ExportForm
from recordings.models import Export
from recordings.views.access import needs
from recordings.views.acting import person, requester
from recordings.views.list_urls import Tab
from recordings.views.parts import asks_for_part

_OF_ENTRIES = (ExportSheet.HISTORY, ExportSheet.LEDGER)
# Days of a list's own filter, which say the same as the time of an export of that list.
_DAYS = ("from", "to")


@dataclass(frozen=True)
class Choice:
    """The page as it was filled in: what was understood of it, or why not."""

    sheet: ExportSheet
    query: QueryDict
    form: ExportForm
    fields: list[BoundField]
    chosen: Chosen | None = None
    estimate: Estimate | None = None
    time_words: str = ""
    problem: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.EXPORT)
def export_new(request: HttpRequest) -> HttpResponse:
    """GET takes the query of the list it came from; POST counts again (`step=count`) or puts the export in line."""
    now = timezone.now()
    choice = _choice(request, now=now)
    if request.method != "POST" or request.POST.get("step") == "count":
        return _page(request, choice, now=now)
    if choice.chosen is None or not choice.form.is_valid():
        return _page(request, choice, now=now, status=422)
    try:
        _ask(request, choice, choice.chosen, now=now)
    except BadFilter as problem:
        return _page(request, choice, now=now, refused=str(problem), status=422)
    messages.success(request, "It is in line. Its file appears here once it is made; you can leave this page.")
    return redirect("export_list")


def _choice(request: HttpRequest, *, now: datetime) -> Choice:
    query = request.POST if request.method == "POST" else _of_list(request.GET)
    sheet = _sheet_of(query)
    form = ExportForm(_filled(query, sheet))
    filled = Choice(sheet, query, form, _fields(sheet, query))
    if set(form.errors) - {"reason"}:
        return filled
    try:
        chosen = export_rows.choose(sheet, query, narrowed=Narrowed(form.period, person(request), now))
    except BadFilter as problem:
        return replace(filled, problem=str(problem))
    as_of = form.cleaned_data["as_of"] or None
    words = export_rows.time_words(form.period, zone=form.cleaned_data["zone"], as_of=as_of)
    return replace(filled, chosen=chosen, estimate=estimate(chosen.counted), time_words=words)


def _sheet_of(query: QueryDict) -> ExportSheet:
    named = str(query.get("sheet", ""))
    return ExportSheet(named) if named in exports.EVERY_SHEET else ExportSheet.HISTORY


def _filled(query: QueryDict, sheet: ExportSheet) -> dict[str, Any]:
    return {"format": ExportFormat.SPREADSHEET, "zone": "UTC", **query.dict(), "sheet": sheet}


def _of_list(asked: QueryDict) -> QueryDict:
    """The query of a list: its two days become the time of the export, but for the history, whose calls they choose."""
    query = asked.copy()
    if _sheet_of(query) == ExportSheet.HISTORY:
        return query
    since, until = (query.pop(name, [""])[-1] for name in _DAYS)
    query.setdefault("from_at", _midnight(str(since)))
    query.setdefault("until_at", _midnight(str(until), days=1))
    return query


def _midnight(day: str, *, days: int = 0) -> str:
    """A day of a list as a time, UTC. What is no day stays as it is, and is refused as what it is."""
    try:
        at = datetime.combine(datetime.fromisoformat(day).date(), time.min, tzinfo=UTC) + timedelta(days=days)
    except (ValueError, OverflowError):
        return day
    return f"{at:%Y-%m-%dT%H:%M}Z"


def _fields(sheet: ExportSheet, query: QueryDict) -> list[BoundField]:
    """The fields of the sheet's own filter; for its days there is the time of the export."""
    form = export_rows.filter_of(sheet, query).form
    return [field for field in form if sheet == ExportSheet.HISTORY or field.name not in _DAYS]


def _ask(request: HttpRequest, choice: Choice, chosen: Chosen, *, now: datetime) -> Export:
    by, words = requester(request), choice.form.cleaned_data
    wanted = Wanted(
        choice.sheet,
        ExportFormat(words["format"]),
        words["reason"],
        query=chosen.query,
        sentence=f"{chosen.sentence or 'everything'}, {choice.time_words}",
        told=chosen.told,
        period=choice.form.period,
        zone=words["zone"],
        as_of=words["as_of"] or None,
        since=exports.tidied(words["since_checkpoint"]) or _checkpoint_of(words["since"], by.user),
        with_entries=words["with_entries"] and choice.sheet not in _OF_ENTRIES,
        estimated_rows=choice.estimate.rows if choice.estimate else 0,
    )
    return exports.request_export(wanted, actor=by.actor, user=by.user, now=now)


def _checkpoint_of(key: UUID | None, user: User) -> str:
    if key is None:
        return ""
    earlier = _earlier_of(user).filter(pk=key).first()
    if earlier is None or earlier.seal is None:
        raise BadFilter("Since: that is none of your earlier exports. Nothing was exported.")
    return earlier.seal.checkpoint


def _earlier_of(user: User) -> QuerySet[Export]:
    """The reader's own exports that lie under a seal, the latest first."""
    return Export.objects.filter(requester=user, seal__isnull=False).select_related("seal").order_by("-pk")


def _page(request: HttpRequest, choice: Choice, *, now: datetime, refused: str = "", status: int = 200) -> HttpResponse:
    is_asked = request.method == "POST" and request.POST.get("step") != "count"
    context = {
        "now": now,
        "choice": choice,
        "form": choice.form,
        "controls": [_Control(field) for field in choice.fields],
        "of_entries": choice.sheet in _OF_ENTRIES,
        "actions": HISTORY_ACTIONS if choice.sheet == ExportSheet.HISTORY else (),
        "query": choice.query,
        "formats": ExportFormat,
        "zones": sorted(available_timezones()),
        "earlier": _earlier_of(person(request))[:20],
        "tabs": _tabs(choice),
        "refused": refused or choice.problem,
        "is_asked": is_asked,
        "longest_reason": exports.LONGEST_REASON,
    }
    part = "#estimate" if asks_for_part(request) and not is_asked else ""
    return render(request, f"recordings/export_new.html{part}", context, status=status)


@dataclass(frozen=True)
class _Control:
    """A field of a list's filter, and what kind of control shows it."""

    field: BoundField

    @property
    def kind(self) -> str:
        widget = self.field.field.widget
        if isinstance(widget, CheckboxInput):
            return "check"
        if isinstance(widget, Select):
            return "select"
        return "date" if self.field.name in _DAYS else "text"


def _tabs(choice: Choice) -> list[Tab]:
    """One for each sheet. What both understand is taken along."""
    shared = {ExportSheet.HISTORY, ExportSheet.CALLS}
    tabs = []
    for sheet in (ExportSheet(name) for name in exports.EVERY_SHEET):
        kept = choice.chosen.query if choice.chosen and {sheet, choice.sheet} <= shared else ""
        url = f"{reverse('export_new')}?sheet={sheet}{'&' if kept else ''}{kept}"
        tabs.append(Tab(sheet.label, url, is_current=sheet == choice.sheet))
    return tabs
