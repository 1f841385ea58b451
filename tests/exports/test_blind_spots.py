"""No filter takes the blind spots of the asked time out of an export: no change there is no proof of anything."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db.models import QuerySet

from recordings import exports, findings, ingest, operations
from recordings.models import Actor, Call, Operation, Recorder
from tests import cast

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def story(now: datetime) -> datetime:
    """Two recorders with a call each; rec-01 was silent for an hour, the other one never, and we were deaf later."""
    cast.call("call-1", at=now + MINUTE, told="recording")
    other = cast.recorder("rec-02", token="token-of-rec-02", now=now)
    cast.tell("call.joined", "call-2", at=now, by=other, tenantId=other.tenants[0], state="established")
    for quarter in range(1, 80):
        cast.tell("heartbeat", at=now + quarter * MINUTE, by=other, calls=[])
    findings.sweep(now + 5 * MINUTE)
    cast.tell("call.ended", "call-1", at=now + 60 * MINUTE)
    ingest.beat(now + 70 * MINUTE)
    ingest.beat(now + 75 * MINUTE)
    cast.tell("call.ended", "call-2", at=now + 80 * MINUTE, by=other)
    return now


def read(sheet: exports.Sheet, rows: QuerySet, by: User, now: datetime) -> list[dict[str, str]]:  # type: ignore[type-arg]
    asked = exports.Asked(Actor.objects.person(by), filter="", flavour=exports.Flavour.EXACT)
    whole = b"".join(exports.start(sheet, rows, asked=asked, clock=lambda: now))
    return list(csv.DictReader(io.StringIO(whole.decode(), newline=""), strict=True))


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"


def history(by: User, now: datetime, calls: QuerySet[Call] | None = None, **words: str) -> list[tuple[str, str, str]]:
    entries = exports.History.asked_for(words).entries(calls)
    rows: Iterable[dict[str, str]] = read(exports.HISTORY, entries, by, now)
    return [
        (row["action"].removeprefix("blindSpot."), row["recorder"], row["from_at"])
        for row in rows
        if row["action"].startswith("blindSpot.")
    ]


def test_history_has_each_when_it_was_noticed_and_when_it_was_over(story: datetime, olga: User) -> None:
    assert history(olga, story) == [
        ("opened", "rec-01", stamp(story)),
        ("closed", "rec-01", stamp(story)),
        ("opened", "", stamp(story + 70 * MINUTE)),
        ("closed", "", stamp(story + 70 * MINUTE)),
    ]


def test_a_call_has_those_of_its_time_of_its_own_recorder_or_of_ours(story: datetime, olga: User) -> None:
    recorders = [recorder for _, recorder, _ in history(olga, story, call="call-1")]
    assert recorders == ["rec-01", "rec-01"]
    assert {recorder for _, recorder, _ in history(olga, story, call="call-2")} == {""}
    assert history(olga, story, call="call-3") == []


def test_a_filter_of_the_calls_page_keeps_them(story: datetime, olga: User) -> None:
    chosen = Call.objects.filter(recorder=Recorder.objects.get(name="rec-01"))
    assert [recorder for _, recorder, _ in history(olga, story, chosen)] == ["rec-01", "rec-01"]
    assert history(olga, story, Call.objects.none()) == []


def test_a_filter_by_kind_of_event_keeps_them(story: datetime, olga: User) -> None:
    assert len(history(olga, story, action="status.changed")) == 4


def test_a_period_has_all_that_touch_it_though_noticed_before_or_after(story: datetime, olga: User) -> None:
    since, until = (stamp(story + minutes * MINUTE) for minutes in (20, 30))
    assert history(olga, story, event_from=since, event_to=until) == [
        ("opened", "rec-01", stamp(story)),
        ("closed", "rec-01", stamp(story)),
    ]
    later = stamp(story + 65 * MINUTE)
    assert {recorder for _, recorder, _ in history(olga, story, event_from=later)} == {""}


def test_each_call_names_those_of_its_life(story: datetime, olga: User) -> None:
    rows = {row["call_id"]: row["blind_spots"] for row in read(exports.CALLS, Call.objects.all(), olga, story)}
    assert rows == {
        "call-1": f"{stamp(story)}/{stamp(story + 60 * MINUTE)} rec-01",
        "call-2": f"{stamp(story + 70 * MINUTE)}/{stamp(story + 75 * MINUTE)} On Record",
    }


def test_one_that_goes_on_has_no_end(story: datetime, olga: User) -> None:
    at = story + 90 * MINUTE
    cast.call("call-4", at=at)
    ingest.beat_missed(at)
    (row,) = read(exports.CALLS, Call.objects.filter(graph_id="call-4"), olga, at)
    assert row["blind_spots"].split(", ")[-1] == f"{stamp(story + 75 * MINUTE)}/.. On Record"


def test_each_correction_names_those_of_its_time(story: datetime, mira: User) -> None:
    call = Call.objects.get(graph_id="call-1")
    actor = Actor.objects.person(mira)
    at = story + 10 * MINUTE
    operations.create(call, requested_status="failed", actor=actor, reason="nobody watched", now=at)
    (row,) = read(exports.OPERATIONS, Operation.objects.all(), mira, at)
    assert row["blind_spots"].startswith(f"{stamp(story)}/")
    assert row["blind_spots"].endswith(" rec-01, " + row["blind_spots"].split(", ")[1])
    assert "On Record" in row["blind_spots"], "it is not settled yet"
