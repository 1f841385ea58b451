"""Work off what waits. An item either waits, or has an operation and follows it: no worker holds one in between."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from recordings import conf, findings, ingest, ledger, operations
from recordings.choices import FINAL_STATUSES, BulkItemStatus, BulkKind, BulkStanding, LedgerAction, OperationStatus
from recordings.models import Actor, BulkItem, BulkJob, Call, Finding, Operation
from recordings.passes import each
from recordings.services import connection
from recordings.services.bulk.precheck import sort_calls
from recordings.services.bulk.progress import TO_DO, counted, progress
from recordings.services.locking import lock_call
from recordings.services.sending import try_at_wire

ACTOR_NAME = "bulk"
_S = OperationStatus
_ITEM_STATUS = {
    _S.COMPLETED: BulkItemStatus.DONE,
    _S.AWAITING_APPROVAL: BulkItemStatus.AWAITING_APPROVAL,
    _S.CANCELLED: BulkItemStatus.REFUSED,
    **dict.fromkeys((_S.FAILED, _S.DECLINED, _S.EXPIRED, _S.UNRESOLVED), BulkItemStatus.FAILED),
}


def run_bulk_due(now: datetime, *, limit: int = 100, clock: Callable[[], datetime] = timezone.now) -> int:
    """Work off at most `limit` items that wait (aware UTC); how many were looked at."""
    waiting = BulkItem.objects.filter(status=BulkItemStatus.WAITING).order_by("id")
    keys = list(waiting.values_list("pk", flat=True)[:limit])
    each(keys, lambda key: _work(key, clock=clock))
    _follow(now, limit=limit)
    _finish_jobs(clock())
    return len(keys)


def _work(key: int, *, clock: Callable[[], datetime]) -> None:
    with transaction.atomic():
        item = _claimed(key)
        if item is None:
            return
        call = lock_call(item.call)
        if item.job.kind == BulkKind.ATTEST:
            _attest(item, call, now=clock())
        else:
            _request(item, call, now=clock())
    if item.operation:
        try_at_wire(item.operation.pk, may_start=(_S.PENDING,), until=connection.deadline(), clock=clock)
        follow(item, Operation.objects.get(pk=item.operation.pk), now=clock())


def _claimed(key: int) -> BulkItem | None:
    waiting = BulkItem.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        pk=key, status=BulkItemStatus.WAITING
    )
    return waiting.select_related("job__requested_by", "job__evidence_file", "call").first()


def _request(item: BulkItem, call: Call, *, now: datetime) -> None:
    job = item.job
    (found,) = sort_calls([call], wish=job.requested_status, now=now)
    needs_approval = found.ruling.standing == BulkStanding.NEEDS_APPROVAL
    if found.ruling.standing != BulkStanding.CAN_ACT and not needs_approval:
        _put(item, BulkItemStatus.REFUSED, message=found.ruling.why, now=now)
        return
    item.operation = operations.create(
        call,
        requested_status=job.requested_status,
        actor=job.requested_by,
        reason=job.reason,
        now=now,
        send_after=now + conf.lease(),
        needs_approval_why=found.ruling.why if needs_approval else "",
        expires_after=now + conf.approval_expires(),
    )
    ingest.reschedule(call, now=now)
    _put(item, BulkItemStatus.AWAITING_APPROVAL if needs_approval else BulkItemStatus.WORKING, now=now)


def _attest(item: BulkItem, call: Call, *, now: datetime) -> None:
    job = item.job
    stuck = list(Finding.objects.select_for_update().open().filter(call=call))
    if call.is_live or not stuck:
        _put(item, BulkItemStatus.REFUSED, message="Nothing was left to attest at its turn.", now=now)
        return
    for finding in stuck:
        findings.attest(
            finding,
            actor=job.requested_by,
            reason=job.reason,
            root_cause=job.root_cause,
            evidence=job.evidence,
            file=job.evidence_file,
            now=now,
        )
    ingest.reschedule(call, now=now)
    _put(item, BulkItemStatus.DONE, now=now)


def _follow(now: datetime, *, limit: int) -> None:
    """Take over what became of operations that others settled."""
    settled = BulkItem.objects.filter(
        status__in=(BulkItemStatus.WORKING, BulkItemStatus.OPEN), operation__status__in=FINAL_STATUSES
    )
    for item in settled.select_related("operation").order_by("id")[:limit]:
        if item.operation:
            follow(item, item.operation, now=now)


def follow(item: BulkItem, operation: Operation, *, now: datetime) -> None:
    """The operation's status is the truth about the item."""
    status = _ITEM_STATUS.get(OperationStatus(operation.status), BulkItemStatus.OPEN)
    _put(item, status, message=operation.result_message if status != BulkItemStatus.DONE else "", now=now)


def _put(item: BulkItem, status: BulkItemStatus, *, message: str = "", now: datetime) -> None:
    item.status, item.message = status, message[:1024]
    item.finished_at = None if status in TO_DO else now
    item.save()


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
