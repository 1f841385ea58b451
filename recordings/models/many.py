"""Hundreds of rows at once, where Django takes longer to write the statement than PostgreSQL to run it."""

import json
from collections.abc import Collection, Mapping
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Func, JSONField, Model, QuerySet
from django.db.models.sql.compiler import SQLCompiler

type Sql = tuple[str, tuple[Any, ...]]


class CopyQuerySet[Row: Model](QuerySet[Row]):
    def bulk_copy(self, rows: Collection[Row]) -> None:
        """Insert new rows as bulk_create does; on PostgreSQL by COPY, which needs no statement that grows with them.

        For tables of plain texts, numbers, times and keys, which psycopg writes as they are. Raises IntegrityError.
        """
        connection = connections[self.db]
        if connection.vendor != "postgresql":
            self.bulk_create(rows)
        elif rows:
            _copy(connection, self.model, rows)


def _copy[Row: Model](connection: BaseDatabaseWrapper, model: type[Row], rows: Collection[Row]) -> None:
    fields = model._meta.concrete_fields
    names = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    # With a single name attrgetter answers no tuple: so the key comes once more, in front, and is left out.
    columns = attrgetter("pk", *(field.attname for field in fields))
    table = connection.ops.quote_name(model._meta.db_table)
    statement = f"COPY {table} ({names}) FROM STDIN"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(columns(row)[1:])
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


class ByKey(Func):
    """For each row what `values` has for its key, else null: one parameter, where a Case is an expression a row."""

    def __init__(self, values: Mapping[UUID, object] | Mapping[int, object], output_field: "Field[Any, Any]") -> None:
        super().__init__("pk", output_field=output_field)
        self._values = values

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any) -> Sql:
        key, _ = compiler.compile(self.get_source_expressions()[0])
        arrow = "->" if isinstance(self.output_field, JSONField) else "->>"
        values = json.dumps({str(key): value for key, value in self._values.items()}, default=str)
        return f"(%s::jsonb {arrow} {key}::text)::{self.output_field.cast_db_type(connection)}", (values,)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any) -> Sql:
        key, _ = compiler.compile(self.get_source_expressions()[0])
        values = json.dumps({_stored(key): value for key, value in self._values.items()}, default=_stored)
        return f"JSON_EXTRACT(%s, '$.\"' || {key} || '\"')", (values,)


def _stored(value: object) -> str:
    """SQLite keeps keys as Django writes them there."""
    return value.hex if isinstance(value, UUID) else str(value)
