"""Files are kept for a while; who asked, why and what the file was stay for ever."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from recordings import ledger
from recordings.choices import ExportStatus, LedgerAction
from recordings.exports.jobs.claiming import ACTOR_NAME
from recordings.models import Actor, Export, ExportPart
from recordings.passes import each


def expire_exports(now: datetime, *, limit: int = 100) -> int:
    """Delete the files whose time is over (`now` aware UTC), at most `limit`; how many were looked at."""
    due = list(
        Export.objects.filter(expires_after__lte=now).order_by("expires_after").values_list("pk", flat=True)[:limit]
    )
    each(due, lambda key: _expire(key, now=now))
    return len(due)


def _expire(key: UUID, *, now: datetime) -> None:
    with transaction.atomic():
        export: Export = Export.objects.select_for_update().get(pk=key)
        if export.expires_after is None or export.expires_after > now:
            return
        _take_file(export, now=now)


def expire_now(key: UUID, *, now: datetime) -> None:
    """Delete the file before its time is over; in the caller's transaction (`now` aware UTC)."""
    export: Export = Export.objects.select_for_update().get(pk=key)
    if export.expires_after is not None:
        _take_file(export, now=now)


def _take_file(export: Export, *, now: datetime) -> None:
    ExportPart.objects.filter(export=export).delete()
    export.status, export.expires_after = ExportStatus.EXPIRED, None
    export.save(update_fields=["status", "expires_after"])
    actor = Actor.objects.job(ACTOR_NAME)
    ledger.record(LedgerAction.EXPORT_EXPIRED, actor=actor, now=now, export=export.pk)
