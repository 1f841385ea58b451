"""Whose an export is while it is made: a worker leases it, and holds it as long as it goes on.

The parts of the file, the figures and the end are stored by the holder of the lease only. One that died leaves parts
behind, which the next one deletes; one that was too slow finds that the export is not its own any more.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from recordings import conf, ledger
from recordings.choices import ExportStatus, LedgerAction
from recordings.models import Actor, Export, ExportPart

ACTOR_NAME = "exports"
LEASE = timedelta(minutes=2)
# A worker that is killed by what it exports would be killed again and again.
MOST_TRIES = 3
# Never the whole row: what was asked for may be blanked while a worker holds the row as it was.
_ENDED = ("status", "leased_until", "finished_at")


class LeaseLost(Exception):
    """Another worker has the export by now, or a person ended it. Nothing was stored."""


def claim(now: datetime) -> Export | None:
    """The oldest export that nobody makes, leased and begun anew (`now` aware UTC); None if there is none."""
    free = Q(leased_until__isnull=True) | Q(leased_until__lte=now)
    with transaction.atomic():
        waiting = Export.objects.filter(free, finished_at__isnull=True).order_by("requested_at", "pk")
        export: Export | None = waiting.select_for_update(skip_locked=True).first()
        if export is None:
            return None
        _drop_parts(export)
        if export.tries >= MOST_TRIES:
            _end(
                export, why=f"It was tried {MOST_TRIES} times and broke each time; the worker's log says why.", now=now
            )
            return claim(now)
        export.status, export.leased_until, export.started_at = ExportStatus.RUNNING, now + LEASE, now
        export.tries, export.rows, export.message = export.tries + 1, 0, ""
        export.save(update_fields=["status", "leased_until", "started_at", "tries", "rows", "message"])
        # Which rows is in the entry that asked for it, which columns in the manifest.
        _record(LedgerAction.EXPORT_STARTED, export, now=now, filter="", flavour=export.format, columns="")
    return export


def hold(export: Export, *, rows: int, now: datetime) -> None:
    """Lease it for longer, and say how many rows there are by now. Raises LeaseLost."""
    until = now + LEASE
    held = Export.objects.filter(pk=export.pk, leased_until=export.leased_until, finished_at__isnull=True)
    if not held.update(leased_until=until, rows=rows):
        raise LeaseLost
    export.leased_until, export.rows = until, rows


def store_part(export: Export, number: int, content: bytes, *, now: datetime) -> None:
    """Keep one part of the file, numbered from 0. Raises LeaseLost."""
    with transaction.atomic():
        hold(export, rows=export.rows, now=now)
        ExportPart.objects.create(export=export, number=number, content=content)


def finish(export: Export, *, size: int, sha256: str, now: datetime) -> None:
    """The file is whole: `size` in bytes. Raises LeaseLost."""
    with transaction.atomic():
        hold(export, rows=export.rows, now=now)
        export.status, export.leased_until = ExportStatus.READY, None
        export.bytes, export.sha256 = size, sha256
        export.finished_at, export.expires_after = now, now + conf.export_kept()
        export.save(update_fields=[*_ENDED, "bytes", "sha256", "expires_after", "seal"])
        _record(LedgerAction.EXPORT_FINISHED, export, now=now, rows=export.rows, bytes=size, sha256=sha256, why="")


def put_back(export: Export, *, why: str, now: datetime, counts: bool) -> None:
    """Let the next worker begin it anew; `counts` says whether this was one of its tries. Raises LeaseLost."""
    with transaction.atomic():
        hold(export, rows=0, now=now)
        _put_in_line(export, why=why, now=now, counts=counts)


def give_up(export: Export, *, why: str, now: datetime) -> None:
    """It cannot be made, and `why` says so to people. Raises LeaseLost."""
    with transaction.atomic():
        hold(export, rows=0, now=now)
        _drop_parts(export)
        _end(export, why=why, now=now)


def stop_export(export: Export, *, actor: Actor, now: datetime) -> bool:
    """A person ends it before it is ready; False if it was over already."""
    with transaction.atomic():
        locked: Export = Export.objects.select_for_update().get(pk=export.pk)
        if locked.finished_at:
            return False
        _drop_parts(locked)
        # The ledger keeps this for ever, and names the actor by number: a name here could never be erased.
        _end(locked, why="Stopped by a person.", now=now, actor=actor)
    return True


def forget_under_way(named: Q, *, now: datetime) -> int:
    """Inside the transaction that erases a name (`now` aware UTC): whoever makes an export loses it, since the name may
    have been read already, and it is made anew; one that was asked for with the name, `named`, ends. How many were
    under way."""
    keys = list(Export.objects.select_for_update().filter(finished_at__isnull=True).values_list("pk", flat=True))
    asked_with = set(Export.objects.filter(named, pk__in=keys).values_list("pk", flat=True))
    for export in Export.objects.filter(pk__in=keys).order_by("pk"):
        _drop_parts(export)
        if export.pk in asked_with:
            _end(export, why="It was asked for with a name that was erased.", now=now)
        elif export.status == ExportStatus.RUNNING:
            _put_in_line(export, why="a name was erased", now=now, counts=False)
    return len(keys)


def _put_in_line(export: Export, *, why: str, now: datetime, counts: bool) -> None:
    _drop_parts(export)
    export.status, export.leased_until, export.rows = ExportStatus.WAITING, None, 0
    export.tries -= 0 if counts else 1
    export.save(update_fields=["status", "leased_until", "rows", "tries"])
    _record(LedgerAction.EXPORT_ABORTED, export, now=now, rows=0, bytes=0, sha256="", why=why)


def _end(export: Export, *, why: str, now: datetime, actor: Actor | None = None) -> None:
    export.status, export.leased_until, export.finished_at, export.message = ExportStatus.FAILED, None, now, why
    export.stopped_by = actor
    export.save(update_fields=[*_ENDED, "message", "stopped_by"])
    _record(LedgerAction.EXPORT_ABORTED, export, now=now, actor=actor, rows=0, bytes=0, sha256="", why=why)


def _drop_parts(export: Export) -> None:
    ExportPart.objects.filter(export=export).delete()


def _record(action: LedgerAction, export: Export, *, now: datetime, actor: Actor | None = None, **facts: Any) -> None:
    by = actor or Actor.objects.job(ACTOR_NAME)
    ledger.record(action, actor=by, now=now, export=export.pk, what=export.sheet, **facts)
