"""Start a job, stop it, start it again for what failed. The work itself is done by `running`."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from recordings import ingest, ledger, operations, permissions
from recordings.choices import BulkItemStatus, BulkKind, BulkStanding, LedgerAction, OperationStatus, RootCause
from recordings.models import BulkItem, BulkJob, Call, EvidenceFile, Operation
from recordings.services.attesting import CannotAttest, keep_evidence
from recordings.services.bulk.attestable import refusals_of
from recordings.services.bulk.precheck import BulkRefused, Sorted, selected, sort_calls
from recordings.services.bulk.progress import counted
from recordings.services.bulk.selection import Selection, start_once
from recordings.services.locking import lock_many
from recordings.services.requester import Requester
from recordings.services.texts import kept, storable


def start_bulk(
    calls: QuerySet[Call], *, wish: str, reason: str, by: Requester, selection: Selection, now: datetime
) -> BulkJob:
    """Store the wish to tell Teams `wish` about each of `calls` (`now` aware UTC); the worker sends it.

    Calls that a single correction would refuse are refused at once and stay in the job, so that it accounts for every
    selected call. A selection starts one job: the second start with it gives the first one's. Raises BulkRefused,
    NotAllowed.
    """
    by.require(permissions.CORRECT)
    job = _job(selection, kind=BulkKind.CORRECT, requested_status=wish, reason=_reason(reason))
    return start_once(
        selection,
        by.actor,
        lambda: _start_correction(job, sort_calls(selected(calls), wish=wish, now=now), by=by, now=now),
    )


def _start_correction(job: BulkJob, found: Sequence[Sorted], *, by: Requester, now: datetime) -> BulkJob:
    standings = Counter(one.ruling.standing for one in found)
    if not any(one.is_workable for one in found):
        raise BulkRefused(
            f"Microsoft can be told about none of the {len(found):,} selected calls. Nothing was stored or sent."
        )
    items = [_item(one.call, "" if one.is_workable else one.ruling.why, now=now) for one in found]
    with transaction.atomic():
        _store(job, items, by=by, now=now, counts=counted({standing: standings[standing] for standing in BulkStanding}))
    return job


def start_bulk_attestation(
    calls: QuerySet[Call],
    *,
    root_cause: str,
    reason: str,
    evidence: str,
    file: tuple[str, bytes] | None,
    by: Requester,
    selection: Selection,
    now: datetime,
) -> BulkJob:
    """Store the wish to close every open finding of each of `calls` on a person's word (`now` aware UTC).

    Only for calls that are over, as for a single attestation; the others are refused at once. A file is kept once for
    all. A selection starts one job, as in `start_bulk`. Raises BulkRefused, NotAllowed.
    """
    by.require(permissions.ATTEST)
    why, proof = _reason(reason), kept(evidence, what="evidence", error=BulkRefused)
    if root_cause not in RootCause.values:
        raise BulkRefused("Choose one of the root causes. Nothing was changed.")
    if not proof and file is None:
        raise BulkRefused("An attestation needs a piece of evidence: a text, a link or a file. Nothing was changed.")
    job = _job(selection, kind=BulkKind.ATTEST, root_cause=root_cause, reason=why, evidence=proof)
    return start_once(selection, by.actor, lambda: _start_attestation(job, selected(calls), file=file, by=by, now=now))


def _start_attestation(
    job: BulkJob, calls: Sequence[Call], *, file: tuple[str, bytes] | None, by: Requester, now: datetime
) -> BulkJob:
    items = _items_to_attest(calls, now=now)
    with transaction.atomic():
        if file:
            job.evidence_file = _kept_file(file, by=by, now=now)
        _store(job, items, by=by, now=now, counts=counted(Counter(item.status for item in items)))
    return job


def _items_to_attest(calls: Sequence[Call], *, now: datetime) -> list[BulkItem]:
    refusals = refusals_of(calls)
    if all(refusals):
        raise BulkRefused(
            f"None of the {len(calls):,} selected calls is over and has an open finding. Nothing was changed."
        )
    return [_item(call, refusal, now=now) for call, refusal in zip(calls, refusals, strict=True)]


def stop_bulk(job: BulkJob, *, by: Requester, now: datetime) -> BulkJob:
    """Begin no further item, and send nothing that came back unsent (`now` aware UTC).

    What is on the wire, decided, or another person's to decide stays. Raises BulkRefused, NotAllowed.
    """
    by.require(_right_of(job))
    with transaction.atomic():
        locked = BulkJob.objects.select_for_update().get(pk=job.pk)
        if locked.finished_at or locked.stopped_at:
            raise BulkRefused("This job is over already. Nothing was changed.")
        waiting = BulkItem.objects.filter(job=locked, status=BulkItemStatus.WAITING)
        keys = list(waiting.select_for_update().order_by("id").values_list("pk", flat=True))
        stopped = BulkItem.objects.filter(pk__in=keys).update(
            status=BulkItemStatus.STOPPED, finished_at=now, send_after=None
        )
        stopped += _cancel_unsent(locked, by=by, now=now)
        locked.stopped_at, locked.stopped_by = now, by.actor
        locked.save()
        ledger.record(LedgerAction.BULK_STOPPED, actor=by.actor, now=now, job=locked.pk, stopped=stopped)
    return locked


def _cancel_unsent(job: BulkJob, *, by: Requester, now: datetime) -> int:
    """No try of these has reached Teams, and a worker would try again by itself; how many there were."""
    unsent = Operation.objects.filter(bulkitem__job=job, status=OperationStatus.PENDING, approved_by=None)
    locked = lock_many(list(unsent.values_list("pk", flat=True))).values()
    cancelled = [operation for operation in locked if operation.status == OperationStatus.PENDING]
    for operation in cancelled:
        why = "the bulk job was stopped before it was sent"
        operations.move(operation, OperationStatus.CANCELLED, actor=by.actor, now=now, reason=why)
    ingest.reschedule_all([operation.call for operation in cancelled], now=now)
    items = BulkItem.objects.filter(job=job, operation__in=cancelled)
    items.update(status=BulkItemStatus.STOPPED, message="", finished_at=now)
    return len(cancelled)


def retry_failed(job: BulkJob, *, by: Requester, now: datetime) -> BulkJob:
    """A new job with the same wish and reason, for the calls whose item failed and may come right (`now` aware UTC).

    Raises BulkRefused, NotAllowed.
    """
    by.require(_right_of(job))
    with transaction.atomic():
        locked = BulkJob.objects.select_for_update().get(pk=job.pk)
        if locked.finished_at is None:
            raise BulkRefused("The job is not finished yet. Wait for the rest of it, or stop it first.")
        if locked.retries.exists():
            raise BulkRefused("What failed here was tried again already, in a job of its own.")
        calls = retryable(locked)
        if not calls:
            raise BulkRefused("No item of this job failed in a way that trying again could mend. Nothing was sent.")
        again = BulkJob(
            kind=locked.kind,
            requested_status=locked.requested_status,
            reason=locked.reason,
            selection=locked.selection,
            retry_of=locked,
        )
        return _start_correction(again, sort_calls(calls, wish=again.requested_status, now=now), by=by, now=now)


def retryable(job: BulkJob) -> list[Call]:
    """The calls of `job` whose correction failed in a way that trying again could mend. Four queries."""
    failed = BulkItem.objects.filter(job=job, status=BulkItemStatus.FAILED, operation__isnull=False).order_by("id")
    related = failed.select_related("call", "operation__call").prefetch_related("operation__attempts__result")
    return [item.call for item in related if _can_retry(item)]


def _can_retry(item: BulkItem) -> bool:
    operation: Operation | None = item.operation
    explained = operation.explained() if operation else None
    return explained is not None and explained.retry_can_work


def _right_of(job: BulkJob) -> str:
    return permissions.CORRECT if job.kind == BulkKind.CORRECT else permissions.ATTEST


def _reason(reason: str) -> str:
    why = kept(reason, what="reason", error=BulkRefused)
    if not why:
        raise BulkRefused("A bulk job needs a reason. Nothing was stored or sent.")
    return why


def _job(selection: Selection, **wish: str) -> BulkJob:
    return BulkJob(pk=selection.key, selection=storable(selection.words)[:1024], **wish)


def _kept_file(file: tuple[str, bytes], *, by: Requester, now: datetime) -> EvidenceFile:
    name, content = file
    try:
        return keep_evidence(name, content, by=by, now=now)
    except CannotAttest as refusal:
        raise BulkRefused(str(refusal)) from refusal


def _item(call: Call, refusal: str, *, now: datetime) -> BulkItem:
    if not refusal:
        return BulkItem(call=call)
    return BulkItem(call=call, status=BulkItemStatus.REFUSED, message=refusal[:1024], finished_at=now)


def _store(job: BulkJob, items: Iterable[BulkItem], *, by: Requester, now: datetime, counts: str) -> None:
    job.requested_by, job.started_at = by.actor, now
    job.save(force_insert=True)
    rows = list(items)
    for item in rows:
        item.job = job
    BulkItem.objects.bulk_create(rows, batch_size=1000)
    ledger.record(
        LedgerAction.BULK_STARTED,
        actor=by.actor,
        now=now,
        job=job.pk,
        kind=job.kind,
        requested_status=job.requested_status,
        root_cause=job.root_cause,
        reason=job.reason,
        evidence=job.evidence,
        file_sha256=job.evidence_file.sha256 if job.evidence_file else None,
        selection=job.selection,
        retry_of=job.retry_of_id,
        calls=len(rows),
        counts=counts,
    )
