"""Work off what waits, in batches; let every item follow its operation; close the jobs that are over.

No item is held between two transactions: it waits, or it has an operation, which is the truth about it from then on.
So a worker that dies leaves nothing behind that another one would have to guess at.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from recordings import ledger
from recordings.choices import LedgerAction
from recordings.models import Actor, BulkItem, BulkJob
from recordings.passes import each
from recordings.services.bulk.attesting import attest_waiting
from recordings.services.bulk.correcting import correct_waiting
from recordings.services.bulk.following import follow_settled
from recordings.services.bulk.progress import TO_DO, counted, progress
from recordings.services.sending import Clock

ACTOR_NAME = "bulk"


def run_bulk_due(now: datetime, *, limit: int = 1000, clock: Clock = timezone.now) -> int:
    """Work off at most `limit` items that wait (`now` aware UTC); how many were looked at. Never raises GraphError."""
    worked = attest_waiting(limit=limit, clock=clock)
    worked += correct_waiting(limit=limit - worked, clock=clock)
    follow_settled(clock(), limit=limit)
    _finish_jobs(clock())
    return worked


def _finish_jobs(now: datetime) -> None:
    """Close jobs of which every item is final."""
    to_do = BulkItem.objects.filter(job=OuterRef("pk"), status__in=TO_DO)
    over = BulkJob.objects.filter(finished_at__isnull=True).exclude(Exists(to_do))
    each(list(over.values_list("pk", flat=True)), lambda key: _finish(key, now=now))


def _finish(key: UUID, *, now: datetime) -> None:
    with transaction.atomic():
        job = BulkJob.objects.select_for_update().get(pk=key)
        if job.finished_at:
            return
        job.finished_at = now
        job.save()
        actor, counts = Actor.objects.job(ACTOR_NAME), counted(progress(job).counts)
        ledger.record(LedgerAction.BULK_FINISHED, actor=actor, now=now, job=job.pk, counts=counts)
