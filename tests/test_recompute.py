"""After a change of the rules: every moment is found again, without reading what no rule can be about."""

import random
import threading
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connections
from pytest_django import DjangoAssertNumQueries, Settings

from recordings import conf, findings, rules, services
from recordings.choices import CaptureState, RecordingStatus
from recordings.findings.recomputing import of_interest
from recordings.models import Call, Finding
from recordings.services import Requester
from sandbox.defaults import TENANT_ID
from tests import cast

pytestmark = pytest.mark.django_db

RESULTS = [(None, None), (200, 0), (200, 5000), (200, 7000), (408, 8537), (410, 301005), (480, 10037), (500, 1999)]
STATES = ["", "incoming", "establishing", "established", "terminated"]


def any_call(number: int, *, chance: random.Random, now: datetime) -> Call:
    """A call as nobody would tell of it, and as anybody might."""

    def moment() -> datetime | None:
        return now - timedelta(minutes=chance.randrange(2000)) if chance.random() < 0.7 else None

    code, subcode = chance.choice(RESULTS)
    return Call(
        graph_id=f"call-{number}",
        tenant_id=TENANT_ID,
        state=chance.choice(STATES),
        created_at=now,
        established_at=moment(),
        ended_at=moment(),
        gone_at=moment(),
        status_refused_at=moment(),
        result_code=code,
        result_subcode=subcode,
        is_policy_call=chance.choice([None, True, False]),
        capture_state=chance.choice(CaptureState.values),
        capture_at=moment(),
        capture_changed_at=moment(),
        recording_status=chance.choice(RecordingStatus.values),
        recording_status_at=moment(),
        told_changed_at=moment(),
        first_signal_at=moment(),
        last_signal_at=moment(),
        graph_seen_at=moment(),
        recorder_word_at=moment(),
    )


def test_no_call_is_spared_of_which_a_rule_says_something(now: datetime) -> None:
    chance = random.Random(3)
    Call.objects.bulk_create(any_call(number, chance=chance, now=now) for number in range(3000))
    of_some_rule = {
        call.graph_id
        for call in Call.objects.all()
        if rules.verdicts(call.facts(siblings_over_at=now), graces=conf.graces())
    }
    looked_at = set(Call.objects.filter(of_interest()).values_list("graph_id", flat=True))
    assert of_some_rule - looked_at == set()
    assert len(looked_at) < Call.objects.count(), "and some are spared"


def test_a_grace_that_was_changed_moves_what_waits(now: datetime, settings: Settings) -> None:
    cast.call(at=now, capture="stopped", told="recording")
    cast.call("call-2", at=now, told="notRecording", ended_at=now)
    settings.STUCK_BEFORE_STOP = 5.0
    (done,) = findings.recompute(now)
    assert (done.looked_at, done.moved) == (1, 1)
    assert Call.objects.get(graph_id="call-1").due_after == now - timedelta(seconds=55)
    (again,) = findings.recompute(now)
    assert again.moved == 0


def test_a_finding_whose_rule_no_longer_holds_is_closed_by_the_next_sweep(now: datetime, settings: Settings) -> None:
    cast.call(at=now, told="recording", ended_at=now)
    findings.sweep(now + timedelta(minutes=1))
    settings.STUCK_AFTER_END = 3600.0
    list(findings.recompute(now + timedelta(minutes=1)))
    findings.sweep(now + timedelta(minutes=1))
    assert not Finding.objects.get(rule="R7").is_open


def test_a_correction_in_progress_is_found_though_its_call_is_over(
    now: datetime, settings: Settings, mira: User
) -> None:
    call = cast.call(at=now, told="recording")
    services.request_correction(call, wish="failed", reason="x", by=Requester.at_screen(mira), now=now)
    cast.tell("status.told", "call-1", at=now, status="notRecording")
    cast.tell("call.ended", "call-1", at=now)
    settings.STUCK_OPERATION = 5.0
    list(findings.recompute(now))
    assert Call.objects.get().due_after == now + timedelta(seconds=5)


@pytest.mark.parametrize("count", [1, 30])
def test_many_calls_that_stay_are_read_with_as_many_queries_as_one(
    now: datetime, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for number in range(count):
        cast.call(f"call-{number}", at=now)
        cast.call(f"over-{number}", at=now, ended_at=now)
    with django_assert_num_queries(11):
        list(findings.recompute(now))


def test_batches_join_without_a_gap(now: datetime, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings.recomputing, "READ_AT_ONCE", 3)
    for number in range(7):
        cast.call(f"call-{number}", at=now, told="recording", ended_at=now)
    settings.STUCK_AFTER_END = 1.0
    progress = [(done.looked_at, done.moved) for done in findings.recompute(now)]
    assert progress == [(3, 3), (6, 6), (7, 7)]


@pytest.mark.django_db(transaction=True)
def test_what_a_worker_does_meanwhile_is_not_undone(now: datetime, settings: Settings) -> None:
    """Facts that come between the reading of a batch and the writing are judged as they are then."""
    for number in range(5):
        cast.call(f"call-{number}", at=now, capture="stopped", told="recording")
    settings.STUCK_BEFORE_STOP = 5.0
    run = findings.recompute(now)
    heard = threading.Thread(target=_put_right, args=(now,))
    heard.start()
    list(run)
    heard.join()
    findings.sweep(now)
    assert Finding.objects.filter(rule="R2", resolved_at=None).count() == 0
    assert set(Call.objects.values_list("recording_status", flat=True)) == {"notRecording"}


def _put_right(now: datetime) -> None:
    try:
        for number in range(5):
            cast.tell("status.told", f"call-{number}", at=now, status="notRecording")
    finally:
        connections.close_all()
