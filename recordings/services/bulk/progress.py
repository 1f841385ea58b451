"""How far a job has come, and what became of each of its items."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count

from recordings.choices import BulkItemStatus
from recordings.models import BulkItem, BulkJob

# An item in one of these still waits for something that will come by itself.
TO_DO = (BulkItemStatus.WAITING, BulkItemStatus.WORKING, BulkItemStatus.OPEN)
PAGE_SIZE = 100


@dataclass(frozen=True)
class Progress:
    """Counts of one job's items by status; every status is named."""

    counts: Mapping[BulkItemStatus, int]
    is_running: bool

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def finished(self) -> int:
        return sum(count for status, count in self.counts.items() if status not in TO_DO)

    @property
    def percent(self) -> int:
        """Whole per cent; 100 only once everything is finished."""
        return 100 * self.finished // self.total if self.total else 100


def counted[Name: str](counts: Mapping[Name, int]) -> str:
    """Counts as one line for the ledger: "canAct 120, alreadyRight 3"; what there is none of is left out."""
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count)


def progress(job: BulkJob) -> Progress:
    """One query, from the index of the job's items."""
    return progress_of([job])[job.pk]


def progress_of(jobs: Iterable[BulkJob]) -> dict[UUID, Progress]:
    """The progress of each job by its key, in one query for all of them."""
    running = {job.pk: job.finished_at is None for job in jobs}
    rows = BulkItem.objects.filter(job__in=list(running)).order_by().values_list("job", "status").annotate(Count("id"))
    known = {(job, status): count for job, status, count in rows}
    return {
        job: Progress({status: known.get((job, status.value), 0) for status in BulkItemStatus}, is_running=is_running)
        for job, is_running in running.items()
    }


def items_of(job: BulkJob, *, status: str = "", after: int = 0, limit: int = PAGE_SIZE) -> list[BulkItem]:
    """At most `limit` items behind the one with id `after`, in the order of the job, with all that a row shows."""
    items = BulkItem.objects.filter(job=job, id__gt=after).order_by("id")
    if status:
        items = items.filter(status=status)
    related = ("call", "call__recorder", "operation", "operation__call", "operation__requested_by")
    return list(items.select_related(*related).prefetch_related("operation__attempts__result")[:limit])
