"""After a change of the rules or their graces: the next moments anew. What is due then, the sweep does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from recordings.choices import CaptureState, RecordingStatus
from recordings.ingest import next_moments, reschedule, reschedule_recorder, reschedule_tenant
from recordings.models import Call, Finding, Operation, Recorder, Tenant
from recordings.passes import each, stopping

READ_AT_ONCE = 1000


@dataclass
class Recomputed:
    """How many calls were looked at so far, and how many of them the sweep looks at another time than before."""

    looked_at: int = 0
    moved: int = 0


def recompute(now: datetime) -> Iterator[Recomputed]:
    """Look at every call of which a rule can say something (`now` aware UTC); yields how far it came with each batch.

    A batch is read without a lock. Only what would move is locked and judged again, each call in its own transaction,
    so that workers go on meanwhile and a run that is cut off has done no harm: the next one begins anew.
    """
    done, last = Recomputed(), 0
    candidates = Call.objects.filter(of_interest()).order_by("pk")
    while not stopping.is_set() and (calls := list(candidates.filter(pk__gt=last)[:READ_AT_ONCE])):
        each(_moved(calls, now=now), lambda pk: _recompute(pk, done, now=now))
        done.looked_at, last = done.looked_at + len(calls), calls[-1].pk
        yield done
    each(list(Recorder.objects.values_list("pk", flat=True)), lambda pk: _recompute_recorder(pk, now=now))
    each(list(Tenant.objects.values_list("pk", flat=True)), lambda pk: _recompute_tenant(pk, now=now))


def of_interest() -> Q:
    """Calls that any rule can be about: those that live, and of those that are over the ones with something left.

    The others are spared, since most calls of all time ended as they should. A test holds this against the rules.
    """
    lives = Q(ended_at=None, gone_at=None)
    captured_or_told = Q(capture_state=CaptureState.CAPTURING) | Q(recording_status=RecordingStatus.RECORDING)
    ended_badly = Q(result_code__gte=400) | Q(result_code=200, result_subcode=5000)
    open_findings = Finding.objects.open().filter(call__isnull=False).values("call")
    waited_for = (
        Q(due_after__isnull=False) | Q(pk__in=open_findings) | Q(pk__in=Operation.objects.live().values("call"))
    )
    return lives | captured_or_told | ended_badly | waited_for


def _moved(calls: Sequence[Call], *, now: datetime) -> list[int]:
    moments = next_moments(calls, now=now)
    return [call.pk for call in calls if moments[call.pk] != call.due_after]


def _recompute(pk: int, done: Recomputed, *, now: datetime) -> None:
    with transaction.atomic():
        if call := Call.objects.select_for_update().filter(pk=pk).first():
            reschedule(call, now=now)
    done.moved += 1


def _recompute_recorder(pk: int, *, now: datetime) -> None:
    with transaction.atomic():
        if recorder := Recorder.objects.select_for_update().filter(pk=pk).first():
            reschedule_recorder(recorder, now=now)


def _recompute_tenant(pk: int, *, now: datetime) -> None:
    with transaction.atomic():
        if tenant := Tenant.objects.select_for_update().filter(pk=pk).first():
            reschedule_tenant(tenant, now=now)
