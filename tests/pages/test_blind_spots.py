"""What a compliance officer sees of a time of which nobody knows: on every page that shows it, from when and why."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from recordings import findings, ingest, operations
from recordings.models import Actor, Call, Finding, Operation
from tests import cast

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
QUERIES_OF_THE_LIST = 12
NOTE = "no change in this time is no proof that nothing changed"


@pytest.fixture
def ago() -> datetime:
    """Two hours before now."""
    return timezone.now() - timedelta(hours=2)


@pytest.fixture
def silent(ago: datetime) -> Call:
    """A call that ran for an hour while its recorder was silent for half of it."""
    cast.call("call-1", at=ago + MINUTE, capture="started", told="recording")
    findings.sweep(ago + 5 * MINUTE)
    cast.heartbeat("call-1", at=ago + 30 * MINUTE, capture="stopped")
    for minute in range(31, 60):
        cast.heartbeat("call-1", at=ago + minute * MINUTE, capture="stopped")
    cast.tell("call.ended", "call-1", at=ago + 60 * MINUTE)
    return Call.objects.get()


def cast_operation(call: Call, mira: User, *, at: datetime) -> Operation:
    """A correction that was asked for then."""
    actor = Actor.objects.person(mira)
    return operations.create(call, requested_status="failed", actor=actor, reason="checked", now=at)


def page(client: Client, who: User, url: str) -> str:
    client.force_login(who)
    return client.get(url).content.decode()


def test_the_timeline_of_a_call_shows_when_its_recorder_was_silent(
    client: Client, olga: User, silent: Call, ago: datetime
) -> None:
    shown = page(client, olga, "/calls/call-1/")
    until = ago + 30 * MINUTE
    assert NOTE in shown
    assert "The recorder rec-01 was silent." in shown
    assert f"Blind spot, {ago:%H:%M:%S} to {until:%H:%M:%S}: The recorder rec-01 was silent." in shown
    assert f"Blind spot from {ago:%H:%M:%S} to {until:%H:%M:%S}." in shown, "also for who cannot see it"


def test_a_call_of_another_time_or_recorder_says_nothing_of_it(
    client: Client, olga: User, silent: Call, ago: datetime
) -> None:
    cast.call("later", at=ago + 41 * MINUTE, told="notRecording", ended_at=ago + 50 * MINUTE)
    other = cast.recorder("rec-02", token="token-of-rec-02", now=ago)
    cast.tell("call.joined", "other", at=ago, by=other, tenantId=other.tenants[0], state="established")
    cast.tell("call.ended", "other", at=ago + MINUTE, by=other)
    for graph_id in ("later", "other"):
        assert NOTE not in page(client, olga, f"/calls/{graph_id}/")


def test_the_lists_say_of_the_time_their_rows_cover_that_nobody_watched(
    client: Client, olga: User, mira: User, silent: Call, ago: datetime
) -> None:
    wish = cast_operation(silent, mira, at=ago + 10 * MINUTE)
    for url in ("/calls/", "/findings/", "/operations/"):
        assert NOTE in page(client, olga, url), url
    assert wish.requested_at < ago + 30 * MINUTE


def test_a_list_of_a_later_time_says_nothing_of_it(client: Client, olga: User, silent: Call) -> None:
    now = timezone.now()
    cast.call("later", at=now, told="notRecording")
    assert NOTE not in page(client, olga, "/calls/?q=later")


def test_our_own_blind_spot_is_on_every_call_of_its_time(
    client: Client, olga: User, silent: Call, ago: datetime
) -> None:
    ingest.beat(ago + 40 * MINUTE)
    ingest.beat(ago + 50 * MINUTE)
    shown = page(client, olga, "/calls/call-1/")
    assert "On Record did not run, or took nothing in." in shown
    assert shown.count("Blind spot, ") == 2


def test_one_that_goes_on_says_so_wherever_it_matters(client: Client, olga: User) -> None:
    now = timezone.now()
    cast.call("call-1", at=now - 4 * MINUTE, told="recording", capture="started")
    findings.sweep(now)
    finding = Finding.objects.get(rule="R20")
    for url in ("/", "/calls/", "/findings/", f"/findings/{finding.pk}/", "/operations/", "/calls/call-1/"):
        shown = page(client, olga, url)
        assert NOTE in shown, url
        assert "until now, and it goes on" in shown, url


def test_what_is_over_is_on_the_overview_for_a_day_and_on_lists_of_its_days(
    client: Client, olga: User, silent: Call, ago: datetime
) -> None:
    assert NOTE in page(client, olga, "/")
    assert NOTE not in page(client, olga, "/operations/"), "no row of that time"
    for url in ("/calls/", "/operations/"):
        assert NOTE in page(client, olga, f"{url}?from={ago:%Y-%m-%d}&to={ago:%Y-%m-%d}")
        assert NOTE not in page(client, olga, f"{url}?to={ago - timedelta(days=2):%Y-%m-%d}")
    assert NOTE in page(client, olga, "/calls/?from=yesterday"), "what was not understood filters nothing"


def test_a_list_of_one_recorder_has_its_own_and_ours(client: Client, olga: User, silent: Call, ago: datetime) -> None:
    cast.recorder("rec-02", token="token-of-rec-02", now=ago)
    day = f"from={ago:%Y-%m-%d}"
    assert NOTE in page(client, olga, f"/calls/?{day}&recorder=rec-01")
    assert NOTE not in page(client, olga, f"/calls/?{day}&recorder=rec-02")


def test_what_somebody_is_to_decide_shows_it(client: Client, mira: User, silent: Call) -> None:
    assert NOTE in page(client, mira, "/calls/call-1/correct/")
    findings.sweep(timezone.now())
    found = Finding.objects.filter(call=silent).first()
    assert found
    assert NOTE in page(client, mira, f"/findings/{found.pk}/attest/")


def test_many_are_one_query_and_the_latest_are_named(
    client: Client, olga: User, ago: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    cast.call("call-1", at=ago)
    url = f"/calls/?from={ago:%Y-%m-%d}"
    page(client, olga, url)
    with django_assert_num_queries(QUERIES_OF_THE_LIST):
        client.get(url)
    for turn in range(1, 10):
        ingest.beat(ago + turn * 5 * MINUTE)
    with django_assert_num_queries(QUERIES_OF_THE_LIST):
        shown = client.get(url).content.decode()
    assert shown.count("On Record did not run") == 5
    assert "Earlier ones are in the history export." in shown
