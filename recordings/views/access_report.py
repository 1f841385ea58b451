"""Who held which role on a day, from the ledger; as a page and as CSV."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from recordings import exports, ledger, permissions
from recordings.ledger.access import Holding
from recordings.views.access import needs
from recordings.views.acting import requester


@dataclass(frozen=True)
class HoldingRow:
    holding: Holding
    note: str


@dataclass(frozen=True)
class Table:
    """`holder` and `held` are the heads of its first two columns."""

    kind: str
    title: str
    holder: str
    held: str
    rows: Sequence[HoldingRow]


class BadDay(ValueError):
    """The text names no day a report can be on; the message is a sentence."""


@require_safe
@needs(permissions.LOOK)
def access_report(request: HttpRequest) -> HttpResponse:
    now, problem = timezone.now(), ""
    asked = request.GET.get("on", "")
    try:
        day = _day(asked, now=now)
    except BadDay as bad:
        day, problem = now.astimezone(UTC).date(), f"{bad} Below is today."
    report = ledger.access_on(day)
    context = {
        "now": now,
        "asked": asked,
        "problem": problem,
        "report": report,
        "tables": [
            Table("role", "Roles of people", "Person", "Role", _rows(report.roles)),
            Table("account", "Superusers and staff", "Person", "Is", _rows(report.accounts)),
            Table("right", "What the roles allowed", "Role", "Right", _rows(report.rights)),
        ],
    }
    return render(request, "recordings/access_report.html", context, status=422 if problem else 200)


@require_GET
@needs(permissions.EXPORT)
def access_csv(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    try:
        day = _day(request.GET.get("on", ""), now=now)
        flavour = exports.Flavour(request.GET.get("flavour", exports.Flavour.SPREADSHEET))
    except BadDay as bad:
        return _refused(str(bad))
    except ValueError:
        return _refused("flavour must be spreadsheet or exact.")
    asked = exports.Asked(requester(request).actor, filter=f"on={day}", flavour=flavour)
    written = exports.access_csv(ledger.access_on(day), asked=asked, now=now)
    response = HttpResponse(written, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="access-{day}.csv"'
    return response


def _day(text: str, *, now: datetime) -> date:
    """A day in UTC, today where none was asked for. Raises BadDay."""
    today = now.astimezone(UTC).date()
    try:
        day = date.fromisoformat(text) if text else today
    except ValueError:
        raise BadDay("This is no day: write it as 2026-11-18.") from None
    if day > today:
        raise BadDay("Nobody knows yet who will hold a role on that day.")
    return day


def _rows(holdings: Sequence[Holding]) -> list[HoldingRow]:
    return [HoldingRow(each, exports.note_of(each)) for each in holdings]


def _refused(why: str) -> HttpResponse:
    return HttpResponse(f"{why} Nothing was exported.\n", status=400, content_type="text/plain; charset=utf-8")
