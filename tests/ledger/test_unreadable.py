"""Whatever somebody writes into a body or a record: verification says where, and is never brought down by it."""

import json
import random
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import AutoField, DateTimeField, Model

from recordings import ledger
from recordings.choices import LedgerAction, VerificationStatus
from recordings.ledger.verifying import alarms as kept_alarms
from recordings.ledger.verifying import verify_all
from recordings.models import (
    Actor,
    Attempt,
    AttemptResult,
    Call,
    EvidenceFile,
    Finding,
    LeafBatch,
    LedgerEntry,
    Node,
    Operation,
    Seal,
    SealKey,
    StatusChange,
    Unsealed,
)
from tests import ledgers
from tests.ledger import attacked
from tests.ledger.attacked import alarms, fill
from tests.owning import change, insert, place_of, switch_triggers_off

RUNS = 15
OF_EACH = 4
IS_POSTGRES = connection.vendor == "postgresql"

type Bodies = Mapping[LedgerEntry, bytes]


@pytest.fixture
def one_of_each(db: None, now: datetime, monkeypatch: pytest.MonkeyPatch) -> list[LedgerEntry]:
    """A sealed entry of each action, about a call, its correction and its finding where it can be."""
    monkeypatch.setattr(attacked, "MIDDLE", 3)
    monkeypatch.setattr(kept_alarms, "MOST_KEPT", 1000)
    fill(now)
    operation, finding, actor = Operation.objects.get(), Finding.objects.get(), Actor.objects.shell()
    facts: dict[str, Any] = {
        "status": operation.status,
        "attempt": 1,
        "change": str(operation.pk),
        "graph_status": "completed",
    }
    with transaction.atomic():
        for action in LedgerAction:
            if not LedgerEntry.objects.filter(action=action).exists():
                ledger.record(action, actor=actor, now=now, operation=operation, finding=finding, **facts)
    ledger.seal(now, key=ledgers.signing_key())
    switch_triggers_off()
    newest = {entry.action: entry for entry in LedgerEntry.objects.filter(unsealed=None)}
    assert newest.keys() == set(LedgerAction.values)
    return list(newest.values())


def write(bodies: Bodies) -> None:
    """The very bytes, which SQLite takes also where they are no text."""
    for entry, body in bodies.items():
        if IS_POSTGRES:
            change(entry, body=body.decode())
        else:
            set_raw(entry, "body", f"CAST(x'{body.hex()}' AS TEXT)")


def set_raw(row: Model, column: str, expression: str) -> None:
    key = row.pk.hex if hasattr(row.pk, "hex") and not IS_POSTGRES else row.pk
    name = row._meta.pk.column if row._meta.pk else ""
    with connection.cursor() as cursor:
        statement = f'UPDATE {row._meta.db_table} SET "{column}" = {expression} WHERE "{name}" = %s'
        cursor.execute(statement, [key])
        assert cursor.rowcount == 1


def assert_each_is_named(bodies: Bodies) -> None:
    changed = {entry: body for entry, body in bodies.items() if body != entry.body.encode()}
    write(changed)
    named = {found.entry for found in verify_all().alarms if found.kind.name == "BODY_CHANGED"}
    write({entry: entry.body.encode() for entry in changed})
    assert named == {entry.pk for entry in changed}


def test_any_byte_of_a_body_of_any_action(one_of_each: list[LedgerEntry]) -> None:
    chance = random.Random(6962)
    for _ in range(RUNS):
        assert_each_is_named({entry: _with_another_byte(entry.body.encode(), chance) for entry in one_of_each})


def _with_another_byte(body: bytes, chance: random.Random) -> bytes:
    """ASCII on PostgreSQL, which takes no other single byte for a text."""
    at = chance.randrange(len(body))
    others = {*range(1, 128)} if IS_POSTGRES else {*range(256)}
    sign = chance.choice([*sorted(others - {body[at]}), *(set(b'"[{\\ :,Z09-+.e') - {body[at]})])
    return body[:at] + bytes([sign]) + body[at + 1 :]


ODD = ["null", "[]", '{"a":[]}', "1e999", "-1", "9" * 5000, '"\\ud800"', '"\\u0000"', '""', '"0001-01-01T00:00:00Z"']


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_any_field_of_a_body_of_any_action(one_of_each: list[LedgerEntry], odd: str) -> None:
    bodies = {entry: json.loads(entry.body) for entry in one_of_each}
    for at in range(max(map(len, bodies.values()))):
        assert_each_is_named(
            {entry: _with_another_field(body, at, odd) for entry, body in bodies.items() if at < len(body)}
        )


def _with_another_field(body: Mapping[str, Any], at: int, odd: str) -> bytes:
    name = sorted(body)[at]
    text = json.dumps({**body, name: "HERE"}, ensure_ascii=False, separators=(",", ":"))
    return text.replace('"HERE"', odd).encode()


@pytest.mark.parametrize("body", ["[" * 200_000, '{"id":' * 200_000, '{"recorded_at":"2026-91-18T00:00:00Z"}'])
def test_a_body_that_no_reader_takes(one_of_each: list[LedgerEntry], body: str) -> None:
    assert_each_is_named({entry: body.encode() for entry in one_of_each})


# -- records

NO_TIMES = (
    ["'infinity'", "'-infinity'", "'20000-01-01'", "'0044-03-15 BC'"]
    if IS_POSTGRES
    else ["'never'", "''", "'2026-91-18 00:00:00'", "7", "x'00ff'", "CAST(x'ff' AS TEXT)"]
)


@pytest.fixture
def sealed(db: None, now: datetime, monkeypatch: pytest.MonkeyPatch) -> datetime:
    monkeypatch.setattr(attacked, "MIDDLE", 3)
    fill(now)
    switch_triggers_off()
    return now


@pytest.mark.parametrize("value", NO_TIMES)
@pytest.mark.parametrize(
    ("model", "column", "action"),
    [
        (StatusChange, "occurred_at", LedgerAction.STATUS_CHANGED),
        (StatusChange, "recorded_at", LedgerAction.STATUS_CHANGED),
        (Operation, "requested_at", LedgerAction.CORRECTION_REQUESTED),
        (Attempt, "started_at", LedgerAction.CORRECTION_SENT),
        (AttemptResult, "recorded_at", LedgerAction.CORRECTION_ANSWERED),
    ],
)
def test_a_time_of_a_record_that_cannot_be_read(
    sealed: datetime, model: type[Model], column: str, action: LedgerAction, value: str
) -> None:
    row = model._base_manager.earliest("pk")
    set_raw(row, column, value)

    (found,) = alarms()
    entry = LedgerEntry.objects.filter(action=action).earliest("pk")
    assert (found.kind.name, found.index, found.entry) == ("ROW_DIFFERS", place_of(entry), entry.pk)
    word = column if model is StatusChange else "recorded_at"
    assert found.sentence.endswith(f"differs from entry {entry.pk} in {word}.")


@pytest.mark.parametrize("value", NO_TIMES)
@pytest.mark.parametrize(("model", "column"), [(SealKey, "first_used_at"), (EvidenceFile, "added_at")])
def test_a_time_that_is_not_compared_and_cannot_be_read(
    sealed: datetime, model: type[Model], column: str, value: str
) -> None:
    set_raw(model._base_manager.get(), column, value)

    assert alarms() == []


TABLES: list[type[Model]] = [
    Call, StatusChange, Operation, Attempt, AttemptResult, EvidenceFile, Finding, Unsealed,
    LedgerEntry, LeafBatch, Node, Seal, SealKey,
]  # fmt: skip
ANYTHING = NO_TIMES if IS_POSTGRES else [*NO_TIMES, "'zz'", "-7", "1e300", "x''", "9223372036854775807"]
COLUMNS = [
    (model, field.column)
    for model in TABLES
    for field in model._meta.concrete_fields
    if isinstance(field, DateTimeField) or not (IS_POSTGRES or isinstance(field, AutoField))  # which have types
]


@pytest.mark.parametrize(("model", "column"), COLUMNS)
def test_no_value_in_any_column_ends_the_run(sealed: datetime, model: type[Model], column: str) -> None:
    """A few values of each column, others of the next: each value meets many columns, each column several values."""
    for value in random.Random(f"{model.__name__}.{column}").sample(ANYTHING, min(OF_EACH, len(ANYTHING))):
        with transaction.atomic():
            set_first(model, column, value)
            report = verify_all()
            json.dumps([found.as_json() for found in report.alarms])
            transaction.set_rollback(True)


def set_first(model: type[Model], column: str, value: str) -> None:
    table, row = model._meta.db_table, "ctid" if IS_POSTGRES else "rowid"
    with connection.cursor() as cursor:
        if not IS_POSTGRES:
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        cursor.execute(f'UPDATE {table} SET "{column}" = {value} WHERE {row} = (SELECT min({row}) FROM {table})')
        if not IS_POSTGRES:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


@pytest.mark.parametrize("size", [2**60, 2**53, -1])
def test_a_seal_over_more_than_there_can_be_is_kept_in_the_report(sealed: datetime, size: int) -> None:
    seal = Seal.objects.latest("size")
    seal.size = size
    insert(seal)

    assert found_and_kept() == [("sealReplaced", None)]


@pytest.mark.parametrize("index", [2**60, 2**53, -1, -(2**60)])
def test_leaves_further_behind_than_there_can_be_any_are_kept_in_the_report(sealed: datetime, index: int) -> None:
    batch = LeafBatch.objects.latest("first_index")
    batch.first_index = index
    insert(batch)

    assert ("sealMissing", None) in found_and_kept()


def found_and_kept() -> list[tuple[str, int | None]]:
    """What a run, its row and its entry say."""
    run, _ = ledger.verify_now(Actor.objects.shell())
    run.refresh_from_db()
    assert run.status == VerificationStatus.ALARMED
    assert ledger.body_of(LedgerEntry.objects.latest("pk"))["alarms"] == run.alarm_count
    return [(found["kind"], found["index"]) for found in run.alarms]
