"""One export under way. The ledger says that it starts before its first byte, and how it ended after its last."""

import csv
import hashlib
import io
from collections.abc import Callable, Generator
from datetime import datetime
from typing import Any, Self

from django.db import transaction
from django.db.models import QuerySet

from recordings import ledger
from recordings.choices import LedgerAction
from recordings.exports.asked import Asked
from recordings.exports.cells import Flavour, neutralised, text
from recordings.exports.sheet import Sheet
from recordings.models import LedgerEntry

BYTE_ORDER_MARK = "\ufeff"

type Clock = Callable[[], datetime]


def start(sheet: Sheet, rows: QuerySet[Any], *, asked: Asked, clock: Clock) -> "Export":
    """Commit "Export started" and answer the bytes, to be read once. Close it if you stop early."""
    with transaction.atomic():
        started = ledger.record(
            LedgerAction.EXPORT_STARTED,
            actor=asked.actor,
            now=clock(),
            export=None,
            what=sheet.name,
            filter=asked.filter,
            flavour=asked.flavour.value,
            columns=" ".join(sheet.header),
        )
    return Export(sheet, rows, asked=asked, started=started, clock=clock)


class Export:
    """The bytes of one export, page by page. An error goes on to the reader, so that a cut file never looks whole."""

    def __init__(self, sheet: Sheet, rows: QuerySet[Any], *, asked: Asked, started: LedgerEntry, clock: Clock) -> None:
        self.started = started
        self.rows = self.bytes = 0
        self._hash = hashlib.sha256()
        self._sheet, self._asked, self._clock = sheet, asked, clock
        self._chunks = self._counted(rows)
        self._is_reading = self._is_over = False

    @property
    def sha256(self) -> str:
        """Of all bytes handed out so far."""
        return self._hash.hexdigest()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        self._is_reading = True
        chunk = next(self._chunks, None)
        if chunk is None:
            self._end(LedgerAction.EXPORT_FINISHED)
            raise StopIteration
        self._is_reading = False
        return chunk

    def close(self) -> None:
        """The reader has everything, or went away, or met an error: then reading never came to an end."""
        self._chunks.close()
        why = "the rows could not be read to their end" if self._is_reading else "the reader went away"
        self._end(LedgerAction.EXPORT_ABORTED, why=why)

    def _counted(self, rows: QuerySet[Any]) -> Generator[bytes]:
        yield self._handed_out(first_line(self._sheet, self._asked.flavour))
        for page in self._sheet.pages(rows):
            chunk = lines([self._sheet.values(row) for row in page], self._asked.flavour)
            self.rows += len(page)
            yield self._handed_out(chunk)

    def _handed_out(self, chunk: bytes) -> bytes:
        self.bytes += len(chunk)
        self._hash.update(chunk)
        return chunk

    def _end(self, action: LedgerAction, *, why: str = "") -> None:
        if self._is_over:
            return
        with transaction.atomic():
            ledger.record(
                action,
                actor=self._asked.actor,
                now=self._clock(),
                export=self.started.pk,
                what=self._sheet.name,
                rows=self.rows,
                bytes=self.bytes,
                sha256=self.sha256,
                why=why,
            )
        self._is_over = True


def first_line(sheet: Sheet, flavour: Flavour) -> bytes:
    """The header, as UTF-8."""
    mark = BYTE_ORDER_MARK if flavour == Flavour.SPREADSHEET else ""
    return mark.encode() + lines([sheet.header], flavour)


def lines(rows: list[list[Any]], flavour: Flavour) -> bytes:
    """Rows as UTF-8 with CRLF. In the spreadsheet flavour every cell is quoted, and may be read as text for that."""
    is_exact = flavour == Flavour.EXACT
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL if is_exact else csv.QUOTE_ALL)
    for row in rows:
        cells = (text(value) for value in row)
        writer.writerow(cells if is_exact else (neutralised(cell) for cell in cells))
    return written.getvalue().encode()
