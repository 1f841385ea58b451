"""Making the exports that wait: what the worker does, one after the other."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from recordings import ledger
from recordings.choices import ExportFormat, ExportSheet
from recordings.exports import events, finding_rows, ledger_rows, states
from recordings.exports.archive import Contents, write_archive
from recordings.exports.asked import BadFilter
from recordings.exports.events import Event
from recordings.exports.jobs.claiming import LeaseLost, claim, finish, give_up, hold, put_back, store_part
from recordings.exports.jobs.parts import store
from recordings.exports.jobs.telling import newest_entry, told_of
from recordings.exports.pack import pack_archive
from recordings.exports.past import PAST
from recordings.exports.sheet import Column, Sheet
from recordings.exports.stream import Clock
from recordings.ledger.checkpoint import parse
from recordings.ledger.keys import SigningKey, signing_key
from recordings.ledger.notes import sign_note
from recordings.models import Export, LedgerEntry, Seal
from recordings.passes import each, stopping

logger = logging.getLogger(__name__)

_SHEETS = {
    ExportSheet.HISTORY: events.HISTORY,
    ExportSheet.CALLS: states.CALLS,
    ExportSheet.OPERATIONS: states.OPERATIONS,
    ExportSheet.FINDINGS: finding_rows.FINDINGS,
    ExportSheet.LEDGER: ledger_rows.LEDGER,
}
# How often the lease is taken anew, and people see how far it is.
TELL_AFTER = timedelta(seconds=1)

type RowsOf = Callable[[Export], QuerySet[Any]]


class ToldToEnd(Exception):
    """The worker is to end; the export waits for the next one."""


def make_exports(now: datetime, *, rows_of: RowsOf, clock: Clock = timezone.now) -> int:
    """Make the exports that wait (`now` aware UTC), the oldest first; how many were tried. `rows_of` reads a filter.

    Without a seal by this worker's key they go on waiting. Raises NoSigningKey where there is no key at all.
    """
    tried = 0
    while Export.objects.filter(finished_at__isnull=True).exists() and not stopping.is_set():
        key = signing_key()
        seal = Seal.objects.select_related("key").order_by("-size").first()
        if seal is None or seal.key_id != key.fingerprint:
            logger.info("exports wait for a seal by the present key")
            return tried
        export = claim(clock())
        if export is None:
            return tried
        _try(Making(export, seal, key, rows_of, clock))
        tried += 1
    return tried


def _try(making: "Making") -> None:
    """A reader's filter that is not understood any more is said to the reader; anything else is tried again."""
    if each([making], lambda one: one.run(), to_the_end=True):
        why = "it broke; the log says why"
        each([making], lambda one: put_back(one.export, why=why, now=one.clock(), counts=True), to_the_end=True)


class Making:
    """One try at one export."""

    def __init__(self, export: Export, seal: Seal, key: SigningKey, rows_of: RowsOf, clock: Clock) -> None:
        self.export, self.seal, self.key = export, seal, key
        self.rows_of, self.clock = rows_of, clock
        self._told_at = clock()

    def __str__(self) -> str:
        return f"export {self.export.pk}"

    def run(self) -> None:
        """Raises whatever breaks it; then the export is still this worker's."""
        try:
            self._make()
        except LeaseLost:
            logger.warning("%s was ended, or went to another worker", self)
        except (BadFilter, ledger.Unreadable) as problem:
            give_up(self.export, why=str(problem), now=self.clock())
        except ToldToEnd:
            put_back(self.export, why="the worker was told to end", now=self.clock(), counts=False)

    def _make(self) -> None:
        stored = store(self._archive(), self._store_part)
        self.export.seal = self.export.seal or self.seal
        finish(self.export, size=stored.bytes, sha256=stored.sha256, now=self.clock())

    def _archive(self) -> Iterator[bytes]:
        if self.export.sheet == ExportSheet.PACK and self.export.seal:
            return pack_archive(self.export.query, self.export.seal, key=self.key, on_page=self._go_on)
        newest, read_from = newest_entry(), self.clock()
        return write_archive(
            self._contents(),
            told=lambda: told_of(self.export, newest=newest, read_from=read_from, read_until=self.clock()),
            sign=lambda text: sign_note(text, self.key),
            on_page=self._go_on,
        )

    def _contents(self) -> Contents:
        export = self.export
        rows, sheet = self.rows_of(export), sheet_of(export)
        earlier = parse(export.since).checkpoint if export.since else None
        if earlier and earlier.size > self.seal.size:
            raise BadFilter("The earlier checkpoint is newer than this ledger's newest seal. Nothing was exported.")
        return Contents(
            sheet,
            known_by(rows, export.as_of) if export.as_of and sheet.is_of_entries else rows,
            form=ExportFormat(export.format),
            seal=self.seal,
            with_entries=export.with_entries,
            since=(earlier.size, earlier.root) if earlier else None,
        )

    def _go_on(self, rows: int) -> None:
        """Heard after each page. Raises ToldToEnd and LeaseLost."""
        if stopping.is_set():
            raise ToldToEnd
        now = self.clock()
        self.export.rows = rows
        if now - self._told_at >= TELL_AFTER:
            hold(self.export, rows=rows, now=now)
            self._told_at = now

    def _store_part(self, number: int, content: bytes) -> None:
        if stopping.is_set():
            raise ToldToEnd
        store_part(self.export, number, content, now=self.clock())


def sheet_of(export: Export) -> Sheet:
    """Its columns. With `as_of` the rows of entries have one more, and others are worked out anew from theirs."""
    sheet = _SHEETS[ExportSheet(export.sheet)]
    if export.as_of is None:
        return sheet
    if export.sheet in PAST:
        return PAST[export.sheet](export.as_of)
    known_at = ledger.timestamp(export.as_of)

    def arrived_later(event: Event) -> bool | None:
        return str(event.body["recorded_at"]) > known_at if event.is_readable else None

    meaning = "Whether On Record heard of it only after the time asked for."
    return replace(
        sheet, columns=(*sheet.columns, Column("arrived_later", meaning, arrived_later, ("$arrived_later",)))
    )


def known_by(entries: QuerySet[LedgerEntry], at: datetime) -> QuerySet[LedgerEntry]:
    """What was known at `at` (aware UTC), and what was told of that time later."""
    return entries.filter(Q(recorded_at__lte=at) | Q(occurred_at__lte=at))
