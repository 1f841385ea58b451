"""A recorder that says nothing is a finding, and the time of its silence a blind spot; so is the time we were deaf."""

from datetime import datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from recordings import findings, ingest, services
from recordings.choices import LedgerAction, Resolution
from recordings.ledger import body_of
from recordings.models import Actor, BlindSpot, Finding, LedgerEntry, Recorder
from tests import cast

pytestmark = pytest.mark.django_db

GRACE = timedelta(minutes=2)
SECOND = timedelta(seconds=1)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@pytest.fixture
def spoke(now: datetime) -> Recorder:
    """The recorder, which spoke at `now`."""
    cast.tell("heartbeat", at=now, calls=[])
    return Recorder.objects.get()


def speak(at: datetime) -> None:
    cast.tell("heartbeat", at=at, calls=[])


def silence() -> list[tuple[bool, str]]:
    found = Finding.objects.filter(rule="R20").order_by("pk")
    return [(finding.is_open, finding.resolution) for finding in found]


def spots() -> list[tuple[str, datetime, datetime | None]]:
    return [(spot.whose, spot.from_at, spot.until_at) for spot in BlindSpot.objects.order_by("pk")]


def test_the_first_sweep_after_its_grace_finds_it(spoke: Recorder, now: datetime) -> None:
    findings.sweep(now + GRACE - SECOND)
    assert (silence(), spots()) == ([], [])
    findings.sweep(now + GRACE)
    assert silence() == [(True, "")]
    assert spots() == [("rec-01", now, None)]


def test_its_next_word_ends_both(spoke: Recorder, now: datetime) -> None:
    findings.sweep(now + minutes(10))
    speak(now + minutes(11))
    findings.sweep(now + minutes(11))
    assert silence() == [(False, Resolution.SELF_RECOVERED)]
    assert spots() == [("rec-01", now, now + minutes(11))]
    findings.sweep(now + minutes(11) + GRACE)
    assert silence() == [(True, "")], "the same trouble again"
    assert spots()[1:] == [("rec-01", now + minutes(11), None)]


def test_a_silence_that_no_sweep_noticed_is_a_blind_spot_all_the_same(spoke: Recorder, now: datetime) -> None:
    speak(now + minutes(30))
    assert spots() == [("rec-01", now, now + minutes(30))]
    findings.sweep(now + minutes(30))
    assert silence() == []


def test_a_pause_within_the_grace_is_none(spoke: Recorder, now: datetime) -> None:
    speak(now + GRACE)
    assert spots() == []


def test_each_step_is_in_the_ledger_with_the_moments_it_speaks_of(spoke: Recorder, now: datetime) -> None:
    findings.sweep(now + minutes(10))
    speak(now + minutes(11))
    opened, closed = LedgerEntry.objects.filter(action__startswith="blindSpot").order_by("pk")
    assert (opened.action, opened.occurred_at, opened.recorded_at) == (
        LedgerAction.BLIND_SPOT_OPENED,
        now,
        now + minutes(10),
    )
    assert (closed.action, closed.occurred_at) == (LedgerAction.BLIND_SPOT_CLOSED, now + minutes(11))
    assert body_of(opened)["recorder"] == "rec-01"
    assert body_of(closed)["reason"] == "The recorder rec-01 was silent."


def test_a_recorder_that_never_spoke_is_not_awaited(now: datetime) -> None:
    cast.recorder(now=now)
    findings.sweep(now + timedelta(days=1))
    assert (silence(), spots()) == ([], [])


def test_a_recorder_that_was_switched_off_is_not_awaited_any_more(spoke: Recorder, now: datetime) -> None:
    findings.sweep(now + minutes(10))
    spoke.refresh_from_db()
    services.disable_recorder(spoke, actor=Actor.objects.shell(), now=now + minutes(20))
    findings.sweep(now + minutes(20))
    assert silence() == [(False, Resolution.SELF_RECOVERED)]
    assert spots() == [("rec-01", now, now + minutes(20))]


def test_a_heartbeat_that_is_not_late_asks_for_no_blind_spots(
    spoke: Recorder, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(3):  # the recorder, its findings, and its next moment
        ingest.heard_recorder(spoke, now=now + SECOND)


# -- our own


def test_a_gap_in_our_own_beats_is_a_blind_spot_of_ours(now: datetime) -> None:
    for at in (now, now + GRACE, now + minutes(10), now + minutes(10) + SECOND):
        ingest.beat(at)
    assert spots() == [("On Record", now + GRACE, now + minutes(10))]


def test_while_we_cannot_be_reached_one_is_open_after_its_grace(now: datetime) -> None:
    ingest.beat(now)
    assert not ingest.beat_missed(now + GRACE)
    assert spots() == []
    assert ingest.beat_missed(now + GRACE + SECOND)
    assert not ingest.beat_missed(now + minutes(3))
    assert spots() == [("On Record", now, None)]
    ingest.beat(now + minutes(5))
    ingest.beat(now + minutes(5) + SECOND)
    assert spots() == [("On Record", now, now + minutes(5))]


def test_the_first_beat_ever_is_no_gap_and_a_clock_set_back_makes_none(now: datetime) -> None:
    ingest.beat(now)
    ingest.beat(now - minutes(30))
    ingest.beat(now + SECOND)
    assert spots() == []


def test_two_workers_whose_clocks_differ_make_one_gap_and_not_one_at_every_turn(now: datetime) -> None:
    for turn in range(5):
        ingest.beat(now + turn * timedelta(seconds=10))
        ingest.beat(now + turn * timedelta(seconds=10) + minutes(10))
    assert len(spots()) == 1


def test_nobody_was_silent_while_we_could_not_listen(spoke: Recorder, now: datetime) -> None:
    ingest.beat(now)
    findings.sweep(now + minutes(10))
    assert silence() == [], "the gap is not closed yet"
    ingest.beat(now + minutes(10))
    findings.sweep(now + minutes(11))
    assert silence() == []
    speak(now + minutes(11))
    assert spots() == [("On Record", now, now + minutes(10))]


def test_a_recorder_that_stays_silent_once_we_listen_again_is_found_after_its_grace(
    spoke: Recorder, now: datetime
) -> None:
    ingest.beat(now)
    ingest.beat(now + minutes(10))
    ingest.beat(now + minutes(11.5))
    findings.sweep(now + minutes(11.5))
    assert silence() == []
    ingest.beat(now + minutes(12))
    findings.sweep(now + minutes(12))
    assert silence() == [(True, "")]
    assert spots()[1] == ("rec-01", now, None)


def test_a_silence_from_before_we_went_deaf_goes_on(spoke: Recorder, now: datetime) -> None:
    ingest.beat(now + minutes(5))
    findings.sweep(now + minutes(5))
    ingest.beat(now + minutes(20))
    Recorder.objects.update(due_after=now)
    findings.sweep(now + minutes(20))
    assert silence() == [(True, "")]
    assert ("rec-01", now, None) in spots()
