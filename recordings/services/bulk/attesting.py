"""Attest what waits: every open finding of each call, on one person's word."""

from django.db import transaction

from recordings import findings, ingest
from recordings.choices import BulkItemStatus, BulkKind
from recordings.models import BulkItem, Call, Finding
from recordings.passes import each
from recordings.services.bulk.attestable import NO_FINDING, NOT_OVER
from recordings.services.bulk.claiming import claim, decide, put_back, waiting_keys
from recordings.services.locking import lock_call
from recordings.services.sending import Clock


def attest_waiting(*, limit: int, clock: Clock) -> int:
    """Close the findings of at most `limit` waiting items; how many items were looked at."""
    keys = waiting_keys(BulkKind.ATTEST, after=0, limit=limit, now=clock())
    each(keys, lambda key: _attest(key, clock=clock))
    return len(keys)


def _attest(key: int, *, clock: Clock) -> None:
    """The item, its call and its findings in one transaction: it is done, or it still waits."""
    with transaction.atomic():
        for item in claim([key]):
            call = lock_call(item.call)
            put_back([_attest_call(item, call, clock=clock)])


def _attest_call(item: BulkItem, call: Call, *, clock: Clock) -> BulkItem:
    job, now = item.job, clock()
    stuck = list(Finding.objects.select_for_update().open().filter(call=call).order_by("id"))
    if call.is_live or not stuck:
        return decide(item, BulkItemStatus.REFUSED, message=NOT_OVER if call.is_live else NO_FINDING, now=now)
    for finding in stuck:
        finding.call = call
        findings.attest(
            finding,
            actor=job.requested_by,
            reason=job.reason,
            root_cause=job.root_cause,
            evidence=job.evidence,
            file=job.evidence_file,
            job=job.pk,
            now=now,
        )
    ingest.reschedule(call, now=now)
    return decide(item, BulkItemStatus.DONE, now=now)
