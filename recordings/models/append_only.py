"""The triggers that make tables append only, in the database itself (invariant 6).

PostgreSQL: a row trigger for UPDATE and DELETE and a statement trigger for TRUNCATE, `ENABLE ALWAYS`, so that they
hold under `session_replication_role = replica`, too. SQLite: RAISE(ABORT); and because `INSERT OR REPLACE` walks past
delete triggers unless the connection says `recursive_triggers`, an insert trigger refuses an existing key: those of
the table, and the hidden `rowid`, by which a row can be replaced as well.

Two more triggers: one puts every new ledger entry in line for its seal, however it was inserted; one keeps the users,
who are disabled and never deleted.
"""

from collections.abc import Iterator

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

_POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION onrecord_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""
_KEEP_USERS = f"{USERS}_keep_rows"
_NEVER_DELETED = "people are disabled, never deleted"
_POSTGRES_KEEP_USERS = f"""
CREATE OR REPLACE FUNCTION onrecord_keep_users() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '{_NEVER_DELETED}' USING ERRCODE = 'restrict_violation';
END $$
"""
_ENTRIES = "recordings_ledgerentry"
_IN_LINE = f"{_ENTRIES}_keep_in_line"
_EACH_INSERT = f"AFTER INSERT ON {_ENTRIES} REFERENCING NEW TABLE AS entries FOR EACH STATEMENT"
_POSTGRES_IN_LINE = """
CREATE OR REPLACE FUNCTION onrecord_in_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO recordings_unsealed (entry_id) SELECT id FROM entries ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$
"""


def install(connection: BaseDatabaseWrapper) -> None:
    """Put every missing trigger in place. Tables that do not exist yet are left out."""
    for statement in _missing_statements(connection):
        with connection.cursor() as cursor:
            cursor.execute(statement)


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """The names of the triggers that should be there and are not, or are switched off."""
    present = _present(connection)
    return [name for name, _ in _wanted(connection) if name not in present]


def _missing_statements(connection: BaseDatabaseWrapper) -> Iterator[str]:
    absent = set(missing(connection))
    if absent and connection.vendor == "postgresql":
        yield _POSTGRES_FUNCTION
    for name, statements in _wanted(connection):
        if name in absent:
            yield from statements


def _wanted(connection: BaseDatabaseWrapper) -> Iterator[tuple[str, tuple[str, ...]]]:
    existing = set(connection.introspection.table_names())
    is_postgres = connection.vendor == "postgresql"
    make = _postgres_triggers if is_postgres else _sqlite_triggers
    for table, keys in TABLES.items():
        if table in existing:
            yield from make(table, keys)
    if _ENTRIES in existing:
        yield _IN_LINE, _postgres_in_line() if is_postgres else _sqlite_in_line()
    if USERS in existing:
        yield _KEEP_USERS, _postgres_keep_users() if is_postgres else _sqlite_keep_users()


def _postgres_triggers(table: str, keys: tuple[tuple[str, ...], ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    del keys  # ON CONFLICT DO UPDATE is an UPDATE, which the row trigger refuses
    for name, moment in (
        (f"{table}_keep_rows", "BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW"),
        (f"{table}_keep_table", "BEFORE TRUNCATE ON {table} FOR EACH STATEMENT"),
    ):
        yield (
            name,
            (
                f'DROP TRIGGER IF EXISTS "{name}" ON {table}',
                f'CREATE TRIGGER "{name}" {moment.format(table=table)} EXECUTE FUNCTION onrecord_append_only()',
                f'ALTER TABLE {table} ENABLE ALWAYS TRIGGER "{name}"',
            ),
        )


def _sqlite_triggers(table: str, keys: tuple[tuple[str, ...], ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append only'); END"
    yield f"{table}_keep_update", (f"CREATE TRIGGER {table}_keep_update BEFORE UPDATE ON {table} {refuse}",)
    yield f"{table}_keep_delete", (f"CREATE TRIGGER {table}_keep_delete BEFORE DELETE ON {table} {refuse}",)
    for columns in (("rowid",), *keys):
        name = f"{table}_keep_{'_'.join(columns)}"
        same = " AND ".join(f'"{column}" = NEW."{column}"' for column in columns)
        exists = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 - names from TABLES only
        yield name, (f"CREATE TRIGGER {name} BEFORE INSERT ON {table} {exists} {refuse}",)


def _postgres_in_line() -> tuple[str, ...]:
    """Once a statement: a hundred entries are put in line by one INSERT."""
    return (
        _POSTGRES_IN_LINE,
        f'DROP TRIGGER IF EXISTS "{_IN_LINE}" ON {_ENTRIES}',
        f'CREATE TRIGGER "{_IN_LINE}" {_EACH_INSERT} EXECUTE FUNCTION onrecord_in_line()',
        f'ALTER TABLE {_ENTRIES} ENABLE ALWAYS TRIGGER "{_IN_LINE}"',
    )


def _sqlite_in_line() -> tuple[str, ...]:
    queue = "INSERT OR IGNORE INTO recordings_unsealed (entry_id) VALUES (NEW.id)"
    return (f"CREATE TRIGGER {_IN_LINE} AFTER INSERT ON {_ENTRIES} BEGIN {queue}; END",)


def _postgres_keep_users() -> tuple[str, ...]:
    return (
        _POSTGRES_KEEP_USERS,
        f'DROP TRIGGER IF EXISTS "{_KEEP_USERS}" ON {USERS}',
        f'CREATE TRIGGER "{_KEEP_USERS}" BEFORE DELETE ON {USERS} FOR EACH ROW EXECUTE FUNCTION onrecord_keep_users()',
        f'ALTER TABLE {USERS} ENABLE ALWAYS TRIGGER "{_KEEP_USERS}"',
    )


def _sqlite_keep_users() -> tuple[str, ...]:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_NEVER_DELETED}'); END"
    return (f"CREATE TRIGGER {_KEEP_USERS} BEFORE DELETE ON {USERS} {refuse}",)


def _present(connection: BaseDatabaseWrapper) -> set[str]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                " WHERE NOT tgisinternal AND tgenabled = 'A' AND c.relnamespace = current_schema()::regnamespace"
            )
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        return {row[0] for row in cursor.fetchall()}
