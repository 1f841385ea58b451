"""Runs of verification as rows: asked for, held by one process at a time, and told in the ledger when they are over.

Until then nothing but progress is written. A process that dies leaves a row whose lease runs out, and another one
begins again.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from recordings import conf
from recordings.choices import Alarm, LedgerAction, VerificationStatus
from recordings.ledger.entries import record
from recordings.ledger.verifying.seals import Kept
from recordings.ledger.verifying.whole import Report, verify_all
from recordings.models import Actor, Seal, Verification
from recordings.passes import each, stopping

ACTOR_NAME = "verify"
# Longer than any step between two notes of progress.
LEASE = timedelta(minutes=10)
NOTE_EVERY = timedelta(seconds=2)
# A run that nobody could finish in this time is not begun again.
GIVE_UP_AFTER = timedelta(days=1)

type Clock = Callable[[], datetime]


class Interrupted(Exception):
    """The run ended before it was over: the process was told to stop, or somebody else holds the run now."""


def request_verification(actor: Actor, *, now: datetime) -> Verification:
    """A run for the next worker (`now` aware UTC); the one that waits or runs already, where there is one."""
    waiting = Verification.objects.filter(finished_at__isnull=True).order_by("requested_at").first()
    return waiting or Verification.objects.create(requested_by=actor, requested_at=now)


def newest_verdict() -> Verification | None:
    """The newest run that came to a result. One that could not be finished found nothing out, and clears nobody."""
    results = (VerificationStatus.PASSED, VerificationStatus.ALARMED)
    runs = Verification.objects.select_related("requested_by").filter(finished_at__isnull=False, status__in=results)
    return runs.order_by("-finished_at").first()


def standing_alarm() -> Verification | None:
    """The newest run that found the ledger to be another one than a checkpoint from elsewhere saw, which no run without
    one can see: it stands until one passes that was held against a checkpoint as large."""
    later = Verification.objects.filter(status=VerificationStatus.PASSED, finished_at__gt=OuterRef("finished_at"))
    runs = Verification.objects.filter(is_inconsistent=True, finished_at__isnull=False)
    standing = runs.exclude(Exists(later.filter(kept_size__gte=OuterRef("kept_size"))))
    return standing.select_related("requested_by").order_by("-finished_at").first()


def newest_unfinished() -> Verification | None:
    """The run that ended last, where it ended without a result."""
    newest = Verification.objects.filter(finished_at__isnull=False).order_by("-finished_at").first()
    return newest if newest and newest.status == VerificationStatus.BROKEN else None


def verify_due(now: datetime, *, clock: Clock = timezone.now) -> int:
    """Run what was asked for, and once in LEDGER_VERIFY_SECONDS what nobody asked for; how many runs were finished.

    `now` is aware UTC; the clock tells how long the run takes.
    """
    _give_up_old(now)
    _request_daily(now)
    runs = list(Verification.objects.filter(_free(now), finished_at__isnull=True).order_by("requested_at"))
    finished: list[Verification] = []
    each(runs, lambda run: finished.extend([run] if _run(run, clock=clock) else []))
    return len(finished)


def verify_now(
    actor: Actor, *, kept: Sequence[Kept] = (), only_keys: Collection[str] = (), clock: Clock = timezone.now
) -> tuple[Verification, Report]:
    """A run in this process, against checkpoints from elsewhere where there are some. Raises Interrupted."""
    now = clock()
    run = Verification.objects.create(
        requested_by=actor,
        requested_at=now,
        started_at=now,
        leased_until=now + LEASE,
        status=VerificationStatus.RUNNING,
    )
    try:
        report = verify_all(kept=kept, only_keys=only_keys, progress=Pulse(run, clock))
    except Interrupted:
        _finish(run, None, now=clock())
        raise
    _finish(run, report, now=clock(), kept=kept)
    return run, report


class Pulse:
    """Notes how far a run has come, and prolongs its lease. Raises Interrupted."""

    def __init__(self, run: Verification, clock: Clock) -> None:
        self._run, self._clock = run, clock
        self._next = clock() + NOTE_EVERY

    def __call__(self, checked: int) -> None:
        if stopping.is_set():
            raise Interrupted
        now = self._clock()
        if now < self._next:
            return
        self._next = now + NOTE_EVERY
        held = Verification.objects.filter(pk=self._run.pk, leased_until=self._run.leased_until)
        if held.update(checked=checked, leased_until=now + LEASE) != 1:
            raise Interrupted
        self._run.leased_until = now + LEASE


def _free(now: datetime) -> Q:
    return Q(leased_until__isnull=True) | Q(leased_until__lte=now)


def _run(run: Verification, *, clock: Clock) -> bool:
    """Whether the run is over; not where somebody else has it, or the worker was told to stop."""
    now = clock()
    claimed = Verification.objects.filter(_free(now), pk=run.pk, finished_at__isnull=True).update(
        leased_until=now + LEASE, started_at=now, status=VerificationStatus.RUNNING, checked=0
    )
    if claimed != 1:
        return False
    run.leased_until = now + LEASE
    try:
        report = verify_all(progress=Pulse(run, clock))
    except Interrupted:
        held = Verification.objects.filter(pk=run.pk, leased_until=run.leased_until)
        held.update(leased_until=None, started_at=None, status=VerificationStatus.WAITING, checked=0)
        return False
    return _finish(run, report, now=clock())


def _give_up_old(now: datetime) -> None:
    old = Verification.objects.filter(_free(now), finished_at__isnull=True, requested_at__lte=now - GIVE_UP_AFTER)
    each(list(old.filter(started_at__isnull=False)), lambda run: _finish(run, None, now=now))


def _request_daily(now: datetime) -> None:
    """A day without a run that found something out, of a ledger that has a seal.

    The newest run's row is locked, so that one worker asks.
    """
    runs = Verification.objects.order_by("-requested_at")
    with transaction.atomic():
        runs.select_for_update().first()
        newest = runs.exclude(status=VerificationStatus.BROKEN).first()
        if newest and newest.requested_at > now - conf.verify_every():
            return
        if Seal.objects.exists() and not Verification.objects.filter(finished_at__isnull=True).exists():
            request_verification(Actor.objects.job(ACTOR_NAME), now=now)


def _finish(run: Verification, report: Report | None, *, now: datetime, kept: Sequence[Kept] = ()) -> bool:
    """Keep what was found, and its entry, in one transaction. Without a report the run could not be finished."""
    with transaction.atomic():
        held = Verification.objects.select_for_update().filter(
            pk=run.pk, leased_until=run.leased_until, finished_at__isnull=True
        )
        row = held.first()
        if row is None:
            return False
        _take(row, report)
        row.kept_size = max((one.size for one in kept), default=None)
        row.finished_at, row.leased_until = now, None
        row.save()
        _record(row, report, now=now)
    return True


def _take(row: Verification, report: Report | None) -> None:
    if report is None:
        row.status = VerificationStatus.BROKEN
        return
    row.status = VerificationStatus.PASSED if report.passed else VerificationStatus.ALARMED
    row.size, row.checked, row.rows, row.unsealed = report.size, report.checked, report.rows, report.unsealed
    row.is_inconsistent = any(found.kind == Alarm.NOT_CONSISTENT for found in report.alarms)
    row.alarms, row.alarm_count = [found.as_json() for found in report.alarms], report.alarm_count


def _record(row: Verification, report: Report | None, *, now: datetime) -> None:
    first = report.alarms[0] if report and report.alarms else None
    record(
        LedgerAction.VERIFICATION_FINISHED,
        actor=row.requested_by,
        now=now,
        verification=row.pk,
        result=row.status,
        size=row.size,
        checked=row.checked,
        rows=row.rows,
        unsealed=row.unsealed,
        kept_size=row.kept_size,
        alarms=row.alarm_count,
        first_alarm=first.kind.value if first else "",
        first_index=first.index if first else None,
    )
