"""Which items wait, whose turn it is, and holding them while their row is locked. The only writer of a claimed item."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import Q, QuerySet, UUIDField

from recordings.choices import BulkItemStatus, BulkKind
from recordings.models import BulkItem, BulkJob, ByKey, Operation
from recordings.services.bulk.progress import TO_DO


def waiting_keys(kind: BulkKind, *, after: int, limit: int, now: datetime) -> list[int]:
    """At most `limit` items behind the one with id `after` whose turn it is, the oldest first (aware UTC)."""
    return list(_waiting(kind, after=after, now=now).values_list("pk", flat=True)[:limit])


def _waiting(kind: BulkKind, *, after: int, now: datetime) -> QuerySet[BulkItem]:
    waiting = BulkItem.objects.filter(status=BulkItemStatus.WAITING, job__kind=kind, pk__gt=after)
    return waiting.filter(Q(send_after__isnull=True) | Q(send_after__lte=now)).order_by("pk")


def claim_next(kind: BulkKind, *, after: int, limit: int, now: datetime) -> list[BulkItem]:
    """As `claim`, at most `limit` of those that `waiting_keys` names; in place of what another worker holds, the next.

    So workers that begin at the same moment do not go for the same items in vain.
    """
    return _locked(_waiting(kind, after=after, now=now), limit=limit)


def claim(keys: Collection[int]) -> list[BulkItem]:
    """Those of the items that still wait and that no other worker holds, locked until the transaction ends.

    Each has its job; its call is read when it is locked.
    """
    waiting = BulkItem.objects.filter(pk__in=keys, status=BulkItemStatus.WAITING)
    return _locked(waiting.order_by("pk"), limit=len(keys))


def _locked(waiting: QuerySet[BulkItem], *, limit: int) -> list[BulkItem]:
    found = list(waiting.select_for_update(skip_locked=True, of=("self",))[:limit])
    jobs = BulkJob.objects.select_related("requested_by", "evidence_file").in_bulk({item.job_id for item in found})
    for item in found:
        item.job = jobs[item.job_id]
    return found


def decide(
    item: BulkItem, status: BulkItemStatus, *, now: datetime, message: str = "", operation: Operation | None = None
) -> BulkItem:
    """Set what became of a claimed item; `put_back` saves it."""
    item.status, item.message, item.operation, item.send_after = status, message[:1024], operation, None
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
            send_after=None,
            operation=ByKey(operations, UUIDField()),
        )


def put_off(*, until: datetime, why: str) -> None:
    """Let no waiting correction begin before `until` (aware UTC), and say why where people look."""
    keys = BulkItem.objects.filter(status=BulkItemStatus.WAITING, job__kind=BulkKind.CORRECT).values("pk")
    BulkItem.objects.filter(pk__in=keys, status=BulkItemStatus.WAITING).update(send_after=until, message=why[:1024])
