"""When Graph is asked for a live call that nobody speaks of: `Call.probe_after`, a moment and a lease in one."""

from collections.abc import Collection
from datetime import datetime

from django.db import connection, transaction

from recordings import conf
from recordings.models import Call


def next_probe(call: Call) -> datetime | None:
    """The moment (aware UTC) for a call as it stands now. It never comes nearer, so that a lease holds."""
    if not call.is_live:
        return None
    due = (call.last_signal_at or call.created_at) + conf.sync_after()
    return max(due, call.probe_after or due)


def lease_probes(now: datetime, *, tenant_id: str, until: datetime, limit: int) -> list[Call]:
    """Take at most `limit` calls that are to be asked for, the longest silent first; nobody else gets them `until`."""
    skips = connection.features.has_select_for_update_skip_locked
    with transaction.atomic():
        calls = list(Call.objects.to_probe(now, tenant_id=tenant_id).select_for_update(skip_locked=skips)[:limit])
        put_off_probes(calls, until=until)
    return calls


def put_off_probes(calls: Collection[Call], *, until: datetime) -> None:
    """Do not ask for these before `until` (aware UTC); those that are over meanwhile are not asked for at all."""
    known = Call.objects.filter(pk__in=[call.pk for call in calls], probe_after__isnull=False)
    known.update(probe_after=until)
