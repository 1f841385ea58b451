"""The entries in the order of their keys, a block at a time: each block is a statement of its own, so that a long run
holds no snapshot of a busy database open.

Both databases hand over the very bytes of a body. On PostgreSQL a block comes as one row, since fetching a row for each
entry takes as long as hashing it; a text there holds no NUL, which so parts one body from the next.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from psycopg import Connection, Cursor

BLOCK = 1024
KEY_BYTES = 16
FIRST = UUID(int=0)

# What an entry's other columns say: the key, then the columns as the body would say them.
type Copies = Sequence[Any]


class Block(NamedTuple):
    """Entries side by side: their keys, and in the same order their bodies and what their other columns say."""

    keys: bytes
    bodies: list[bytes]
    copies: list[Copies]

    @property
    def last(self) -> UUID:
        return UUID(bytes=self.keys[-KEY_BYTES:])


_COPIES_ON_POSTGRES = """json_build_array(action, actor_id,
    (SELECT graph_id FROM recordings_call WHERE recordings_call.id = call_id), operation_id, finding_id,
    to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))"""
_WITH_COPIES = f"textsend(json_agg({_COPIES_ON_POSTGRES})::text)"
_POSTGRES = """
SELECT
    string_agg(uuid_send(id), ''::bytea),
    string_agg(textsend(body), '\\x00'::bytea),
    {copies}
FROM (
    SELECT * FROM recordings_ledgerentry WHERE id > %s AND id <= %s ORDER BY id LIMIT %s
) AS page
"""

# SQLite keeps a key as 32 hexadecimal digits, and a time without its zone, and without a fraction of zero.
_COPIES_ON_SQLITE = """action, actor_id,
    (SELECT graph_id FROM recordings_call WHERE recordings_call.id = call_id), operation_id, finding_id,
    replace(occurred_at, ' ', 'T') || CASE length(occurred_at) WHEN 19 THEN '.000000Z' ELSE 'Z' END,
    replace(recorded_at, ' ', 'T') || CASE length(recorded_at) WHEN 19 THEN '.000000Z' ELSE 'Z' END"""
_SQLITE = """
SELECT id, CAST(body AS BLOB), {copies} FROM recordings_ledgerentry WHERE id > %s AND id <= %s ORDER BY id LIMIT %s
"""


def blocks(*, until: UUID, with_copies: bool = True) -> Iterator[Block]:
    """Every entry up to the key `until`. Without copies that list is empty."""
    if connection.vendor == "postgresql":
        yield from _blocks_of_postgres(until, with_copies)
        return
    after = FIRST
    while block := _block_of_sqlite(after, until, with_copies):
        yield block
        after = block.last


def _blocks_of_postgres(until: UUID, with_copies: bool) -> Iterator[Block]:
    """The next block is asked for before this one is given out, so that the database works while it is hashed."""
    statement = _POSTGRES.format(copies=_WITH_COPIES if with_copies else "NULL")
    with connection.wrap_database_errors, _reader() as reader:
        asked = Cursor[Any](reader).execute(statement, (FIRST, until, BLOCK), binary=True)
        while row := asked.fetchone():
            keys, bodies, copies = row
            if not keys:
                return
            block = Block(keys, bodies.split(b"\0"), json.loads(copies) if with_copies else [])
            asked = Cursor[Any](reader).execute(statement, (block.last, until, BLOCK), binary=True)
            yield block


@contextmanager
def _reader() -> Iterator[Connection[Any]]:
    """A connection of its own, which need not wait for an answer; inside a transaction the one that sees its rows."""
    if connection.in_atomic_block:
        yield connection.connection
        return
    own = connection.copy()
    try:
        own.ensure_connection()
        with own.connection.pipeline():
            yield own.connection
    finally:
        own.close()


def _block_of_sqlite(after: UUID, until: UUID, with_copies: bool) -> Block | None:
    statement = _SQLITE.format(copies=_COPIES_ON_SQLITE if with_copies else "NULL")
    with connection.cursor() as cursor:
        cursor.execute(statement, (after.hex, until.hex, BLOCK))
        rows = cursor.fetchall()
    if not rows:
        return None
    keys = b"".join([bytes.fromhex(row[0]) for row in rows])
    return Block(keys, [row[1] for row in rows], [_copies(*row[2:]) for row in rows] if with_copies else [])


def _copies(action: str, actor: int, call: str | None, operation: str | None, *others: Any) -> Copies:
    return action, actor, call, operation and str(UUID(operation)), *others
