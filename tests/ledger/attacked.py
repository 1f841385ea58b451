"""A ledger to attack: two calls, one corrected, six hundred entries between them, three seals, and a rest unsealed."""

from datetime import datetime, timedelta

import pytest

from recordings import findings, ledger, operations
from recordings.choices import AttemptOutcome, OperationStatus
from recordings.ledger.verifying import Found, verify_all
from recordings.models import Actor, Finding
from tests import cast, ledgers
from tests.owning import switch_triggers_off

MIDDLE = 600
UNSEALED = 3


@pytest.fixture
def attacked(db: None, now: datetime) -> datetime:
    """Filled and sealed, and the triggers are off; the moment of it all."""
    fill(now)
    switch_triggers_off()
    return now


def fill(now: datetime) -> None:
    key = ledgers.signing_key()
    _correct(now)
    ledger.seal(now, key=key)
    ledgers.sealed(MIDDLE, at=now)
    cast.call("call-2", at=now, capture="stopped", told="recording")
    ledger.seal(now, key=key)
    ledgers.entries(UNSEALED, at=now)


def _correct(now: datetime) -> None:
    call = cast.call(at=now, capture="stopped", told="recording")
    mira = Actor.objects.job("mira")
    operation = operations.create(call, requested_status="notRecording", actor=mira, reason="stuck", now=now)
    attempt = operations.start_attempt(operation, actor=mira, now=now, leased_until=now + timedelta(seconds=30))
    answer = operations.Outcome(AttemptOutcome.ACCEPTED, http_status=200, graph_status="completed")
    operations.finish_attempt(attempt, answer, to=OperationStatus.COMPLETED, actor=mira, now=now)
    findings.sweep_call(call.graph_id, now=now)
    finding = Finding.objects.get()
    file = findings.keep_file("log.txt", b"the recorder's log", actor=mira, now=now)
    findings.attest(finding, actor=mira, reason="seen", root_cause="network", evidence="", file=file, now=now)


def alarms() -> list[Found]:
    return list(verify_all().alarms)


def places() -> list[tuple[str, int | None]]:
    """What verification finds now: kinds and places."""
    return [(found.kind.name, found.index) for found in alarms()]
