"""Rows of the past: what their entries tell of them up to a moment, read a few rows at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Any

from django.db.models import Model, QuerySet

from recordings.choices import HISTORY_ACTIONS
from recordings.exports import known
from recordings.exports.asked import BadFilter
from recordings.exports.cells import Value
from recordings.exports.known import Step
from recordings.exports.sheet import Column, Sheet
from recordings.models import LedgerEntry

# Of so many rows the entries are read at once, if these are not more than that; else of half of them.
ROWS_AT_ONCE = 20
MOST_ENTRIES = 2000

type Facts = Mapping[str, Value]

_KNOWN_THEN = "Whether On Record knew anything of it then; if not, the cells before this one say nothing but its id."
_ARRIVED_LATER = (
    "Whether On Record heard of something of that time only afterwards. No other cell says what: the history does."
)


@dataclass(frozen=True)
class Kind:
    """What the rows are: the column and fact of an entry that name one, its name there, and what steps tell of it."""

    column: str
    name_of: Callable[[Any], str]
    told: Callable[[Sequence[Step]], Facts]


@dataclass(frozen=True)
class Past:
    """What is left on a row."""

    facts: Facts
    is_known: bool
    is_late: bool


def past_sheet(name: str, columns: Sequence[Column], *, kind: Kind, at: datetime) -> Sheet:
    """The sheet of what was known at `at` (aware UTC). A row of which nobody has heard anything by then, nor later of
    that time, is left out. Reading it raises BadFilter where an entry names another row than its column does."""
    marks = (
        Column("known_then", _KNOWN_THEN, lambda row: past_of(row).is_known),
        Column("arrived_later", _ARRIVED_LATER, lambda row: past_of(row).is_late),
    )

    def beside(page: list[Any]) -> None:
        for some in batched(page, ROWS_AT_ONCE):
            _fold(some, kind=kind, at=at)

    def keeps(row: Any) -> bool:
        return past_of(row).is_known or past_of(row).is_late

    return Sheet(name, (*columns, *marks), with_related=lambda rows: rows, beside=beside, keeps=keeps)


def past_of(row: Model) -> Past:
    past: Past = vars(row)["past"]
    return past


def told(name: str, meaning: str) -> Column:
    """A column of what the steps tell."""
    return Column(name, meaning, lambda row: past_of(row).facts.get(name))


def _fold(rows: Sequence[Model], *, kind: Kind, at: datetime) -> None:
    """One query, or for rows with many entries one for each half of them."""
    entries = list(_about(rows, kind)[: MOST_ENTRIES + 1])
    if len(entries) <= MOST_ENTRIES:
        _leave(rows, known.steps_of(entries), kind=kind, at=at)
        return
    if len(rows) == 1:
        raise BadFilter(
            f"{kind.column.capitalize()} {kind.name_of(rows[0])} has more than {MOST_ENTRIES} entries, too many to "
            "work out how it stood. Leave it out by another time, or ask for the history, which has them all. Nothing "
            "was exported."
        )
    for half in batched(rows, -(-len(rows) // 2)):
        _fold(half, kind=kind, at=at)


def _about(rows: Sequence[Model], kind: Kind) -> QuerySet[LedgerEntry]:
    about = {f"{kind.column}__in": [row.pk for row in rows], "action__in": list(HISTORY_ACTIONS)}
    return LedgerEntry.objects.filter(**about).select_related("actor").order_by("pk")


def _leave(rows: Sequence[Model], steps: Sequence[Step], *, kind: Kind, at: datetime) -> None:
    groups: dict[int | str, list[Step]] = {row.pk: [] for row in rows}
    for step in steps:
        groups[getattr(step.entry, f"{kind.column}_id")].append(step)
    for row in rows:
        as_of = known.steps_as_of(_own(row, groups[row.pk], kind), at)
        facts = kind.told(as_of.known) if as_of.known else {}
        vars(row)["past"] = Past(facts, is_known=bool(as_of.known), is_late=bool(as_of.late))


def _own(row: Model, steps: Sequence[Step], kind: Kind) -> Sequence[Step]:
    """The column of an entry is a copy, which somebody may have altered."""
    if all(step.text(kind.column) == kind.name_of(row) for step in steps):
        return steps
    raise BadFilter(
        f"An entry that is kept under {kind.column} {kind.name_of(row)} names another one in its text, so somebody "
        "altered the database. Verify the ledger. Nothing was exported."
    )
