"""One page of the findings list: what a phase holds, keyset paging, and what each row shows beside the finding."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet

from recordings.choices import FINDING_ACTIONS, SEVERITY_ORDER, Look, Resolution, look
from recordings.models import Call, Finding, FindingQuerySet, LedgerEntry
from recordings.models.calls import CallQuerySet
from recordings.models.keys import parse_key
from recordings.rules import Explained

PAGE_SIZE = 50
# The announcement of new changes counts no further.
MOST_NEWS = 50
COUNTED_FOR = timedelta(days=30)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_KEY = UUID(int=0)


@dataclass(frozen=True)
class Row:
    """One line of the list. `explained` says nothing of a closed finding; `legs` are those of the same person."""

    finding: Finding
    explained: Explained | None
    is_asleep: bool
    legs: int

    @property
    def other_legs(self) -> int:
        return max(0, self.legs - 1)


@dataclass(frozen=True)
class Page:
    """Worst first, closed ones from the latest on. `older` is the cursor of the next page, empty on the last one."""

    rows: list[Row]
    older: str

    @property
    def time_shown(self) -> tuple[datetime | None, datetime | None]:
        """From the beginning of the oldest trouble to the end of the latest; None while one of them goes on."""
        since, ends = (row.finding.since_at for row in self.rows), [row.finding.resolved_at for row in self.rows]
        return min(since, default=None), max((end for end in ends if end), default=None) if all(ends) else None


@dataclass(frozen=True)
class Counts:
    """How many open findings each phase holds: awake, assigned to the reader, put off."""

    awake: int
    mine: int
    asleep: int


@dataclass(frozen=True)
class ClosedSo:
    shown: Look
    count: int


def calls_of(found: FindingQuerySet) -> CallQuerySet:
    """The calls that the findings are about, each once; recorders and tenants are no calls."""
    return Call.objects.filter(pk__in=found.filter(call__isnull=False).order_by().values("call"))


def page_of(found: FindingQuerySet, *, are_closed: bool, before: str, now: datetime) -> Page:
    """The findings after a cursor, never counted and never skipped over one by one."""
    related = ("call", "recorder", "tenant", "assignee", "acknowledged_by", "resolved_by")
    ordered = _closed_after(found, before) if are_closed else _worst_after(found, before)
    findings = list(ordered.select_related(*related)[: PAGE_SIZE + 1])
    shown = findings[:PAGE_SIZE]
    older = _cursor_of(shown[-1], are_closed=are_closed) if len(findings) > PAGE_SIZE else ""
    return Page(_rows(shown, now=now), older)


def _closed_after(found: FindingQuerySet, before: str) -> QuerySet[Finding]:
    found = found.order_by("-resolved_at", "-id")
    match _parts(before):
        case [micros, key]:
            at = _moment(micros)
            return found.filter(Q(resolved_at__lt=at) | Q(id__lt=key), resolved_at__lte=at)
        case _:
            return found


def _worst_after(found: FindingQuerySet, before: str) -> QuerySet[Finding]:
    ranked = found.worst_first()
    match _parts(before):
        case [rank, micros, key]:
            at = _moment(micros)
            beside = Q(rank=rank) & (Q(since_at__gt=at) | Q(since_at=at, id__gt=key))
            return ranked.filter(Q(rank__gt=rank) | beside)
        case _:
            return ranked


def _cursor_of(finding: Finding, *, are_closed: bool) -> str:
    if are_closed and finding.resolved_at:
        return f"{_micros(finding.resolved_at)}.{finding.pk}"
    rank = SEVERITY_ORDER.index(finding.severity) if finding.severity in SEVERITY_ORDER else len(SEVERITY_ORDER)
    return f"{rank}.{_micros(finding.since_at)}.{finding.pk}"


def _parts(cursor: str) -> list[int]:
    """The numbers of a cursor; none for what is no cursor, or lies outside of time."""
    try:
        parts = [int(part) for part in cursor.split(".")]
        _moment(parts[-2])
    except (ValueError, IndexError, OverflowError):
        return []
    return parts if parts[-1].bit_length() < 64 and abs(parts[0]).bit_length() < 64 else []


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _rows(findings: Sequence[Finding], *, now: datetime) -> list[Row]:
    legs = _legs_of([finding.call for finding in findings if finding.call])
    return [
        Row(
            finding,
            explained=finding.explained(finding.facts(), now=now) if finding.is_open else None,
            is_asleep=finding.is_asleep(now),
            legs=legs[_person_of(finding.call)] if finding.call else 0,
        )
        for finding in findings
    ]


type Person = tuple[str, str, str]


def _person_of(call: Call) -> Person:
    return call.tenant_id, call.call_chain_id, call.recorded_user_id


def _legs_of(calls: Sequence[Call]) -> dict[Person, int]:
    """How many legs record the same person in the same conversation (R14): Graph says that this is no error."""
    chains = {call.call_chain_id for call in calls if call.call_chain_id}
    legs = Call.objects.filter(call_chain_id__in=chains).order_by()
    counted = legs.values_list("tenant_id", "call_chain_id", "recorded_user_id").annotate(legs=Count("id"))
    return defaultdict(int, {(tenant, chain, person): count for tenant, chain, person, count in counted if person})


def counts_of(reader: User, *, now: datetime) -> Counts:
    """Read once, from the index of the open ones."""
    asleep = Q(wakes_after__gt=now)
    counted = Finding.objects.open().aggregate(
        all=Count("id"), mine=Count("id", filter=Q(assignee=reader)), asleep=Count("id", filter=asleep)
    )
    return Counts(counted["all"] - counted["asleep"], counted["mine"], counted["asleep"])


def closed_lately(now: datetime) -> list[ClosedSo]:
    """How the findings closed in the last 30 days, each class counted apart: a confirmation is no attestation."""
    closed = Finding.objects.filter(resolved_at__gte=now - COUNTED_FOR).order_by()
    counts = dict(closed.values_list("resolution").annotate(Count("id")))
    return [ClosedSo(look(Resolution, one), counts.get(one.value, 0)) for one in Resolution]


def newest_entry() -> UUID:
    """The key of the latest ledger entry: what comes after it is news."""
    return LedgerEntry.objects.order_by("-id").values_list("id", flat=True).first() or _NO_KEY


def news_since(key: str, found: QuerySet[Finding]) -> int:
    """How many of the findings, whatever their phase, had a step since `key`; it does not count beyond MOST_NEWS."""
    since = parse_key(key)
    if since is None:
        return 0
    steps = LedgerEntry.objects.filter(action__in=FINDING_ACTIONS, id__gt=since, finding__in=found.order_by())
    return len(steps.order_by().values_list("finding_id", flat=True).distinct()[:MOST_NEWS])
