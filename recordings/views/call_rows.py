"""One page of the call list: keyset paging, and what each row shows beside the call itself."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from recordings.models import Call, Finding, StatusChange
from recordings.models.keys import parse_key
from recordings.templatetags.scale import first_known

PAGE_SIZE = 50
# The announcement of new changes counts no further.
MOST_NEWS = 99
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_KEY = UUID(int=0)


@dataclass(frozen=True)
class Row:
    """One line of the list."""

    call: Call
    findings: Sequence[Finding]
    changes: Sequence[StatusChange]
    since: datetime
    until: datetime

    @property
    def more_findings(self) -> int:
        return len(self.findings) - 1


@dataclass(frozen=True)
class Page:
    """Newest first. `older` is the cursor of the next page, empty on the last one."""

    rows: list[Row]
    older: str

    @property
    def time_shown(self) -> tuple[datetime | None, datetime | None]:
        """From the first thing known of any of its calls to the last."""
        since, until = (row.since for row in self.rows), (row.until for row in self.rows)
        return min(since, default=None), max(until, default=None)


def page_of(found: QuerySet[Call], *, before: str, now: datetime) -> Page:
    """The calls before a cursor, never counted and never skipped over one by one."""
    found = found.order_by("-created_at", "-id").select_related("recorder")
    cursor = parse_cursor(before)
    if cursor:
        at, key = cursor
        found = found.filter(Q(created_at__lt=at) | Q(id__lt=key), created_at__lte=at)
    calls = list(found[: PAGE_SIZE + 1])
    shown = calls[:PAGE_SIZE]
    older = cursor_of(shown[-1]) if len(calls) > PAGE_SIZE else ""
    return Page(_rows(shown, now=now), older)


def _rows(calls: Sequence[Call], *, now: datetime) -> list[Row]:
    findings: dict[int, list[Finding]] = defaultdict(list)
    for finding in Finding.objects.open().worst_first().filter(call__in=calls):
        findings[finding.call_id or 0].append(finding)
    changes: dict[int, list[StatusChange]] = defaultdict(list)
    for change in StatusChange.objects.filter(call__in=calls).order_by("id"):
        changes[change.call_id].append(change)
    return [_row(call, findings[call.pk], changes[call.pk], now=now) for call in calls]


def _row(call: Call, findings: Sequence[Finding], changes: Sequence[StatusChange], *, now: datetime) -> Row:
    return Row(call, findings, changes, since=first_known(call, changes), until=call.over_at or now)


def cursor_of(call: Call) -> str:
    micros = (call.created_at - _EPOCH) // timedelta(microseconds=1)
    return f"{micros}.{call.pk}"


def parse_cursor(text: str) -> tuple[datetime, int] | None:
    """The moment and the key of a cursor; None for what is none."""
    try:
        micros, key = text.split(".")
        return _EPOCH + timedelta(microseconds=int(micros)), int(key)
    except (ValueError, OverflowError):
        return None


def newest_change() -> UUID:
    """The key of the latest change: what comes after it is news."""
    return StatusChange.objects.order_by("-id").values_list("id", flat=True).first() or _NO_KEY


def news_since(key: str, found: QuerySet[Call]) -> int:
    """How many changes of the calls in `found` came after `key`; it does not count beyond MOST_NEWS."""
    since = parse_key(key)
    if since is None:
        return 0
    news = StatusChange.objects.filter(id__gt=since, call__in=found.order_by())
    return len(news.order_by("id").values_list("id", flat=True)[:MOST_NEWS])
