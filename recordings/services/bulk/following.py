"""What an operation came to is what became of its item."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from recordings.choices import FINAL_STATUSES, BulkItemStatus, OperationStatus
from recordings.models import BulkItem, Operation
from recordings.services.bulk.progress import TO_DO

_S = OperationStatus
_ITEM_STATUS = {
    _S.COMPLETED: BulkItemStatus.DONE,
    _S.AWAITING_APPROVAL: BulkItemStatus.AWAITING_APPROVAL,
    _S.CANCELLED: BulkItemStatus.REFUSED,
    **dict.fromkeys((_S.FAILED, _S.DECLINED, _S.EXPIRED, _S.UNRESOLVED), BulkItemStatus.FAILED),
}
_UNDER_WAY = (BulkItemStatus.WORKING, BulkItemStatus.OPEN)
# What waits for a second person does not keep a job running, but it is told, too, what that person decided.
_FOLLOWING = (*_UNDER_WAY, BulkItemStatus.AWAITING_APPROVAL)


def status_of(operation: Operation) -> BulkItemStatus:
    """Anything that is neither final nor waits for a second person is open."""
    return _ITEM_STATUS.get(OperationStatus(operation.status), BulkItemStatus.OPEN)


def follow(operations: Iterable[Operation], *, now: datetime) -> None:
    """Take over how these operations stand (aware UTC); in the caller's transaction. Final items stay as they are."""
    alike = defaultdict(list)
    for operation in operations:
        alike[status_of(operation), _message_of(operation)].append(operation.pk)
    for (status, message), keys in alike.items():
        BulkItem.objects.filter(operation__in=keys, status__in=_FOLLOWING).update(
            status=status, message=message, finished_at=None if status in TO_DO else now
        )


def follow_settled(now: datetime, *, limit: int) -> None:
    """Take over at most `limit` outcomes that others have settled since, or that a dead worker left (aware UTC)."""
    with transaction.atomic():
        items = BulkItem.objects.select_for_update(skip_locked=True, of=("self",))
        settled = items.filter(status__in=_FOLLOWING, operation__status__in=FINAL_STATUSES)
        asked_for = items.filter(status__in=_UNDER_WAY, operation__status=_S.AWAITING_APPROVAL)
        for found in (settled, asked_for):
            follow(_operations(found, limit=limit), now=now)
        # Its process is gone, or handed it on: the settler and the sender look after it now.
        left = items.filter(status=BulkItemStatus.WORKING, operation__leased_until__isnull=True)
        expired = items.filter(status=BulkItemStatus.WORKING, operation__leased_until__lte=now)
        for found in (left, expired):
            follow(_operations(found, limit=limit), now=now)


def _operations(items: QuerySet[BulkItem], *, limit: int) -> list[Operation]:
    found = items.order_by("id").select_related("operation")[:limit]
    return [item.operation for item in found if item.operation]


def _message_of(operation: Operation) -> str:
    if operation.status == OperationStatus.AWAITING_APPROVAL:
        return operation.needs_approval_why
    return "" if operation.status == OperationStatus.COMPLETED else operation.result_message
