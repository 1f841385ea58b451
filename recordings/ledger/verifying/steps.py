"""Rows that say how something stands, against all the entries about it: a page of rows at a time, each looked at again
before it sounds an alarm, since the site writes meanwhile.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Literal, NamedTuple
from uuid import UUID

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from recordings.ledger.canonical import Unreadable, read, timestamp
from recordings.ledger.verifying.alarms import Alarms, Found
from recordings.ledger.verifying.pairs import LOOKS, Facts
from recordings.ledger.verifying.reading import rows_of, with_keys
from recordings.models import LedgerEntry

ROWS = 500
# Two machines write entries about one row, and their clocks may be so far apart, in milliseconds.
APART = 2000

type Look = Callable[[Sequence[Any]], Mapping[Any, Found]]


class Step(NamedTuple):
    """One entry about a row."""

    entry: UUID
    facts: Facts


def check_pages(rows: QuerySet[Any], look: Look, alarms: Alarms) -> Iterator[int]:
    """Hand the keys of all rows to `look`, which answers what is wrong; yields how many rows a page had."""
    ordered, after = rows.order_by("pk"), None
    while some := with_keys(rows_of((ordered if after is None else ordered.filter(pk__gt=after))[:ROWS], "pk")):
        page = [key for (key,) in some]
        found = look(page)
        for _ in range(LOOKS - 1):
            again = look(list(found)) if found else {}
            found = {key: one for key, one in again.items() if found.get(key) == one}
        alarms.add(found.values())
        yield len(page)
        after = page[-1]


def steps_of(
    column: Literal["call", "finding", "operation"], keys: Sequence[Any], *, actions: Collection[str]
) -> Mapping[Any, Sequence[Step]]:
    """By the row, in the order of their keys. A body that cannot be understood sounds an alarm of its own."""
    found: dict[Any, list[Step]] = defaultdict(list)
    entries = LedgerEntry.objects.filter(**{f"{column}__in": keys}, action__in=actions).order_by("pk")
    for row, key, body in rows_of(entries, f"{column}_id", "pk", "body"):
        try:
            found[row].append(Step(key, read(body)))
        except Unreadable:
            continue
    return found


def orders(steps: Sequence[Step]) -> Iterator[Sequence[Step]]:
    """The order of the keys, and each one in which two neighbours change places that may have been the other way."""
    yield steps
    for at, (one, other) in enumerate(pairwise(steps)):
        if (other.entry.int >> 80) - (one.entry.int >> 80) <= APART:
            yield [*steps[:at], other, one, *steps[at + 2 :]]


def as_written(text: str | None) -> str | None:
    """A moment that the database wrote, in UTC, as a body has it; what is no moment stays as it is."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def as_text(name: str) -> Cast:
    """A column of moments as text: whatever an owner left there can be read."""
    return Cast(name, TextField())
