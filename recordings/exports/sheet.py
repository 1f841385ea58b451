"""What an export consists of: its rows, and its columns with their names and meanings. docs/exports.md repeats them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

from recordings.exports.cells import Value
from recordings.ledger.verifying.reading import any_bytes_as_text

# A thousand at a time are no faster, and take two megabytes more in the worker.
PAGE = 500


@dataclass(frozen=True)
class Column:
    """`of` takes the sheet's kind of row; the meaning is what an auditor reads.

    `facts` are those of the ledger's entry that prove the value: it is the first of them that says something. A name
    with `$` is none of the body's own, see docs/exports.md.
    """

    name: str
    meaning: str
    of: Callable[[Any], Value]
    facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """One kind of export. `with_related` says what a page of rows needs, so that no row asks again; `beside` reads,
    once a page, what stands in no relation to a row, and leaves it there; `keeps` says then whether it is a row at all.
    """

    name: str
    columns: tuple[Column, ...]
    with_related: Callable[[QuerySet[Any]], QuerySet[Any]]
    row_of: Callable[[Any], Any] = lambda stored: stored
    beside: Callable[[list[Any]], None] = lambda page: None
    keeps: Callable[[Any], bool] = lambda row: True

    @property
    def header(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def is_of_entries(self) -> bool:
        """Whether a row is an entry of the ledger, which proves it, rather than how something stands now."""
        return any(column.facts for column in self.columns)

    def values(self, stored: Model) -> list[Value]:
        row = self.row_of(stored)
        return [column.of(row) for column in self.columns]

    def pages(self, rows: QuerySet[Any], *, size: int = PAGE) -> Iterator[list[Any]]:
        """`rows` in the order of their keys, in short reads of at most `size` rows.

        The newest key of now is the end, so that an export of a busy table has one.
        """
        ordered = self.with_related(rows.order_by("pk"))
        end = rows.order_by("-pk").values_list("pk", flat=True).first()
        if end is None:
            return
        page = page_of(ordered.filter(pk__lte=end), size=size)
        while page:
            self.beside(page)
            yield [row for row in page if self.keeps(row)]
            page = page_of(ordered.filter(pk__gt=page[-1].pk, pk__lte=end), size=size) if len(page) == size else []


def page_of(rows: QuerySet[Any], *, size: int = PAGE) -> list[Any]:
    """The first of these rows, whatever bytes somebody left in them."""
    with any_bytes_as_text():
        return list(rows[:size])
