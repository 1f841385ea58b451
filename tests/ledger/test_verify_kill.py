"""Verification in the worker: asked for, once a day, held by one, and begun again where a process died."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from recordings import ledger, passes
from recordings.choices import LedgerAction, VerificationStatus
from recordings.ledger import body_of
from recordings.models import Actor, LedgerEntry, Seal, StatusChange, Verification
from recordings.services.witnessing import put_into
from tests import ledgers
from tests.commands.running import run
from tests.ledger.attacked import fill
from tests.ledgers import interrupt_a_verification
from tests.owning import change, switch_triggers_off
from tests.processes import database_url, manage

DAY = timedelta(days=1)


def verify_at(now: datetime) -> int:
    return ledger.verify_due(now, clock=lambda: now)


def said() -> list[dict[str, object]]:
    """What the ledger says of runs."""
    entries = LedgerEntry.objects.filter(action=LedgerAction.VERIFICATION_FINISHED).order_by("pk")
    return [dict(body_of(entry)) for entry in entries]


@pytest.fixture
def filled(db: None, now: datetime) -> datetime:
    fill(now)
    return now


def test_a_run_that_was_asked_for_is_told_with_who_asked(filled: datetime, ada: User) -> None:
    actor = Actor.objects.person(ada)
    asked = ledger.request_verification(actor, now=filled)
    assert ledger.request_verification(actor, now=filled) == asked

    assert verify_at(filled) == 1
    asked.refresh_from_db()
    assert (asked.status, asked.finished_at, asked.leased_until) == (VerificationStatus.PASSED, filled, None)
    assert asked.checked == asked.size > 600
    (entry,) = said()
    expected = {"result": "passed", "alarms": 0, "first_alarm": "", "first_index": None}
    assert {name: entry[name] for name in expected} == expected
    assert (entry["verification"], entry["actor"]) == (str(asked.pk), actor.pk)


def test_a_run_that_finds_something_keeps_it_and_tells_the_first_place(filled: datetime) -> None:
    switch_triggers_off()
    row = StatusChange.objects.earliest("pk")
    change(row, reason="as agreed")

    assert verify_at(filled) == 1
    found = Verification.objects.get()
    assert (found.status, found.alarm_count) == (VerificationStatus.ALARMED, 1)
    assert found.alarms[0]["kind"] == "rowDiffers"
    assert str(row.pk) in found.alarms[0]["sentence"]
    (entry,) = said()
    assert (entry["result"], entry["alarms"], entry["first_alarm"]) == ("alarmed", 1, "rowDiffers")
    assert entry["first_index"] == found.alarms[0]["index"]


def test_once_a_day_nobody_has_to_ask(filled: datetime) -> None:
    assert verify_at(filled) == 1
    assert verify_at(filled + DAY - timedelta(seconds=1)) == 0
    assert verify_at(filled + DAY) == 1
    assert {row.requested_by.label for row in Verification.objects.all()} == {"On Record: verify"}


def test_a_run_that_was_interrupted_does_not_count_as_the_daily_one(filled: datetime) -> None:
    verify_at(filled)
    interrupt_a_verification(clock=lambda: filled + DAY - timedelta(seconds=1))
    assert verify_at(filled + DAY) == 1


def test_the_newest_run_that_found_something_out_is_the_verdict(filled: datetime) -> None:
    verify_at(filled)
    interrupt_a_verification(clock=lambda: filled + DAY)
    verdict, unfinished = ledger.newest_verdict(), ledger.newest_unfinished()
    assert verdict
    assert verdict.status == VerificationStatus.PASSED
    assert unfinished
    assert unfinished.status == VerificationStatus.BROKEN

    verify_at(filled + 2 * DAY)
    assert ledger.newest_verdict() != verdict
    assert ledger.newest_unfinished() is None


def test_how_often_is_a_setting(filled: datetime, settings: Settings) -> None:
    settings.LEDGER_VERIFY_SECONDS = 3600.0
    verify_at(filled)
    assert verify_at(filled + timedelta(hours=1)) == 1


def test_a_ledger_without_a_seal_is_left_alone(db: None, now: datetime) -> None:
    ledgers.entries(3, at=now)
    assert verify_at(now) == 0


def test_a_run_that_another_worker_holds_is_left_to_it(filled: datetime) -> None:
    held = ledger.request_verification(Actor.objects.job("verify"), now=filled)
    Verification.objects.filter(pk=held.pk).update(leased_until=filled + timedelta(seconds=1), started_at=filled)

    assert verify_at(filled) == 0
    assert verify_at(filled + timedelta(seconds=1)) == 1


def test_a_worker_that_is_told_to_stop_gives_the_run_back(filled: datetime) -> None:
    ledger.request_verification(Actor.objects.job("verify"), now=filled)
    row = Verification.objects.get()
    try:
        passes.stopping.set()
        assert verify_at(filled) == 0
        with pytest.raises(CommandError, match="nothing was found out"):
            run("verify")
    finally:
        passes.stopping.clear()
    row.refresh_from_db()
    assert (row.status, row.leased_until) == (VerificationStatus.WAITING, None)
    assert verify_at(filled) == 1


def test_a_run_that_nobody_finishes_in_a_day_is_given_up(filled: datetime) -> None:
    run_of_yesterday = ledger.request_verification(Actor.objects.job("verify"), now=filled - DAY)
    Verification.objects.filter(pk=run_of_yesterday.pk).update(started_at=filled - DAY, leased_until=filled)

    assert verify_at(filled) == 1
    results = [entry["result"] for entry in said()]
    assert results == ["broken", "passed"]


# -- killed (SIGKILL)


@pytest.fixture
def env() -> dict[str, str]:
    own = {"DEBUG": "1", "ENV_FILE": os.devnull, "DATABASE_URL": database_url()}
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "dashboard.settings", **own}


def kill(process: "subprocess.Popen[str]") -> None:
    assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    assert process.wait(timeout=30) == -signal.SIGKILL
    process.communicate()


def wait_for(true: Callable[[], bool], *, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            pytest.fail("it did not come to that")
        time.sleep(0.02)


def nothing_was_done_by_halves(entries: int) -> None:
    """The run stands as begun, nothing says that it ended, and a worker runs it again when its lease is over."""
    (killed,) = Verification.objects.all()
    assert (killed.status, killed.finished_at, killed.alarms) == (VerificationStatus.RUNNING, None, [])
    assert LedgerEntry.objects.count() == entries
    assert killed.leased_until
    assert verify_at(killed.leased_until - timedelta(seconds=1)) == 0
    assert verify_at(killed.leased_until) == 1
    killed.refresh_from_db()
    assert killed.status == VerificationStatus.PASSED
    assert [entry["verification"] for entry in said()] == [str(killed.pk)]


@pytest.mark.django_db(transaction=True)
def test_killed_half_way_it_is_begun_again(tmp_path: Path, env: dict[str, str]) -> None:
    """Held up at the second checkpoint of a witness, which is a pipe that nobody fills."""
    with transaction.atomic():
        fill(timezone.now())
    entries = LedgerEntry.objects.count()
    first, second, _ = Seal.objects.order_by("size")
    put_into(tmp_path, first)
    pipe = tmp_path / f"{second.size}.checkpoint"
    os.mkfifo(pipe)

    with manage("verify", "--witness", str(tmp_path), env=env) as process:
        wait_for(lambda: _is_read(pipe))
        kill(process)

    nothing_was_done_by_halves(entries)


def _is_read(pipe: Path) -> bool:
    try:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_killed_while_it_writes_down_what_it_found_it_is_begun_again(env: dict[str, str]) -> None:
    with transaction.atomic():
        fill(timezone.now())
    entries = LedgerEntry.objects.count()

    with manage("verify", env=env) as process:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE recordings_ledgerentry IN EXCLUSIVE MODE")  # they can still be read
            wait_for(_is_somebody_waiting)
            kill(process)
        wait_for(_is_nobody_else_there)

    nothing_was_done_by_halves(entries)


def _is_somebody_waiting() -> bool:
    return _count("SELECT count(*) FROM pg_locks WHERE NOT granted") == 1


def _is_nobody_else_there() -> bool:
    here = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
    return _count(here) == 1


def _count(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        (count,) = cursor.fetchone()
    return int(count)
