"""The first page: how many, how bad, what is waiting, what happened last."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q
from django.db.models.functions import TruncHour
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from recordings import permissions
from recordings.choices import (
    CALL_STATE_RANK,
    LIVE_STATUSES,
    SEVERITY_ORDER,
    CallState,
    Look,
    OperationStatus,
    RecordingStatus,
    Severity,
    look,
)
from recordings.models import Call, Delivery, Finding, Operation, Recorder, StatusChange
from recordings.models.keys import first_key
from recordings.rules import Explained
from recordings.templatetags.charts import Hour
from recordings.views.access import needs
from recordings.views.ledger_troubles import troubles
from recordings.views.parts import is_poll

WORST = 5
LATEST = 7
HOURS = 24
_WAITING = (OperationStatus.PENDING, OperationStatus.AWAITING_APPROVAL)
_ESTABLISHED = [state for state, rank in CALL_STATE_RANK.items() if rank == CALL_STATE_RANK[CallState.ESTABLISHED]]


@dataclass(frozen=True)
class SeverityCount:
    shown: Look
    count: int


@dataclass(frozen=True)
class Figures:
    """The headline numbers."""

    in_progress: int
    established: int
    told: int
    findings: int
    severities: list[SeverityCount]
    unknown: int
    failed: int
    asked: int

    @property
    def not_told(self) -> int:
        return self.established - self.told


@dataclass(frozen=True)
class Health:
    """What On Record has heard and what waits; a moment is None where there is none."""

    graph_at: datetime | None
    recorder_at: datetime | None
    waiting: int
    oldest_check_at: datetime | None


@dataclass(frozen=True)
class Worst:
    finding: Finding
    explained: Explained


@require_safe
@needs(permissions.LOOK)
def overview(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    context = {
        "now": now,
        "figures": _figures(now),
        "health": _health(now),
        "troubles": troubles(now),
        "worst": _worst(now),
        "changes": StatusChange.objects.select_related("call", "actor").order_by("-id")[:LATEST],
    }
    if is_poll(request):
        return render(request, "recordings/overview.html#live", context)
    return render(request, "recordings/overview.html", context | {"hours": _hours(now)})


def _figures(now: datetime) -> Figures:
    established = Q(state__in=_ESTABLISHED)
    calls = Call.objects.live().aggregate(
        all=Count("id"),
        established=Count("id", filter=established),
        told=Count("id", filter=established & Q(recording_status=RecordingStatus.RECORDING)),
    )
    by_severity = dict(Finding.objects.open().order_by().values_list("severity").annotate(Count("id")))
    hour_ago = Q(pk__gte=first_key(now - timedelta(hours=1)))
    asked = Operation.objects.filter(hour_ago | Q(status__in=LIVE_STATUSES)).aggregate(
        all=Count("id", filter=hour_ago),
        failed=Count("id", filter=hour_ago & Q(status=OperationStatus.FAILED)),
        unknown=Count("id", filter=Q(status=OperationStatus.UNKNOWN)),
    )
    return Figures(
        in_progress=calls["all"],
        established=calls["established"],
        told=calls["told"],
        findings=sum(by_severity.values()),
        severities=[SeverityCount(look(Severity, one), by_severity.get(one.value, 0)) for one in SEVERITY_ORDER],
        unknown=asked["unknown"],
        failed=asked["failed"],
        asked=asked["all"],
    )


def _health(now: datetime) -> Health:
    due = Call.objects.due(now).values_list("due_after", flat=True).first()
    heard = Delivery.objects.filter(source="graph").order_by("-id").values_list("received_at", flat=True).first()
    return Health(
        graph_at=heard,
        recorder_at=Recorder.objects.aggregate(at=Max("last_word_at"))["at"],
        waiting=Operation.objects.filter(status__in=_WAITING).count(),
        oldest_check_at=due,
    )


def _worst(now: datetime) -> list[Worst]:
    found = Finding.objects.open().awake(now).worst_first().select_related("call", "recorder", "tenant")[:WORST]
    return [Worst(finding, finding.explained(finding.facts(), now=now)) for finding in found]


def _hours(now: datetime) -> list[Hour]:
    """The last 24 hours with this one, from one grouped query."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    starts = [this_hour - timedelta(hours=back) for back in reversed(range(HOURS))]
    counts: dict[datetime, dict[str, int]] = {start: {} for start in starts}
    rows = (
        Call.objects.filter(created_at__gte=starts[0])
        .annotate(hour=TruncHour("created_at"))
        .order_by()
        .values_list("hour", "recording_status")
        .annotate(Count("id"))
    )
    for hour, status, count in rows:
        known = status if status in RecordingStatus.values else RecordingStatus.UNKNOWN.value
        counts.setdefault(hour, {}).setdefault(known, 0)
        counts[hour][known] += count
    return [Hour(start, counts[start]) for start in starts]
