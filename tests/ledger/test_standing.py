"""What pages show of calls, findings and corrections is held against the entries: a row alone proves nothing."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from recordings import findings, operations
from recordings.choices import AttemptOutcome, LedgerAction, OperationStatus, Resolution
from recordings.ledger.verifying import verify_all
from recordings.models import Actor, Call, Finding, LedgerEntry, Operation, Unsealed
from recordings.models.keys import new_key
from sandbox.defaults import TENANT_ID
from tests import cast
from tests.ledger.attacked import alarms, attacked
from tests.owning import change, place_of, switch_triggers_off

__all__ = ["attacked"]

HOUR = timedelta(hours=1)


def the_one_alarm(action: LedgerAction | None, **about: object) -> str:
    """Its sentence; it is about a row that differs, at the place of the newest entry of this kind."""
    (found,) = alarms()
    assert found.kind.name == "ROW_DIFFERS"
    entry = LedgerEntry.objects.filter(action=action, **about).latest("pk") if action else None
    assert (found.entry, found.index) == (entry and entry.pk, entry and place_of(entry))
    return found.sentence


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({"recording_status": "notRecording"}, "recording_status"),
        ({"capture_state": "capturing"}, "capture_state"),
        ({"state": "terminated"}, "state"),
        ({"ended_at": "now"}, "state"),
        ({"gone_at": "now"}, "gone"),
        ({"recording_status": "failed", "capture_state": "failed"}, "capture_state, recording_status"),
    ],
)
def test_a_call_that_stands_otherwise(attacked: datetime, columns: dict[str, Any], named: str) -> None:
    call = Call.objects.get(graph_id="call-2")
    change(call, **{name: attacked if value == "now" else value for name, value in columns.items()})

    (found,) = alarms()
    assert found.kind.name == "ROW_DIFFERS"
    assert found.sentence == f"The call call-2 stands otherwise than the entries about it say in {named}."
    assert (found.index is None) == (named == "gone")  # nothing was ever said of that


def test_a_call_of_which_nobody_has_said_anything(attacked: datetime) -> None:
    Call.objects.create(graph_id="call-3", tenant_id="t", created_at=attacked)
    assert alarms() == []
    change(Call.objects.get(graph_id="call-3"), recording_status="recording")

    assert "call-3" in the_one_alarm(None)


def test_moments_that_are_none_stop_nothing(attacked: datetime) -> None:
    text = "infinity" if connection.vendor == "postgresql" else "yesterday"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE recordings_call SET gone_at = %s WHERE graph_id = 'call-2'", [text])
        cursor.execute("UPDATE recordings_finding SET opened_at = %s", [text])

    assert sorted(one.sentence.partition(" stands")[0] for one in alarms()) == [
        "The call call-2",
        f"The finding {Finding.objects.values_list('pk', flat=True).get()}",
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_words_heard_late_are_no_alarm(db: None, now: datetime, order: int) -> None:
    """Whatever came in whatever order: what a word of the past changed, changed nothing that stands."""
    began = now - 30 * timedelta(minutes=1)
    cast.tell("call.joined", "call-1", at=began, heard_at=now, tenantId=TENANT_ID, state="established")
    words: list[tuple[str, dict[str, Any]]] = [
        ("capture.started", {}),
        ("status.told", {"status": "recording"}),
        ("call.stateChanged", {"state": "hold"}),
        ("capture.paused", {}),
        ("status.told", {"status": "failed"}),
        ("capture.started", {}),
        ("status.told", {"status": "recording"}),
        ("call.ended", {}),
        ("call.stateChanged", {"state": "transferring"}),
        ("capture.stopped", {}),
        ("status.told", {"status": "notRecording"}),
    ]
    for number, (kind, data) in list(enumerate(words))[::order]:
        cast.tell(kind, "call-1", at=began + number * timedelta(seconds=20), heard_at=now, **data)
    for capture in ("capturing", "stopped"):
        cast.heartbeat(at=began + timedelta(seconds=50), capture=capture)

    assert alarms() == []


@pytest.mark.parametrize(
    "columns",
    [
        {"severity": "low"},
        {"rule": "R1"},
        {"opened_at": "earlier"},
        {"reopened_at": "earlier"},
        {"acknowledged_at": "earlier"},
        {"wakes_after": "earlier"},
        {"resolved_at": "earlier"},
        {"resolved_at": None},
        {"resolution": "selfRecovered"},
        {"resolved_by_id": None},
        {"root_cause": "device"},
        {"reason": "as agreed"},
        {"evidence": "a ticket"},
        {"evidence_file_id": None},
    ],
)
def test_a_finding_that_stands_otherwise(attacked: datetime, columns: dict[str, Any]) -> None:
    finding = Finding.objects.get()
    change(finding, **{name: attacked - HOUR if value == "earlier" else value for name, value in columns.items()})

    (name,) = columns
    said = the_one_alarm(LedgerAction.FINDING_ATTESTED)
    assert said == (
        f"The finding {finding.pk} stands otherwise than the entries about it say in {name.removesuffix('_id')}."
    )


def test_a_finding_that_nobody_opened(attacked: datetime) -> None:
    call = Call.objects.get(graph_id="call-2")
    finding = Finding.objects.create(call=call, rule="R7", severity="high", since_at=attacked, opened_at=attacked)

    (found,) = alarms()
    assert (found.kind.name, found.sentence) == (
        "ROW_UNTOLD",
        f"No entry tells of the opening of the finding {finding.pk}.",
    )


def test_all_that_people_do_with_a_finding_is_no_alarm(db: None, now: datetime, ada: Any) -> None:
    call = cast.call(at=now, capture="stopped", told="recording")
    findings.sweep_call(call.graph_id, now=now)
    finding, mira = Finding.objects.get(), Actor.objects.job("mira")
    findings.acknowledge(finding, actor=mira, now=now)
    assert alarms() == []
    findings.assign(finding, to=ada, actor=mira, now=now)
    findings.comment(finding, text="looking", actor=mira, now=now)
    findings.snooze(finding, until=now + HOUR, reason="later", actor=mira, now=now)
    assert alarms() == []
    findings.snooze(finding, until=None, reason="", actor=mira, now=now)
    cast.tell("capture.started", "call-1", at=now)
    findings.sweep_call(call.graph_id, now=now)
    assert alarms() == []
    finding.refresh_from_db()
    assert not finding.is_open
    findings.explain_cause(finding, root_cause="network", reason="a cable", actor=mira, now=now)
    assert alarms() == []
    later = now + timedelta(seconds=1)
    cast.tell("capture.stopped", "call-1", at=later)
    findings.sweep_call(call.graph_id, now=later + HOUR / 2)
    finding.refresh_from_db()
    assert finding.reopened_at
    assert alarms() == []
    findings.resolve(finding, resolution=Resolution.FALSE_POSITIVE, root_cause="", reason="x", actor=mira, now=later)
    assert alarms() == []


@pytest.mark.parametrize("column", ["graph_operation_id", "result_code"])
def test_a_correction_that_says_another_answer(attacked: datetime, column: str) -> None:
    change(Operation.objects.get(), **{column: "8506"})

    said = the_one_alarm(LedgerAction.CORRECTION_ANSWERED)
    assert said == f"The correction {Operation.objects.get().pk} says another {column} than the entries about it."


def test_answers_in_any_number_are_no_alarm(db: None, now: datetime) -> None:
    call, mira = cast.call(at=now, capture="stopped", told="recording"), Actor.objects.job("mira")
    operation = operations.create(call, requested_status="notRecording", actor=mira, reason="stuck", now=now)
    operations.wait(operation, until=now, why="Not sent yet")
    for code, graph_id in (("500", ""), ("", "op-1"), ("503", "")):
        attempt = operations.start_attempt(operation, actor=mira, now=now, leased_until=now)
        outcome = operations.Outcome(AttemptOutcome.ACCEPTED, code=code, graph_operation_id=graph_id)
        operations.finish_attempt(attempt, outcome, to=OperationStatus.UNKNOWN, actor=mira, now=now)
        assert alarms() == []
    operations.move(operation, OperationStatus.UNRESOLVED, actor=mira, now=now)
    assert alarms() == []
    assert operations.settle(
        operation,
        operations.Outcome(AttemptOutcome.ACCEPTED, code="8502", graph_operation_id="op-2"),
        to=OperationStatus.FAILED,
        actor=mira,
        now=now,
    )
    assert alarms() == []


def test_two_clocks_a_second_apart_are_no_alarm(db: None, now: datetime) -> None:
    """A worker's entry, and one of the site's a moment later, whose clock is behind: their keys stand the other way."""
    call = cast.call(at=now, capture="stopped", told="recording")
    findings.sweep_call(call.graph_id, now=now)
    finding, mira = Finding.objects.get(), Actor.objects.job("mira")
    findings.snooze(finding, until=now + HOUR, reason="", actor=mira, now=now)
    findings.snooze(finding, until=None, reason="", actor=mira, now=now)
    switch_triggers_off()
    first, last = LedgerEntry.objects.filter(action=LedgerAction.FINDING_SNOOZED).order_by("pk")
    keys = first.pk, last.pk
    Unsealed.objects.all().delete()
    change(first, id=new_key())
    _move(last, keys[0])
    _move(LedgerEntry.objects.filter(action=LedgerAction.FINDING_SNOOZED).latest("pk"), keys[1])

    assert [one.kind.name for one in alarms() if "finding" in one.sentence] == []


def _move(entry: LedgerEntry, key: Any) -> None:
    change(entry, id=key, body=entry.body.replace(str(entry.pk), str(key)))


def test_what_is_compared_is_counted(attacked: datetime) -> None:
    before = verify_all().rows
    Call.objects.create(graph_id="call-3", tenant_id="t", created_at=attacked)
    assert verify_all().rows == before + 1
