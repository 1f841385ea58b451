"""The triggers that make tables append only, in the database itself (invariant 6).

PostgreSQL: a row trigger for UPDATE and DELETE and a statement trigger for TRUNCATE, `ENABLE ALWAYS`, so that they
hold under `session_replication_role = replica`, too. SQLite: RAISE(ABORT); and because `INSERT OR REPLACE` walks past
delete triggers unless the connection says `recursive_triggers`, an insert trigger refuses an existing key: those of
the table, and the hidden `rowid`, by which a row can be replaced as well.

Two more triggers: one puts every new ledger entry in line for its seal, however it was inserted; one keeps the users,
who are disabled and never deleted.

A name proves nothing: a trigger counts as there only if the database tells of it in the very words it was made with,
and if the function it calls has the text that is installed here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

# Table -> the unique keys by which a row could be replaced.
TABLES: dict[str, tuple[tuple[str, ...], ...]] = {
    "recordings_statuschange": (("id",),),
    "recordings_attempt": (("id",), ("operation_id", "number"), ("client_request_id",)),
    "recordings_attemptresult": (("id",), ("attempt_id",)),
    "recordings_evidencefile": (("id",),),
    "recordings_ledgerentry": (("id",),),
    "recordings_leafbatch": (("first_index",),),
    "recordings_node": (("id",), ("level", "position")),
    "recordings_sealkey": (("fingerprint",),),
    "recordings_seal": (("size",),),
}

# Django's own table of people, whose rows change but stay.
USERS = "auth_user"

_ENTRIES = "recordings_ledgerentry"
_IN_LINE = f"{_ENTRIES}_keep_in_line"
_KEEP_USERS = f"{USERS}_keep_rows"
_NEVER_DELETED = "people are disabled, never deleted"

# PostgreSQL: the functions that triggers call, by their names.
_FUNCTIONS = {
    "onrecord_append_only": """
BEGIN
  RAISE EXCEPTION '% is append only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END """,
    "onrecord_keep_users": f"""
BEGIN
  RAISE EXCEPTION '{_NEVER_DELETED}' USING ERRCODE = 'restrict_violation';
END """,
    # Once a statement: a hundred entries are put in line by one INSERT.
    "onrecord_in_line": """
BEGIN
  INSERT INTO recordings_unsealed (entry_id) SELECT id FROM entries ON CONFLICT DO NOTHING;
  RETURN NULL;
END """,
}

# Switched on for replicas too, and calling the function of the tables' own schema, which is plain: it takes no rights
# and no settings of its own. The words are those of CREATE TRIGGER, without a schema for what the search path finds.
_POSTGRES_PRESENT = """
SELECT pg_get_triggerdef(t.oid, true), p.prosrc
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_proc p ON p.oid = t.tgfoid AND p.pronamespace = c.relnamespace
JOIN pg_language l ON l.oid = p.prolang
WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal AND t.tgenabled = 'A'
AND l.lanname = 'plpgsql' AND NOT p.prosecdef AND p.proconfig IS NULL
"""
_SQLITE_PRESENT = "SELECT sql, '' FROM sqlite_master WHERE type = 'trigger'"


@dataclass(frozen=True)
class _Trigger:
    """`sql` makes it, in the words in which the database tells of it. PostgreSQL: the name of what it calls."""

    name: str
    table: str
    sql: str
    function: str = ""

    @property
    def source(self) -> str:
        return _FUNCTIONS.get(self.function, "")


def install(connection: BaseDatabaseWrapper) -> None:
    """Put every trigger in place that is missing or changed. Tables that do not exist yet are left out."""
    lost = _lost(connection)
    for function in {trigger.function for trigger in lost if trigger.function}:
        _execute(connection, _function(function))
    for trigger in lost:
        for statement in _statements(connection, trigger):
            _execute(connection, statement)


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """The names of the triggers that should be there and are not, are switched off, or are not what we install."""
    return [trigger.name for trigger in _lost(connection)]


def wanted(connection: BaseDatabaseWrapper) -> list[str]:
    """The names of the triggers that should be there."""
    return [trigger.name for trigger in _wanted(connection)]


def _lost(connection: BaseDatabaseWrapper) -> list[_Trigger]:
    present = _present(connection)
    return [trigger for trigger in _wanted(connection) if (trigger.sql, trigger.source) not in present]


def _present(connection: BaseDatabaseWrapper) -> set[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(_POSTGRES_PRESENT if connection.vendor == "postgresql" else _SQLITE_PRESENT)
        return set(cursor.fetchall())


def _execute(connection: BaseDatabaseWrapper, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _function(name: str) -> str:
    return f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${_FUNCTIONS[name]}$$"


def _statements(connection: BaseDatabaseWrapper, trigger: _Trigger) -> Iterator[str]:
    if connection.vendor == "postgresql":
        yield f"DROP TRIGGER IF EXISTS {trigger.name} ON {trigger.table}"
        yield trigger.sql
        yield f"ALTER TABLE {trigger.table} ENABLE ALWAYS TRIGGER {trigger.name}"
    else:
        yield f"DROP TRIGGER IF EXISTS {trigger.name}"
        yield trigger.sql


def _wanted(connection: BaseDatabaseWrapper) -> Iterator[_Trigger]:
    existing = set(connection.introspection.table_names())
    make = _postgres_triggers if connection.vendor == "postgresql" else _sqlite_triggers
    yield from (trigger for trigger in make() if trigger.table in existing)


def _postgres_triggers() -> Iterator[_Trigger]:
    """Of the keys nothing is needed: ON CONFLICT DO UPDATE is an UPDATE, which the row trigger refuses."""
    keep, rows, statement = "onrecord_append_only", "FOR EACH ROW", "FOR EACH STATEMENT"
    for table in TABLES:
        yield _calling(keep, f"{table}_keep_rows", table, f"BEFORE DELETE OR UPDATE ON {table} {rows}")
        yield _calling(keep, f"{table}_keep_table", table, f"BEFORE TRUNCATE ON {table} {statement}")
    each_insert = f"AFTER INSERT ON {_ENTRIES} REFERENCING NEW TABLE AS entries {statement}"
    yield _calling("onrecord_in_line", _IN_LINE, _ENTRIES, each_insert)
    yield _calling("onrecord_keep_users", _KEEP_USERS, USERS, f"BEFORE DELETE ON {USERS} {rows}")


def _calling(function: str, name: str, table: str, moment: str) -> _Trigger:
    return _Trigger(name, table, f"CREATE TRIGGER {name} {moment} EXECUTE FUNCTION {function}()", function)


def _sqlite_triggers() -> Iterator[_Trigger]:
    for table, keys in TABLES.items():
        yield from _refusing(table, keys)
    queue = "INSERT OR IGNORE INTO recordings_unsealed (entry_id) VALUES (NEW.id)"
    in_line = f"CREATE TRIGGER {_IN_LINE} AFTER INSERT ON {_ENTRIES} BEGIN {queue}; END"
    yield _Trigger(_IN_LINE, _ENTRIES, in_line)
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_NEVER_DELETED}'); END"
    yield _Trigger(_KEEP_USERS, USERS, f"CREATE TRIGGER {_KEEP_USERS} BEFORE DELETE ON {USERS} {refuse}")


def _refusing(table: str, keys: tuple[tuple[str, ...], ...]) -> Iterator[_Trigger]:
    moments = {"update": f"BEFORE UPDATE ON {table}", "delete": f"BEFORE DELETE ON {table}"}
    for columns in (("rowid",), *keys):
        same = " AND ".join(f'"{column}" = NEW."{column}"' for column in columns)
        exists = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 - names from TABLES only
        moments["_".join(columns)] = f"BEFORE INSERT ON {table} {exists}"
    for what, moment in moments.items():
        name = f"{table}_keep_{what}"
        refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append only'); END"
        yield _Trigger(name, table, f"CREATE TRIGGER {name} {moment} {refuse}")
