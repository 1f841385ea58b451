"""A run beats, and hears that it has to stop, also while it holds records against their entries."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from recordings import ledger, passes
from recordings.choices import VerificationStatus
from recordings.ledger.verifying import entries, verify_all
from recordings.ledger.verifying.runs import LEASE
from recordings.models import Actor, Verification
from tests import ledgers
from tests.ledger.attacked import fill

RECORDS = ["recordings_call", "recordings_evidencefile", "recordings_sealkey", "recordings_attemptresult"]


@pytest.fixture
def asked(db: None, now: datetime) -> Verification:
    fill(now)
    return ledger.request_verification(Actor.objects.job("verify"), now=now)


def when_first_read(table: str, act: Callable[[], object]) -> AbstractContextManager[None]:
    """`act` once, before the first statement that reads this table among those that read records."""
    done: list[str] = []

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not done and 'FROM "recordings_call"' in sql:
            done.append("tree")  # is over
        if done == ["tree"] and f'FROM "{table}"' in sql:
            done.append("acted")
            act()
        return execute(sql, params, many, context)

    return connection.execute_wrapper(watch)


@pytest.mark.parametrize("table", RECORDS)
def test_a_worker_told_to_stop_while_it_checks_records_gives_the_run_back(
    asked: Verification, now: datetime, table: str
) -> None:
    try:
        with when_first_read(table, passes.stopping.set):
            assert ledger.verify_due(now, clock=lambda: now) == 0
        assert passes.stopping.is_set()
    finally:
        passes.stopping.clear()
    asked.refresh_from_db()
    assert (asked.status, asked.leased_until) == (VerificationStatus.WAITING, None)


@pytest.mark.parametrize("table", RECORDS)
def test_the_lease_is_prolonged_while_records_are_checked(asked: Verification, now: datetime, table: str) -> None:
    moments = [now]

    def lose_a_while() -> None:
        moments.append(now + LEASE - timedelta(seconds=1))

    leases: list[datetime | None] = []

    def clock() -> datetime:
        leases.append(Verification.objects.get(pk=asked.pk).leased_until)
        return moments[-1]

    with when_first_read(table, lose_a_while):
        assert ledger.verify_due(now, clock=clock) == 1

    assert leases[-1] == moments[-1] + LEASE > now + LEASE
    asked.refresh_from_db()
    assert asked.status == VerificationStatus.PASSED


def test_a_long_line_of_entries_that_wait_is_beaten_through(
    asked: Verification, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledgers.entries(40, at=now)
    monkeypatch.setattr(entries, "BLOCK", 2)
    beats: list[int] = []

    report = verify_all(progress=beats.append)

    assert report.passed
    assert beats == sorted(beats)
    assert beats.count(report.size) > 40 / 2
