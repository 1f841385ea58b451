"""Which items wait, whose turn it is, and holding them while their row is locked. The only writer of a claimed item."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q, UUIDField

from recordings.choices import BulkItemStatus, BulkKind
from recordings.models import BulkItem, BulkJob, ByKey, Operation
from recordings.services.bulk.progress import TO_DO


def waiting_keys(kind: BulkKind, *, after: int, limit: int, now: datetime) -> list[int]:
    """At most `limit` items behind the one with id `after` whose turn it is, the oldest first (aware UTC)."""
    waiting = BulkItem.objects.filter(status=BulkItemStatus.WAITING, job__kind=kind, pk__gt=after)
    due = waiting.filter(Q(leased_until__isnull=True) | Q(leased_until__lte=now))
    with transaction.atomic():  # what another worker has in hand just now would only be turned back by `claim`
        free = due.select_for_update(skip_locked=True, of=("self",))
        return list(free.order_by("pk").values_list("pk", flat=True)[:limit])


def claim(keys: Collection[int]) -> list[BulkItem]:
    """Those of the items that still wait and that no other worker holds, locked until the transaction ends.

    Each has its job; its call is read when it is locked.
    """
    waiting = BulkItem.objects.select_for_update(skip_locked=True, of=("self",))
    found = list(waiting.filter(pk__in=keys, status=BulkItemStatus.WAITING).order_by("pk"))
    jobs = BulkJob.objects.select_related("requested_by", "evidence_file").in_bulk({item.job_id for item in found})
    for item in found:
        item.job = jobs[item.job_id]
    return found


def decide(
    item: BulkItem, status: BulkItemStatus, *, now: datetime, message: str = "", operation: Operation | None = None
) -> BulkItem:
    """Set what became of a claimed item; `put_back` saves it."""
    item.status, item.message, item.operation, item.leased_until = status, message[:1024], operation, None
    item.finished_at = None if status in TO_DO else now
    return item


def put_back(items: Sequence[BulkItem]) -> None:
    """Save decided items, those that were decided alike in one statement."""
    alike: dict[tuple[str, str, datetime | None], list[BulkItem]] = defaultdict(list)
    for item in items:
        alike[item.status, item.message, item.finished_at].append(item)
    for (status, message, finished_at), some in alike.items():
        operations = {item.pk: item.operation_id for item in some}
        BulkItem.objects.filter(pk__in=list(operations)).update(
            status=status,
            message=message,
            finished_at=finished_at,
            leased_until=None,
            operation=ByKey(operations, UUIDField()),
        )


def put_off(*, until: datetime, why: str) -> None:
    """Let no waiting correction begin before `until` (aware UTC), and say why where people look."""
    keys = BulkItem.objects.filter(status=BulkItemStatus.WAITING, job__kind=BulkKind.CORRECT).values("pk")
    BulkItem.objects.filter(pk__in=keys, status=BulkItemStatus.WAITING).update(leased_until=until, message=why[:1024])
