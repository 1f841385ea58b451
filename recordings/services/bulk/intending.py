"""The intent of a batch of corrections: everything that must be durable before the first byte, in one transaction."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import transaction

from recordings import conf, ingest, ledger, operations
from recordings.choices import BulkItemStatus, BulkKind, BulkStanding, LedgerAction, OperationStatus
from recordings.models import Actor, Attempt, BulkItem, BulkJob, Call, LedgerEntry, Operation
from recordings.passes import each
from recordings.services.bulk.claiming import claim, claim_next, decide, put_back
from recordings.services.bulk.precheck import Sorted, sort_calls

ACTOR_NAME = "bulk"


def intend(keys: Sequence[int], *, now: datetime) -> list[Attempt]:
    """The attempts that may be sent for these waiting items now (aware UTC), committed with all that led to them.

    Every other item of them is decided, too. In place of those that another worker holds there are the next ones. One
    that cannot be stored is logged and does not hold up the rest.
    """
    attempts: list[Attempt] = []
    after, limit = keys[0] - 1, len(keys)

    def claim_batch() -> list[BulkItem]:
        return claim_next(BulkKind.CORRECT, after=after, limit=limit, now=now)

    if each([claim_batch], lambda claiming: attempts.extend(_intend(claiming, now=now))):
        each(keys, lambda key: attempts.extend(_intend(lambda: claim([key]), now=now)))
    return attempts


def _intend(claim_items: Callable[[], list[BulkItem]], *, now: datetime) -> list[Attempt]:
    """The facts are read again under the calls' locks, so that each ruling holds when its attempt is stored."""
    with transaction.atomic():
        items = claim_items()
        calls = {call.pk: call for call in ingest.locked_calls(_names_of(items))}
        before = {key: ingest.columns_of(call) for key, call in calls.items()}
        by_job: dict[BulkJob, list[BulkItem]] = defaultdict(list)
        for item in _one_a_call(items):
            by_job[item.job].append(item)
        wanted: list[Operation] = []
        for job, its_items in by_job.items():
            wanted += _want(job, its_items, calls, now=now)
        to_send = [operation for operation in wanted if operation.status == OperationStatus.PENDING]
        actor = Actor.objects.job(ACTOR_NAME)
        attempts = operations.start_attempts(to_send, actor=actor, now=now, leased_until=now + conf.lease())
        ingest.reschedule_alike([operation.call for operation in wanted], before=before, now=now)
        put_back([item for its_items in by_job.values() for item in its_items])
    return attempts


def _names_of(items: Sequence[BulkItem]) -> list[str]:
    named = BulkItem.objects.filter(pk__in=[item.pk for item in items])
    return list(named.values_list("call__graph_id", flat=True).distinct())


def _one_a_call(items: Sequence[BulkItem]) -> list[BulkItem]:
    """Where two jobs want something of one call, the later one waits for the next batch."""
    return list({item.call_id: item for item in reversed(items)}.values())[::-1]


def _want(job: BulkJob, items: Sequence[BulkItem], calls: dict[int, Call], *, now: datetime) -> list[Operation]:
    """The operations of those items that may have one; the others are refused, each with its ledger entry."""
    found = sort_calls([calls[item.call_id] for item in items], wish=job.requested_status, now=now)
    permitted = [(item, one) for item, one in zip(items, found, strict=True) if one.is_workable]
    refused = [(item, one) for item, one in zip(items, found, strict=True) if not one.is_workable]
    for item, one in refused:
        decide(item, BulkItemStatus.REFUSED, message=one.ruling.why, now=now)
    ledger.append([_refusal(job, one, now=now) for _, one in refused])
    _cancel_awaiting(job, [one.call for _, one in permitted], now=now)
    wanted = operations.create_many(
        [operations.Wish(one.call, job.requested_status, _approval_why(one)) for _, one in permitted],
        actor=job.requested_by,
        reason=job.reason,
        now=now,
        send_after=now + conf.lease(),
        expires_after=now + conf.approval_expires(),
        job=job.pk,
    )
    for (item, _), operation in zip(permitted, wanted, strict=True):
        is_awaiting = operation.status == OperationStatus.AWAITING_APPROVAL
        status = BulkItemStatus.AWAITING_APPROVAL if is_awaiting else BulkItemStatus.WORKING
        decide(item, status, operation=operation, message=operation.needs_approval_why, now=now)
    return wanted


def _approval_why(one: Sorted) -> str:
    return one.ruling.why if one.ruling.standing == BulkStanding.NEEDS_APPROVAL else ""


def _cancel_awaiting(job: BulkJob, calls: Sequence[Call], *, now: datetime) -> None:
    """A permitted wish takes the place of one that still waits for its second person (invariant 4)."""
    why = "another correction took its place"
    for waiting in Operation.objects.awaiting_approval().filter(call__in=calls).select_related("call"):
        operations.move(waiting, OperationStatus.CANCELLED, actor=job.requested_by, now=now, reason=why)


def _refusal(job: BulkJob, one: Sorted, *, now: datetime) -> LedgerEntry:
    return ledger.entry_of(
        LedgerAction.CORRECTION_REFUSED,
        actor=job.requested_by,
        now=now,
        about=ledger.References(one.call, job=job.pk),
        facts={"requested_status": job.requested_status, "reason": job.reason, "why": one.ruling.why},
    )
