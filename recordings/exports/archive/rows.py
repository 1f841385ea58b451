"""The data file of an archive, page by page; the entries behind the rows are put aside on the way."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from recordings.choices import ExportFormat
from recordings.exports.archive.entries import SortedEntries
from recordings.exports.cells import Flavour, Value
from recordings.exports.readable import is_readable
from recordings.exports.sheet import Sheet, page_of
from recordings.exports.stream import first_line, lines
from recordings.ledger import places_of, timestamp
from recordings.models import LedgerEntry, Seal

_FLAVOURS = {ExportFormat.EXACT: Flavour.EXACT, ExportFormat.SPREADSHEET: Flavour.SPREADSHEET}
# What an entry calls the rows that a sheet of another kind holds.
_ABOUT = {"calls": "call", "operations": "operation", "findings": "finding"}
# Of unreadable entries, in the manifest.
MOST_NAMED = 100


@dataclass(frozen=True)
class Contents:
    """What an archive is made of: the rows of a sheet in one format, as sealed by `seal`.

    `with_entries` puts the entries about calls, corrections or findings beside their rows; those of the history and
    of the ledger are rows of entries, which are always there. `since` is an earlier checkpoint, its size and its
    root, from which consistency is shown.
    """

    sheet: Sheet
    rows: QuerySet[Any]
    form: ExportFormat
    seal: Seal
    with_entries: bool = False
    since: tuple[int, bytes] | None = None

    @property
    def data_name(self) -> str:
        return f"{self.sheet.name}.{'jsonl' if self.form == ExportFormat.JSONL else 'csv'}"


@dataclass
class Counted:
    """How many rows there are, and how many of them are proven by an entry under the seal.

    Of `unreadable` entries, which somebody altered, the keys and places of the first are kept.
    """

    rows: int = 0
    proven: int = 0
    unreadable: int = 0
    first_unreadable: list[dict[str, str | int | None]] = field(default_factory=list)

    def note_unreadable(self, entry: LedgerEntry, place: int | None) -> None:
        self.unreadable += 1
        if len(self.first_unreadable) < MOST_NAMED:
            self.first_unreadable.append({"entry_id": str(entry.pk), "place": place})


def data_chunks(
    contents: Contents, *, entries: SortedEntries, counted: Counted, on_page: Callable[[int], None]
) -> Iterator[bytes]:
    """The data file. `on_page` hears, after each page, how many rows there are by now."""
    yield _header(contents)
    for page in contents.sheet.pages(contents.rows):
        if contents.sheet.is_of_entries:
            counted.proven += _put_aside(page, contents.seal.size, entries, counted)
        elif contents.with_entries:
            _put_aside_about(page, contents, entries, counted)
        yield _encoded(contents, [contents.sheet.values(row) for row in page])
        counted.rows += len(page)
        on_page(counted.rows)


def _put_aside(page: list[LedgerEntry], size: int, entries: SortedEntries, counted: Counted) -> int:
    """Keep the entries that lie under a seal of `size`, and leave on each its place; how many they were.

    One that cannot be read is not what was sealed: among the others it would keep all of them from being proven.
    """
    places = places_of([entry.pk for entry in page])
    for entry in page:
        if not is_readable(entry):
            counted.note_unreadable(entry, places.pop(entry.pk, None))
    sealed = {key: place for key, place in places.items() if place < size}
    for entry in page:
        vars(entry)["place"] = sealed.get(entry.pk)
    entries.add((sealed[entry.pk], entry.body) for entry in page if entry.pk in sealed)
    return len(sealed)


def _put_aside_about(page: list[Any], contents: Contents, entries: SortedEntries, counted: Counted) -> None:
    """One call has so many entries that they come in pages of their own."""
    about = LedgerEntry.objects.filter(**{f"{_ABOUT[contents.sheet.name]}__in": [row.pk for row in page]}).order_by(
        "pk"
    )
    after = UUID(int=0)
    while some := page_of(about.filter(pk__gt=after)):
        _put_aside(some, contents.seal.size, entries, counted)
        after = some[-1].pk


def _header(contents: Contents) -> bytes:
    flavour = _FLAVOURS.get(contents.form)
    return first_line(contents.sheet, flavour) if flavour else b""


def _encoded(contents: Contents, page: list[list[Value]]) -> bytes:
    flavour = _FLAVOURS.get(contents.form)
    if flavour:
        return lines(page, flavour)
    return b"".join(_json_line(contents.sheet.header, row) for row in page)


def _json_line(names: list[str], row: list[Value]) -> bytes:
    said = {name: _plain(value) for name, value in zip(names, row, strict=True)}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _plain(value: Value) -> str | int | bool | None:
    """As the ledger writes it; null where a CSV has an empty cell."""
    match value:
        case datetime():
            return timestamp(value)
        case UUID():
            return str(value)
        case _:
            return None if value == "" else value
