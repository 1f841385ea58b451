"""Invariant 6: what was written once can neither be changed nor taken away, whoever asks the database."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.checks import CheckMessage
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from django.db.models import ProtectedError
from django.db.models.deletion import PROTECT

from recordings import checks, operations
from recordings.choices import AttemptOutcome, OperationStatus
from recordings.models import (
    Actor,
    Attempt,
    AttemptResult,
    Call,
    EvidenceFile,
    LeafBatch,
    LedgerEntry,
    Node,
    Operation,
    Seal,
    SealKey,
    StatusChange,
    append_only,
)
from tests import cast

type Rows = dict[str, models.Model]

# What a forger would like to change of each.
FORGED: dict[str, dict[str, Any]] = {
    "recordings_statuschange": {"reason": "forged"},
    "recordings_attempt": {"is_repeat": True},
    "recordings_attemptresult": {"message": "forged"},
    "recordings_evidencefile": {"content": b"forged"},
    "recordings_ledgerentry": {"body": "{}"},
    "recordings_leafbatch": {"leaf_hashes": b"forged"},
    "recordings_node": {"node_hash": b"forged"},
    "recordings_sealkey": {"public_key": b"forged"},
    "recordings_seal": {"checkpoint": "forged"},
}
MODELS = {model._meta.db_table: model for model in apps.get_models() if model._meta.db_table in append_only.TABLES}


@pytest.fixture
def rows(db: None, now: datetime) -> Rows:
    """One row of each table, the oldest of a call that was corrected, with its entry's place in the tree."""
    call = cast.call(at=now, capture="stopped", told="recording")
    mira = Actor.objects.job("mira")
    operation = operations.create(call, requested_status="notRecording", actor=mira, reason="stuck", now=now)
    attempt = operations.start_attempt(operation, actor=mira, now=now, leased_until=now + timedelta(seconds=30))
    answer = operations.Outcome(AttemptOutcome.ACCEPTED, http_status=200, graph_status="completed")
    operations.finish_attempt(attempt, answer, to=OperationStatus.COMPLETED, actor=mira, now=now)
    entry = LedgerEntry.objects.earliest("id")
    EvidenceFile.objects.create(
        name="log.txt", size_bytes=3, sha256="00" * 32, content=b"log", added_by=mira, added_at=now
    )
    LeafBatch.objects.create(
        first_index=0, first_entry=entry.pk, count=1, entry_ids=entry.pk.bytes, leaf_hashes=b"\x01" * 32
    )
    Node.objects.create(level=8, position=0, node_hash=b"\x02" * 32)
    key = SealKey.objects.create(fingerprint="0" * 64, name="on-record", public_key=b"\x03" * 32, first_used_at=now)
    Seal.objects.create(size=1, root_hash=b"\x01" * 32, checkpoint="on-record\n1\n", sealed_at=now, key=key)
    if connection.vendor == "postgresql":
        _execute("SET CONSTRAINTS ALL IMMEDIATE")
    return {table: model._base_manager.order_by("pk")[0] for table, model in MODELS.items()}


def _execute(sql: str, params: Any = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def _quoted(names: Any) -> str:
    return ", ".join(connection.ops.quote_name(name) for name in names)


def _stored(row: models.Model) -> dict[str, Any]:
    values: dict[str, Any] = type(row)._base_manager.filter(pk=row.pk).values().get()
    return {name: bytes(value) if isinstance(value, memoryview) else value for name, value in values.items()}


def _refused(row: models.Model, deed: Callable[[], object]) -> None:
    """`deed` is refused by the database itself, and nothing is different afterwards."""
    before, count = _stored(row), type(row)._base_manager.count()
    with pytest.raises(DatabaseError, match="is append only"), transaction.atomic():
        deed()
    assert _stored(row) == before
    assert type(row)._base_manager.count() == count


def _forged(row: models.Model) -> models.Model:
    copy = type(row)._base_manager.get(pk=row.pk)
    for name, value in FORGED[row._meta.db_table].items():
        setattr(copy, name, value)
    return copy


def _raw_copy(row: models.Model, *, keep: tuple[str, ...] = ()) -> dict[str, Any]:
    """The row as the database has it, forged, with other keys than its own; `keep` are the columns left alone."""
    table = row._meta.db_table
    with connection.cursor() as cursor:
        key = connection.ops.quote_name(_key_column(row))
        cursor.execute(f"SELECT * FROM {table} WHERE {key} = %s", [_key_value(row)])
        found = cursor.fetchone()
        assert cursor.description is not None
        values = dict(zip((column[0] for column in cursor.description), found, strict=True))
    values |= FORGED[table]
    keys = {column for columns in append_only.TABLES[table] for column in columns}
    return values | {column: _another(values[column]) for column in keys - set(keep)}


def _another(value: object) -> object:
    return value + 40 if isinstance(value, int) else uuid.uuid4().hex


def _pk(row: models.Model) -> "models.Field[Any, Any]":
    assert row._meta.pk is not None
    return row._meta.pk


def _key_column(row: models.Model) -> str:
    return str(_pk(row).column)


def _key_value(row: models.Model) -> Any:
    if isinstance(row.pk, uuid.UUID) and connection.vendor == "sqlite":
        return row.pk.hex
    return row.pk


def _insert(table: str, values: dict[str, Any], *, verb: str = "INSERT", conflict: str = "") -> None:
    marks = ", ".join(["%s"] * len(values))
    _execute(f"{verb} INTO {table} ({_quoted(values)}) VALUES ({marks}) {conflict}", list(values.values()))


# -- by Django's own means


def _save(row: models.Model) -> None:
    _forged(row).save()


def _save_one_field(row: models.Model) -> None:
    _forged(row).save(update_fields=list(FORGED[row._meta.db_table]))


def _update(row: models.Model) -> None:
    type(row)._base_manager.filter(pk=row.pk).update(**FORGED[row._meta.db_table])


def _bulk_update(row: models.Model) -> None:
    type(row)._base_manager.bulk_update([_forged(row)], list(FORGED[row._meta.db_table]))


def _bulk_create_over_it(row: models.Model) -> None:
    type(row)._base_manager.bulk_create(
        [_forged(row)],
        update_conflicts=True,
        unique_fields=[_pk(row).name],
        update_fields=list(FORGED[row._meta.db_table]),
    )


def _delete_without_looking(row: models.Model) -> None:
    type(row)._base_manager.filter(pk=row.pk)._raw_delete("default")


# -- by SQL


def _raw_update(row: models.Model, verb: str = "UPDATE") -> None:
    (name, value), *_ = FORGED[row._meta.db_table].items()
    where = connection.ops.quote_name(_key_column(row))
    _execute(f"{verb} {row._meta.db_table} SET {name} = %s WHERE {where} = %s", [value, _key_value(row)])


def _raw_delete(row: models.Model) -> None:
    where = connection.ops.quote_name(_key_column(row))
    _execute(f"DELETE FROM {row._meta.db_table} WHERE {where} = %s", [_key_value(row)])


def _update_or_replace(row: models.Model) -> None:
    _raw_update(row, "UPDATE OR REPLACE")


def _update_or_ignore(row: models.Model) -> None:
    _raw_update(row, "UPDATE OR IGNORE")


def _update_by_conflict(row: models.Model, columns: tuple[str, ...]) -> None:
    table = row._meta.db_table
    (name, _), *_ = FORGED[table].items()
    conflict = f"ON CONFLICT ({_quoted(columns)}) DO UPDATE SET {name} = EXCLUDED.{name}"
    _insert(table, _raw_copy(row, keep=columns), conflict=conflict)


def _replace(row: models.Model, columns: tuple[str, ...]) -> None:
    table, copy = row._meta.db_table, _raw_copy(row, keep=columns)
    if columns == ROWID:
        where = _quoted([_key_column(row)])
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT rowid FROM {table} WHERE {where} = %s", [_key_value(row)])
            copy["rowid"] = cursor.fetchone()[0]
    _insert(table, copy, verb="INSERT OR REPLACE")


def _replace_without_the_pragma(row: models.Model, columns: tuple[str, ...]) -> None:
    """Without recursive triggers a REPLACE deletes the old row behind the back of its delete trigger."""
    _execute("PRAGMA recursive_triggers = OFF")
    try:
        _replace(row, columns)
    finally:
        _execute("PRAGMA recursive_triggers = ON")


def _truncate(row: models.Model) -> None:
    _execute(f"TRUNCATE {row._meta.db_table} CASCADE")


def _truncate_calls(row: models.Model) -> None:
    _execute("TRUNCATE recordings_call, recordings_actor, recordings_operation CASCADE")


def _as_a_replica(deed: Callable[[models.Model], None]) -> Callable[[models.Model], None]:
    """As a superuser who says that this is only replication, where ordinary triggers sleep."""

    def run(row: models.Model) -> None:
        _execute("SET LOCAL session_replication_role = replica")
        deed(row)

    return run


DEEDS: dict[str, Callable[[models.Model], None]] = {
    "save": _save,
    "save one field": _save_one_field,
    "queryset update": _update,
    "bulk_update": _bulk_update,
    "bulk_create over it": _bulk_create_over_it,
    "queryset delete": _delete_without_looking,
    "UPDATE": _raw_update,
    "DELETE": _raw_delete,
}
DEEDS |= (
    {"UPDATE OR REPLACE": _update_or_replace, "UPDATE OR IGNORE": _update_or_ignore}
    if connection.vendor == "sqlite"
    else {
        "TRUNCATE": _truncate,
        "TRUNCATE of calls": _truncate_calls,
        "UPDATE as a replica": _as_a_replica(_raw_update),
        "DELETE as a replica": _as_a_replica(_raw_delete),
        "TRUNCATE as a replica": _as_a_replica(_truncate),
    }
)


# Every key by which a row could be met; a table of SQLite has one more than it says.
ROWID = ("rowid",)
KEYS = [(table, columns) for table, keys in append_only.TABLES.items() for columns in keys]
REPLACEMENTS: dict[str, Callable[[models.Model, tuple[str, ...]], None]] = {"ON CONFLICT": _update_by_conflict}
if connection.vendor == "sqlite":
    REPLACEMENTS |= {"REPLACE": _replace, "REPLACE without the pragma": _replace_without_the_pragma}


@pytest.mark.parametrize("table", append_only.TABLES)
@pytest.mark.parametrize("deed", DEEDS)
def test_the_database_refuses_to_change_a_row_or_to_take_it_away(rows: Rows, table: str, deed: str) -> None:
    row = rows[table]

    _refused(row, lambda: DEEDS[deed](row))


@pytest.mark.parametrize(("table", "columns"), KEYS)
@pytest.mark.parametrize("how", REPLACEMENTS)
def test_no_new_row_takes_the_place_of_one_by_any_of_its_keys(
    rows: Rows, table: str, columns: tuple[str, ...], how: str
) -> None:
    row = rows[table]

    _refused(row, lambda: REPLACEMENTS[how](row, columns))


@pytest.mark.parametrize("table", append_only.TABLES)
def test_nor_by_the_key_that_sqlite_keeps_to_itself(rows: Rows, table: str) -> None:
    row = rows[table]

    for how in set(REPLACEMENTS) - {"ON CONFLICT"}:
        _refused(row, lambda how=how: REPLACEMENTS[how](row, ROWID))  # type: ignore[misc]


@pytest.mark.parametrize("table", append_only.TABLES)
def test_django_deletes_none_either(rows: Rows, table: str) -> None:
    for deed in (rows[table].delete, MODELS[table]._base_manager.all().delete):
        with pytest.raises((DatabaseError, ProtectedError)), transaction.atomic():
            deed()
    assert _stored(rows[table])


@pytest.mark.parametrize("table", append_only.TABLES)
def test_a_new_row_is_still_taken(rows: Rows, table: str) -> None:
    entry = LedgerEntry.objects.latest("id")
    values = _raw_copy(rows[table])
    if table == "recordings_attempt":
        values["operation_id"] = _key_value(Operation.objects.get())
    if table == "recordings_attemptresult":
        other = Attempt.objects.create(
            operation=Operation.objects.get(),
            number=2,
            client_request_id=uuid.uuid4(),
            started_at=entry.recorded_at,
        )
        values["attempt_id"] = _key_value(other)

    _insert(table, values)

    assert MODELS[table]._base_manager.count() > 1


# -- the list itself


def test_the_tables_are_those_of_the_design() -> None:
    assert set(MODELS.values()) == {
        StatusChange,
        Attempt,
        AttemptResult,
        EvidenceFile,
        LedgerEntry,
        LeafBatch,
        Node,
        SealKey,
        Seal,
    }


@pytest.mark.parametrize("table", append_only.TABLES)
def test_every_key_by_which_a_row_could_be_replaced_is_listed(table: str) -> None:
    options = MODELS[table]._meta
    single = {(field.column,) for field in options.concrete_fields if field.unique}
    joint = {
        tuple(options.get_field(name).column for name in constraint.fields)  # type: ignore[union-attr]
        for constraint in options.constraints
        if isinstance(constraint, models.UniqueConstraint)
    }

    assert set(append_only.TABLES[table]) == single | joint


# -- triggers that went missing


def _drop(trigger: str) -> None:
    table = trigger.partition("_keep_")[0]
    _execute(f"DROP TRIGGER {trigger}" + (f" ON {table}" if connection.vendor == "postgresql" else ""))


def _complaints() -> list[CheckMessage]:
    return [found for found in checks.durable_database(databases=["default"]) if found.id == "onrecord.E010"]


def _triggers() -> list[str]:
    return append_only.wanted(connection)


@pytest.mark.django_db(transaction=True)
def test_a_dropped_trigger_is_named_by_the_check_and_put_back_by_migrate() -> None:
    assert _complaints() == []
    for trigger in _triggers():
        _drop(trigger)

    (complaint,) = _complaints()
    assert all(trigger in complaint.msg for trigger in _triggers())

    call_command("migrate", verbosity=0)
    assert _complaints() == []


@pytest.mark.django_db(transaction=True)
def test_the_complaint_names_the_command_that_helps_since_migrate_itself_looks_first() -> None:
    _drop(_triggers()[0])

    with pytest.raises(SystemCheckError, match="E010"):
        call_command("migrate", verbosity=0, skip_checks=False)
    assert "`manage.py migrate --skip-checks`" in str(_complaints()[0].hint)


@pytest.mark.django_db(transaction=True)
def test_a_rebuilt_table_gets_its_triggers_back_after_the_migration() -> None:
    """SQLite rebuilds a table to change a column, and forgets the triggers without a word."""
    old = StatusChange._meta.get_field("reason")
    longer = models.CharField(max_length=2048, blank=True)
    longer.set_attributes_from_name("reason")
    longer.model = StatusChange
    lost = [name for name in _triggers() if name.startswith("recordings_statuschange_")]
    try:
        with connection.schema_editor() as editor:
            editor.alter_field(StatusChange, old, longer)
        assert append_only.missing(connection) == (lost if connection.vendor == "sqlite" else [])

        call_command("migrate", verbosity=0)
        assert append_only.missing(connection) == []
    finally:
        with connection.schema_editor() as editor:
            editor.alter_field(StatusChange, longer, old)
        append_only.install(connection)


# -- what rows refer to


def _delete_all_by_sql(table: str) -> None:
    _execute(f"DELETE FROM {table}")
    connection.check_constraints()


@pytest.mark.parametrize("model", [Call, Actor, Operation])
def test_what_rows_refer_to_cannot_be_deleted(rows: Rows, model: type[models.Model]) -> None:
    with pytest.raises(ProtectedError), transaction.atomic():
        model._base_manager.all().delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        _delete_all_by_sql(model._meta.db_table)
    assert model._base_manager.exists()


def test_no_cascade_reaches_an_append_only_table() -> None:
    reaching = [
        (field.model.__name__, field.name, field.remote_field.on_delete)
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and field.model._meta.db_table in append_only.TABLES
    ]

    assert reaching
    assert [each for each in reaching if each[2] is not PROTECT] == []
