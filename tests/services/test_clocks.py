"""Our clock and Graph's: three answers in a row that cannot be are a finding, over the wire to the stand-in."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from recordings import findings, ingest, ledger, services
from recordings.models import BlindSpot, Call, ClockSkew, Finding, LedgerEntry, Tenant
from recordings.services import clocks
from recordings.services.reading import read_call
from sandbox.defaults import TENANT_ID
from sandbox.server import Sandbox
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _unheard() -> Iterator[None]:
    clocks.watch.forget()
    yield
    clocks.watch.forget()


@pytest.fixture
def call(sandbox: Sandbox) -> Call:
    at = datetime.now(UTC)
    return cast.call(str(sandbox.add_call(state="established")["call_id"]), at=at)


def ask(call: Call, times: int) -> None:
    for _ in range(times):
        read_call(call, now=datetime.now(UTC))


def entries(action: str) -> list[dict[str, object]]:
    return [dict(ledger.body_of(entry)) for entry in LedgerEntry.objects.filter(action=action).order_by("id")]


@pytest.mark.parametrize(("ahead", "words"), [(-10, "10 s ahead of Microsoft's"), (30, "30 s behind Microsoft's")])
def test_three_answers_in_a_row_with_a_date_that_cannot_be_are_a_finding(
    call: Call, sandbox: Sandbox, ahead: float, words: str
) -> None:
    sandbox.fault("clock", seconds=ahead, times=None)
    ask(call, 2)
    assert not ClockSkew.objects.exists()
    ask(call, 1)
    skew = ClockSkew.objects.get()
    assert (skew.until_at, abs(skew.seconds + ahead) < 2) == (None, True)

    now = datetime.now(UTC)
    findings.sweep(now)
    finding = Finding.objects.get(rule="R21")
    assert (finding.subject_name, finding.since_at, finding.severity) == (TENANT_ID, skew.from_at, "medium")
    assert words in finding.explained(finding.facts(), now=now).sentence
    (entry,) = entries("clock.skewed")
    assert entry["milliseconds"] == round(skew.seconds * 1000)


def test_an_answer_in_between_that_fits_begins_the_count_anew(call: Call, sandbox: Sandbox) -> None:
    for _ in range(2):
        sandbox.fault("clock", seconds=-10, times=2)
        ask(call, 3)
    assert not ClockSkew.objects.exists()


def test_clocks_that_agree_leave_nothing(call: Call) -> None:
    ask(call, 4)
    services.beat(datetime.now(UTC))
    assert (ClockSkew.objects.count(), Tenant.objects.filter(clock_skewed_at__isnull=False).count()) == (0, 0)


def test_it_is_over_when_nobody_has_seen_it_for_two_minutes(call: Call, sandbox: Sandbox) -> None:
    began = datetime.now(UTC) - timedelta(minutes=10)
    ingest_skew(began, seen_at=datetime.now(UTC) - timedelta(seconds=90))
    ask(call, 3)
    services.beat(datetime.now(UTC))
    assert ClockSkew.objects.get().until_at is None, "another machine saw it a moment ago"

    ClockSkew.objects.update(seen_at=datetime.now(UTC) - timedelta(seconds=121))
    services.beat(datetime.now(UTC) + timedelta(seconds=11))
    skew = ClockSkew.objects.get()
    assert skew.until_at is not None
    findings.sweep(datetime.now(UTC) + timedelta(seconds=12))
    assert Finding.objects.get(rule="R21").resolution == "selfRecovered"
    (entry,) = entries("clock.right")
    assert entry["until_at"] == ledger.timestamp(skew.until_at)


def ingest_skew(from_at: datetime, *, seen_at: datetime, seconds: float = 5.0) -> None:
    ingest.note_skew(TENANT_ID, seconds=seconds, from_at=from_at, seen_at=seen_at, now=seen_at)
    findings.sweep(seen_at)


def test_while_it_goes_on_the_largest_difference_is_kept_in_one_row(sandbox: Sandbox, now: datetime) -> None:
    for minute, seconds in enumerate((-3.0, -8.0, -4.0)):
        ingest_skew(now, seen_at=now + timedelta(minutes=minute), seconds=seconds)
    skew = ClockSkew.objects.get()
    assert (skew.seconds, skew.from_at, skew.seen_at) == (-8.0, now, now + timedelta(minutes=2))
    assert len(entries("clock.skewed")) == 1


def test_a_skew_is_no_blind_spot(sandbox: Sandbox, now: datetime) -> None:
    ingest_skew(now, seen_at=now)
    assert not BlindSpot.objects.exists()


def test_a_correction_hears_the_clock_too(sandbox: Sandbox, mira: User) -> None:
    sandbox.fault("clock", seconds=-10, times=None)
    for number in range(4):
        at = datetime.now(UTC)
        graph_id = str(sandbox.add_call(state="established")["call_id"])
        call = cast.call(graph_id, at=at, capture="started")
        by = services.Requester.at_screen(mira)
        asked = services.request_correction(call, wish="recording", reason=f"try {number}", by=by, now=at)
        services.send_operation(asked.pk)
    assert ClockSkew.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_processes_at_once_open_one(sandbox: Sandbox, now: datetime) -> None:
    together = threading.Barrier(3)

    def note() -> None:
        try:
            together.wait()
            ingest_skew_of_a_process(now)
        finally:
            connection.close()

    processes = [threading.Thread(target=note) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert (ClockSkew.objects.count(), len(entries("clock.skewed"))) == (1, 1)


def ingest_skew_of_a_process(now: datetime) -> None:
    with transaction.atomic():
        ingest.note_skew(TENANT_ID, seconds=5.0, from_at=now, seen_at=now, now=now)
