"""Everything the page of one bulk job shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from recordings import ledger, permissions, services
from recordings.choices import BulkItemStatus, BulkKind, LedgerAction, Look, look
from recordings.graph.errors import Explainer
from recordings.models import BulkItem, BulkJob, LedgerEntry
from recordings.services import Progress

PAGE_SIZE = 50
_STEPS = (LedgerAction.BULK_STARTED, LedgerAction.BULK_STOPPED, LedgerAction.BULK_FINISHED)
# Of these a correction's own explainer says what to do next.
_EXPLAINED = (BulkItemStatus.FAILED, BulkItemStatus.OPEN)


@dataclass(frozen=True)
class Chip:
    """One outcome with how many items came to it; a filter of the rows."""

    shown: Look
    count: int
    url: str
    is_current: bool


@dataclass(frozen=True)
class Row:
    item: BulkItem
    explained: Explainer | None


@dataclass(frozen=True)
class BulkPage:
    """`can_retry` and `cannot_retry` are counted once the job is over; `to_attest` are calls of it that ended."""

    job: BulkJob
    progress: Progress
    chips: Sequence[Chip]
    rows: Sequence[Row]
    is_first: bool
    here_url: str
    more_url: str
    poll_url: str
    share_url: str
    retries: Sequence[BulkJob]
    steps: Sequence[LedgerEntry]
    may_act: bool
    can_stop: bool
    can_retry: int
    cannot_retry: int
    to_attest: int

    @property
    def waits_for_retry(self) -> bool:
        """A correction job with failures runs on; one late answer may keep it open for a day."""
        is_correction = self.job.kind == BulkKind.CORRECT
        return (
            self.may_act
            and is_correction
            and self.progress.is_running
            and bool(self.progress.counts[BulkItemStatus.FAILED])
        )

    @property
    def said(self) -> str:
        """What is spoken: at each quarter, and at the end."""
        done = self.progress
        if not done.is_running:
            return f"The job is over: {done.counts[BulkItemStatus.DONE]:,} of {done.total:,} done."
        quarter = done.percent // 25 * 25
        return f"{quarter} per cent of the job is finished." if quarter else ""


def bulk_page(request: HttpRequest, job: BulkJob) -> BulkPage:
    status, after = _status(request), _number(request.GET.get("after", ""))
    progress = services.progress(job)
    items = services.items_of(job, status=status, after=after, limit=PAGE_SIZE + 1)
    url = reverse("bulk_detail", args=[job.pk])
    here = {"status": status} if status else {}
    more = {**here, "after": items[PAGE_SIZE - 1].pk} if len(items) > PAGE_SIZE else {}
    failed = progress.counts[BulkItemStatus.FAILED]
    retries = list(job.retries.order_by("started_at"))
    may_act = permissions.may(request.user, right_of(job))
    is_retried = not may_act or progress.is_running or not failed or retries
    can_retry = 0 if is_retried else len(services.retryable(job))
    return BulkPage(
        job=job,
        progress=progress,
        chips=_chips(url, progress, status),
        rows=[Row(item, _explained(item)) for item in items[:PAGE_SIZE]],
        is_first=not after,
        here_url=f"{url}?{urlencode(here)}" if here else url,
        more_url=f"{url}?{urlencode(more)}" if more else "",
        poll_url=f"{url}?{urlencode({**here, 'after': after, 'poll': 1})}",
        share_url=request.build_absolute_uri(url),
        retries=retries,
        steps=_steps(job),
        may_act=may_act,
        can_stop=may_act and progress.is_running and not job.stopped_at,
        can_retry=can_retry,
        cannot_retry=0 if is_retried else failed - can_retry,
        to_attest=_to_attest(request, job, progress),
    )


def right_of(job: BulkJob) -> str:
    return permissions.CORRECT if job.kind == BulkKind.CORRECT else permissions.ATTEST


def _status(request: HttpRequest) -> str:
    """The outcome the rows are narrowed to; a word that is none narrows nothing, and no chip is marked."""
    asked = request.GET.get("status", "")
    return asked if asked in BulkItemStatus.values else ""


def _number(text: str) -> int:
    """The place in the list, 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


def _chips(url: str, progress: Progress, status: str) -> list[Chip]:
    everything = Look("", "All", "mute", "operations")
    chips = [Chip(everything, progress.total, url, is_current=not status)]
    for one, count in progress.counts.items():
        if count or one == status:
            query = urlencode({"status": one.value})
            chips.append(Chip(look(BulkItemStatus, one), count, f"{url}?{query}", is_current=one == status))
    return chips


def _explained(item: BulkItem) -> Explainer | None:
    return item.operation.explained() if item.operation and item.status in _EXPLAINED else None


def _to_attest(request: HttpRequest, job: BulkJob, progress: Progress) -> int:
    missed = progress.counts[BulkItemStatus.FAILED] + progress.counts[BulkItemStatus.REFUSED]
    if progress.is_running or not missed or not permissions.may(request.user, permissions.ATTEST):
        return 0
    return services.left_to_attest(job).count()


def _steps(job: BulkJob) -> list[LedgerEntry]:
    """Its entries in the ledger, found by their moment, since the ledger's columns know no job."""
    moments = [at for at in (job.started_at, job.stopped_at, job.finished_at) if at]
    entries = LedgerEntry.objects.filter(action__in=_STEPS, occurred_at__in=moments).select_related("actor")
    return [entry for entry in entries.order_by("pk") if ledger.facts_in(entry).get("job") == str(job.pk)]
