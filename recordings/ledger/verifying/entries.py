"""The entries in the order of their keys, a block at a time, each a statement of its own: so that a long run holds no
snapshot of a busy database open. Both databases hand over the very bytes of a body, and they are hashed here.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from recordings.ledger.ahead import answer, ask
from recordings.ledger.verifying.hashing import KEY_BYTES, Block, worked_out
from recordings.models import LedgerEntry

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn

BLOCK = 2048
SMALLEST = UUID(int=0)

# A block comes as one row, since fetching a row for each entry takes as long as hashing it. A text of PostgreSQL holds
# no NUL, which so parts one body from the next.
_COPIES = """textsend(json_agg(json_build_array(action, actor_id,
        (SELECT graph_id FROM recordings_call WHERE recordings_call.id = call_id), operation_id, finding_id,
        to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))::text)
"""
# Columns that are not asked for would take the database half of its time.
_BLOCK = """
SELECT string_agg(uuid_send(id), ''::bytea), string_agg(textsend(body), '\\x00'::bytea), {copies} FROM (
    SELECT {columns} FROM recordings_ledgerentry
    WHERE id {behind} $1::uuid AND id <= $2::uuid ORDER BY id LIMIT {block}
) AS page
"""

# SQLite keeps a key as 32 hexadecimal digits, and a time without its zone, and without a fraction of zero.
_ROWS = """
SELECT id, CAST(body AS BLOB), action, actor_id,
    (SELECT graph_id FROM recordings_call WHERE recordings_call.id = call_id),
    substr(operation_id, 1, 8) || '-' || substr(operation_id, 9, 4) || '-' || substr(operation_id, 13, 4) || '-' ||
    substr(operation_id, 17, 4) || '-' || substr(operation_id, 21), finding_id,
    replace(occurred_at, ' ', 'T') || CASE length(occurred_at) WHEN 19 THEN '.000000Z' ELSE 'Z' END,
    replace(recorded_at, ' ', 'T') || CASE length(recorded_at) WHEN 19 THEN '.000000Z' ELSE 'Z' END
FROM recordings_ledgerentry WHERE id > %s AND id <= %s AND {is_key} ORDER BY id LIMIT %s
"""
_IS_KEY = "(typeof(id) = 'text' AND length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*')"


def blocks(*, until: UUID, with_columns: bool) -> Iterator[Block]:
    """Every entry up to the key `until`; its other columns are compared with its body where `with_columns`."""
    read = _blocks_of_postgres if connection.vendor == "postgresql" else _blocks_of_sqlite
    yield from read(until, with_columns)


def entries_with_keys() -> QuerySet[LedgerEntry]:
    """All but those that `keys_that_are_none` tells of."""
    if connection.vendor == "postgresql":
        return LedgerEntry.objects.all()
    return LedgerEntry.objects.filter(RawSQL(_IS_KEY, (), output_field=BooleanField()))  # noqa: S611 - no value in it


def newest_key() -> UUID | None:
    """The largest key there is."""
    return entries_with_keys().order_by("-pk").values_list("pk", flat=True).first()


def keys_that_are_none() -> list[str]:
    """In SQLite a row can have any text for a key: such ones, and never many. No block has their rows."""
    if connection.vendor == "postgresql":
        return []
    statement = f"SELECT CAST(id AS TEXT) FROM recordings_ledgerentry WHERE NOT {_IS_KEY} LIMIT {BLOCK}"  # noqa: S608
    return [key for (key,) in _asked(statement)]


# -- SQLite


def _blocks_of_sqlite(until: UUID, with_columns: bool) -> Iterator[Block]:
    after = ""
    while rows := _rows(after, until.hex):
        keys = b"".join([bytes.fromhex(row[0]) for row in rows])
        copies = [row[2:] for row in rows] if with_columns else ()
        yield worked_out(keys, [row[1] for row in rows], copies)
        after = rows[-1][0]


def _rows(after: str, until: str) -> list[tuple[Any, ...]]:
    return _asked(_ROWS.format(is_key=_IS_KEY), after, until, BLOCK)


def _asked(statement: str, *values: str | int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


# -- PostgreSQL


def _blocks_of_postgres(until: UUID, with_columns: bool) -> Iterator[Block]:
    """On a connection of its own the next block is asked for before this one is worked out, so that both go on at once.

    Inside a transaction it is that one's, which sees its rows, and others use between two blocks.
    """
    copies, columns = (_COPIES, "*") if with_columns else ("NULL", "id, body")
    first, later = (
        _BLOCK.format(copies=copies, columns=columns, behind=behind, block=BLOCK).encode() for behind in (">=", ">")
    )
    is_ahead = not connection.in_atomic_block
    with _reader(is_own=is_ahead) as reader:
        ask(reader, first, SMALLEST.bytes, until.bytes)
        while (row := answer(reader))[0]:
            keys, bodies, said = (column or b"" for column in row)
            if is_ahead:
                ask(reader, later, keys[-KEY_BYTES:], until.bytes)
            yield worked_out(keys, bodies.split(b"\0"), json.loads(said) if said else ())
            if not is_ahead:
                ask(reader, later, keys[-KEY_BYTES:], until.bytes)


@contextmanager
def _reader(*, is_own: bool) -> Iterator["PGconn"]:
    database = connection.copy() if is_own else connection
    try:
        database.ensure_connection()
        yield database.connection.pgconn
    finally:
        if is_own:
            database.close()
