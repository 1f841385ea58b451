"""What the site's role may do on PostgreSQL: everything but change what was written once.

The triggers of append_only hold against every role, but the owner of a table can drop them. So the site runs as
another role, which has INSERT and SELECT on these tables and nothing more.
"""

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from recordings.models import append_only

_CHANGES = "UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER"


def statements(connection: BaseDatabaseWrapper, role: str) -> Iterator[str]:
    """The SQL that lets `role` run the site, for the tables as they are now; for their owner, in one transaction."""
    to = connection.ops.quote_name(role)
    kept = ", ".join(connection.ops.quote_name(table) for table in _existing(connection))
    schema = connection.ops.quote_name(_one(connection, "SELECT current_schema()"))
    yield f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {to}"
    yield f"GRANT USAGE ON SCHEMA {schema} TO {to}"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {to}"
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {to}"
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {to}"
    yield f"REVOKE ALL ON {kept} FROM PUBLIC, {to}"
    yield f"GRANT SELECT, INSERT ON {kept} TO {to}"
    yield f"REVOKE DELETE ON {connection.ops.quote_name(append_only.USERS)} FROM PUBLIC, {to}"


def is_role(connection: BaseDatabaseWrapper, role: str) -> bool:
    return _one(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", role) == "1"


def owned(connection: BaseDatabaseWrapper, role: str = "") -> list[str]:
    """The append-only tables that `role` (without one: whoever is connected) could take the triggers from.

    That is who owns them, may act as their owner, or is a superuser. None where the database has no roles.
    """
    return _where(connection, "pg_has_role({who}, relowner, 'MEMBER')", role)


def changeable(connection: BaseDatabaseWrapper, role: str) -> list[str]:
    """The append-only tables on which `role` has more than INSERT and SELECT, from wherever it has it."""
    return _where(connection, f"has_table_privilege({{who}}, oid, '{_CHANGES}')", role)


def _where(connection: BaseDatabaseWrapper, condition: str, role: str) -> list[str]:
    if connection.vendor != "postgresql":
        return []
    who = "%s" if role else "current_user"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"  # noqa: S608 - ours
            f" AND relname = ANY(%s) AND {condition.format(who=who)} ORDER BY relname",
            [list(append_only.TABLES), *([role] if role else [])],
        )
        return [name for (name,) in cursor.fetchall()]


def _existing(connection: BaseDatabaseWrapper) -> list[str]:
    present = set(connection.introspection.table_names())
    return [table for table in append_only.TABLES if table in present]


def _one(connection: BaseDatabaseWrapper, sql: str, *values: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row = cursor.fetchone()
    return str(row[0]) if row else ""
