"""No filter takes a time of wrong clocks out of an export: its times may not be laid side by side."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from recordings import exports, ingest
from recordings.models import Call
from sandbox.defaults import TENANT_ID
from tests import cast
from tests.exports.test_blind_spots import read, stamp

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def skewed(now: datetime) -> datetime:
    """Ours was 4.2 s ahead from ten minutes after the call began, for five minutes; another call came later."""
    cast.call("call-1", at=now, ended_at=now + 20 * MINUTE)
    with transaction.atomic():
        from_at, seen_at = now + 10 * MINUTE, now + 12 * MINUTE
        ingest.note_skew(TENANT_ID, seconds=4.2, from_at=from_at, seen_at=seen_at, now=seen_at)
        ingest.note_clock_right(TENANT_ID, at=now + 15 * MINUTE, now=now + 15 * MINUTE)
    cast.call("call-2", at=now + 30 * MINUTE)
    return now


def history(by: User, now: datetime, **words: str) -> list[tuple[str, str, str, str]]:
    rows = read(exports.HISTORY, exports.History.asked_for(words).entries(), by, now)
    columns = ("action", "from_at", "until_at", "clock_milliseconds")
    return [tuple(row[name] for name in columns) for row in rows if row["action"].startswith("clock.")]  # type: ignore[misc]


def test_history_says_when_the_clocks_were_apart_and_by_how_much(skewed: datetime, olga: User) -> None:
    began, ended = stamp(skewed + 10 * MINUTE), stamp(skewed + 15 * MINUTE)
    said = [("clock.skewed", began, "", "4200"), ("clock.right", began, ended, "4200")]
    assert history(olga, skewed) == said
    assert history(olga, skewed, call="call-1") == said
    assert history(olga, skewed, action="status.changed") == said
    assert history(olga, skewed, event_from=stamp(skewed + 13 * MINUTE), event_to=stamp(skewed + 14 * MINUTE)) == said


def test_history_of_another_time_does_not(skewed: datetime, olga: User) -> None:
    assert history(olga, skewed, call="call-2") == []
    assert history(olga, skewed, event_from=stamp(skewed + 16 * MINUTE)) == []


def test_each_call_names_those_of_its_life(skewed: datetime, olga: User) -> None:
    rows = {row["call_id"]: row["clock_skews"] for row in read(exports.CALLS, Call.objects.all(), olga, skewed)}
    between = f"{stamp(skewed + 10 * MINUTE)}/{stamp(skewed + 15 * MINUTE)}"
    assert rows == {"call-1": f"{between} +4.2", "call-2": ""}
