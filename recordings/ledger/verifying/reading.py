"""Rows as they are stored, whatever somebody put into them.

Who owns the database can leave values that its readers refuse: `infinity` as a time in PostgreSQL; in SQLite any text,
and bytes that are none, in any column. Such a value is not what its entry says, and must not end the run.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.db import DataError, connection
from django.db.models import DateTimeField, Field, QuerySet, TextField, UUIDField
from django.db.models.functions import Cast
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive

from recordings.ledger.canonical import timestamp


class _Unreadable:
    """What stands for such a value. It equals nothing that an entry says."""

    def __str__(self) -> str:
        return "that cannot be read"


UNREADABLE: Final = _Unreadable()

# What the readers of a column raise, Django's and psycopg's.
_REFUSALS = (ValueError, TypeError, AttributeError, OverflowError, DataError)


def rows_of(rows: QuerySet[Any, Any], *columns: str) -> list[tuple[Any, ...]]:
    """These columns of the rows, with UNREADABLE for what cannot be read; of the row's own key its text. One query or
    two.
    """
    try:
        return list(rows.values_list(*columns))
    except _REFUSALS:
        return _read_as_text(rows, columns)


def with_keys(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Those whose own key, which comes first, is one: no other can be asked for, and no entry tells of it."""
    return [row for row in rows if not isinstance(row[0], str)]


def written(moment: datetime | _Unreadable) -> object:
    """A time that was read here as an entry writes it."""
    return timestamp(moment) if isinstance(moment, datetime) else UNREADABLE


def as_bytes(value: object) -> bytes:
    """Bytes that were read from a column of bytes; none where something else stands there."""
    if isinstance(value, str):
        return value.encode()
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else b""


@contextmanager
def any_bytes_as_text() -> Iterator[None]:
    """SQLite keeps any bytes as a text, and its reader gives up at those that are no UTF-8. Till the end of this they
    are read as U+FFFD."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    sqlite = connection.connection
    sqlite.text_factory = lambda text: text.decode(errors="replace")
    try:
        yield
    finally:
        sqlite.text_factory = str


def _read_as_text(rows: QuerySet[Any, Any], columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """Times and keys as texts, which every database can make of whatever there is, and parsed here."""
    parsers = [_PARSERS.get(type(_field(rows, column))) for column in columns]
    asked = [Cast(name, TextField()) if parse else name for name, parse in zip(columns, parsers, strict=True)]
    return [
        tuple(
            _parsed(value, parse, is_key=name == "pk") for name, value, parse in zip(columns, row, parsers, strict=True)
        )
        for row in rows.values_list(*asked)
    ]


def _field(rows: QuerySet[Any, Any], column: str) -> "Field[Any, Any]":
    field = rows.all().query.resolve_ref(column).output_field
    return getattr(field, "target_field", field)


def _parsed(value: Any, parse: Callable[[str], object] | None, *, is_key: bool) -> object:
    if parse is None or value is None:
        return value
    try:
        return parse(value)
    except ValueError:
        return value if is_key else UNREADABLE


def _moment(text: str) -> datetime:
    """Raises ValueError. Without a zone it is of SQLite, which keeps UTC."""
    found = parse_datetime(text)
    if found is None:
        raise ValueError(text)
    return found.replace(tzinfo=UTC) if is_naive(found) else found


_PARSERS: "dict[type[Field[Any, Any]], Callable[[str], object]]" = {DateTimeField: _moment, UUIDField: UUID}
