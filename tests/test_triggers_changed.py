"""A trigger that is there by name only guards nothing: the check finds what it does, and migrate puts it right."""

from datetime import datetime

import pytest
from django.db import DatabaseError, connection, transaction

from recordings import checks
from recordings.models import LedgerEntry, Unsealed, append_only
from tests import ledgers

pytestmark = pytest.mark.django_db

ENTRIES = "recordings_ledgerentry"
IN_LINE = f"{ENTRIES}_keep_in_line"
ROWS = f"{ENTRIES}_keep_rows"
OTHER = "recordings_reading"
PEOPLE = "auth_user_keep_rows"
_RETURNS = "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN"
_ROWS = f"TRIGGER {ENTRIES}_keep_rows BEFORE UPDATE OR DELETE ON {ENTRIES} FOR EACH ROW"
_LINE = f"TRIGGER {IN_LINE} AFTER INSERT ON {ENTRIES} REFERENCING NEW TABLE AS entries FOR EACH STATEMENT"
_APPEND_ONLY = "EXECUTE FUNCTION onrecord_append_only()"


def _anew(create: str, *, name: str = ROWS, table: str = ENTRIES) -> str:
    """Another trigger of that name, switched on as ours is."""
    return f"DROP TRIGGER {name} ON {ENTRIES}; {create}; ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"


# What was done -> the trigger it takes the force of, and how. The owner of the database can do each.
ON_POSTGRESQL = {
    "a guard that lets everything pass": (
        ROWS,
        f"CREATE OR REPLACE FUNCTION onrecord_append_only() {_RETURNS} NEW; END $$",
    ),
    "a line that nobody is put in": (IN_LINE, f"CREATE OR REPLACE FUNCTION onrecord_in_line() {_RETURNS} NULL; END $$"),
    "people who can be deleted": (
        PEOPLE,
        f"CREATE OR REPLACE FUNCTION onrecord_keep_users() {_RETURNS} OLD; END $$",
    ),
    "a line in another schema": (IN_LINE, "ALTER FUNCTION onrecord_in_line() SET search_path = elsewhere"),
    "a guard with somebody else's rights": (IN_LINE, "ALTER FUNCTION onrecord_in_line() SECURITY DEFINER"),
    "a guard that is switched off": (
        ROWS,
        f"ALTER TABLE {ENTRIES} DISABLE TRIGGER {ROWS}",
    ),
    "a line that is switched off": (IN_LINE, f"ALTER TABLE {ENTRIES} DISABLE TRIGGER {IN_LINE}"),
    "a guard that a replica passes": (
        f"{ENTRIES}_keep_table",
        f"ALTER TABLE {ENTRIES} ENABLE TRIGGER {ENTRIES}_keep_table",
    ),
    "a guard of replicas only": (
        ROWS,
        f"ALTER TABLE {ENTRIES} ENABLE REPLICA TRIGGER {ROWS}",
    ),
    "a guard that never fires": (ROWS, _anew(f"CREATE {_ROWS} WHEN (false) {_APPEND_ONLY}")),
    "a guard of one column": (ROWS, _anew(f"CREATE {_ROWS.replace('UPDATE', 'UPDATE OF id')} {_APPEND_ONLY}")),
    "a guard of another table": (
        ROWS,
        _anew(f"CREATE {_ROWS.replace(ENTRIES + ' FOR', OTHER + ' FOR')} {_APPEND_ONLY}", table=OTHER),
    ),
    "another guard of that name": (
        ROWS,
        f"CREATE FUNCTION idle() {_RETURNS} NEW; END $$;" + _anew(f"CREATE {_ROWS} EXECUTE FUNCTION idle()"),
    ),
    "a line out of another schema": (
        IN_LINE,
        f"CREATE SCHEMA elsewhere; CREATE FUNCTION elsewhere.onrecord_in_line() {_RETURNS} NULL; END $$;"
        + _anew(f"CREATE {_LINE} EXECUTE FUNCTION elsewhere.onrecord_in_line()", name=IN_LINE),
    ),
}
_REFUSE = "BEGIN SELECT RAISE(ABORT, 'recordings_ledgerentry is append only'); END"
_QUEUE = "BEGIN INSERT OR IGNORE INTO recordings_unsealed (entry_id) VALUES (NEW.id); END"
ON_SQLITE = {
    "a guard that does nothing": (
        f"{ENTRIES}_keep_update",
        f"CREATE TRIGGER {ENTRIES}_keep_update BEFORE UPDATE ON {ENTRIES} BEGIN SELECT 1; END",
    ),
    "a guard that never fires": (
        f"{ENTRIES}_keep_delete",
        f"CREATE TRIGGER {ENTRIES}_keep_delete BEFORE DELETE ON {ENTRIES} WHEN 0 {_REFUSE}",
    ),
    "a guard of one column": (
        f"{ENTRIES}_keep_update",
        f"CREATE TRIGGER {ENTRIES}_keep_update BEFORE UPDATE OF id ON {ENTRIES} {_REFUSE}",
    ),
    "a guard of another table": (
        f"{ENTRIES}_keep_update",
        f"CREATE TRIGGER {ENTRIES}_keep_update BEFORE UPDATE ON recordings_reading {_REFUSE}",
    ),
    "a line for a few": (
        IN_LINE,
        f"CREATE TRIGGER {IN_LINE} AFTER INSERT ON {ENTRIES} WHEN NEW.action = 'signin.succeeded' {_QUEUE}",
    ),
    "people who can be deleted": (
        PEOPLE,
        f"CREATE TRIGGER {PEOPLE} BEFORE DELETE ON auth_user BEGIN SELECT 1; END",
    ),
}
CHANGED = ON_POSTGRESQL if connection.vendor == "postgresql" else ON_SQLITE


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _change(name: str) -> str:
    """Does it; answers the trigger that has lost its force."""
    trigger, sql = CHANGED[name]
    if connection.vendor == "sqlite":
        _execute(f"DROP TRIGGER {trigger}")
    _execute(sql)
    return trigger


@pytest.mark.parametrize("name", CHANGED)
def test_a_trigger_that_was_changed_is_named_by_the_check_and_put_right_by_migrate(name: str) -> None:
    assert append_only.missing(connection) == []
    trigger = _change(name)

    (complaint,) = [found for found in checks.durable_database(databases=["default"]) if found.id == "onrecord.E010"]
    assert trigger in complaint.msg
    assert "missing, switched off or changed" in complaint.msg

    append_only.install(connection)
    assert append_only.missing(connection) == []


def test_a_changed_guard_lets_pass_what_it_should_not_and_holds_once_it_is_put_right(now: datetime) -> None:
    (entry,) = ledgers.entries(1, at=now)
    _settle()
    _change("a guard that lets everything pass" if connection.vendor == "postgresql" else "a guard of one column")
    assert LedgerEntry.objects.filter(pk=entry.pk).update(body="{}") == 1

    _settle()
    append_only.install(connection)
    with pytest.raises(DatabaseError, match="append only"), transaction.atomic():
        LedgerEntry.objects.filter(pk=entry.pk).update(body="[]")


def test_a_changed_line_leaves_entries_out_and_takes_them_in_once_it_is_put_right(now: datetime) -> None:
    _change("a line that nobody is put in" if connection.vendor == "postgresql" else "a line for a few")
    (left_out,) = ledgers.entries(1, at=now)
    _settle()
    append_only.install(connection)
    (taken_in,) = ledgers.entries(1, at=now)
    line = set(Unsealed.objects.values_list("pk", flat=True))
    assert left_out.pk not in line
    assert taken_in.pk in line


def _settle() -> None:
    """PostgreSQL alters no table that still waits for a check."""
    connection.check_constraints()
