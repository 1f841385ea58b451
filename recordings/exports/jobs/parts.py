"""The file of an export in parts, which site and worker pass to each other through the database."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.db import transaction

from recordings import ledger
from recordings.choices import ExportStatus, LedgerAction
from recordings.models import Actor, Export, ExportPart

PART_BYTES = 256 * 1024


class NoFile(Exception):
    """The file is not there, or not any more; the text says so to people."""


@dataclass(frozen=True)
class Stored:
    bytes: int
    sha256: str


def store(chunks: Iterable[bytes], put: Callable[[int, bytes], None]) -> Stored:
    """Cut the chunks into parts and `put` each, numbered from 0; how many bytes there were, and their SHA-256."""
    digest, size, number = sha256(), 0, 0
    for part in _cut(chunks):
        digest.update(part)
        put(number, part)
        size, number = size + len(part), number + 1
    return Stored(size, digest.hexdigest())


def _cut(chunks: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= PART_BYTES:
            yield bytes(waiting[:PART_BYTES])
            del waiting[:PART_BYTES]
    if waiting:
        yield bytes(waiting)


def download(export: Export, *, by: Actor, now: datetime) -> Iterator[bytes]:
    """The file, part by part; the ledger says first who took it (`now` aware UTC).

    Raises NoFile where there is none. A file that expires on the way ends in NoFile, too, so that it never looks whole.
    """
    with transaction.atomic():
        ready = Export.objects.filter(pk=export.pk, status=ExportStatus.READY, expires_after__gt=now)
        if not ready.exists():
            raise NoFile("The file is not there any more, or not yet. Ask for the export again.")
        ledger.record(LedgerAction.EXPORT_DOWNLOADED, actor=by, now=now, export=export.pk, sha256=export.sha256)
    return _parts(export)


def _parts(export: Export) -> Iterator[bytes]:
    """Each in a short read of its own, however slow the reader is."""
    parts = ExportPart.objects.filter(export=export).values_list("content", flat=True)
    for number in range(-(-export.bytes // PART_BYTES)):
        content = parts.filter(number=number).first()
        if content is None:
            raise NoFile("The file expired while it was read.")
        yield bytes(content)
