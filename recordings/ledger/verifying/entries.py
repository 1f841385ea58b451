"""The entries in the order of their keys, a block at a time: each block is a statement of its own, so that a long run
holds no snapshot of a busy database open.

Both databases hand over the very bytes of a body. On PostgreSQL a block comes as one row, since fetching a row for each
entry takes as long as hashing it; a text there holds no NUL, which so parts one body from the next.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from psycopg import Cursor

BLOCK = 4096
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
_POSTGRES = """
SELECT
    string_agg(uuid_send(id), ''::bytea),
    string_agg(textsend(body), '\\x00'::bytea),
    textsend(json_agg(copies)::text)
FROM (
    SELECT id, body, {copies} AS copies FROM recordings_ledgerentry WHERE id > %s AND id <= %s ORDER BY id LIMIT %s
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
    read = _block_of_postgres if connection.vendor == "postgresql" else _block_of_sqlite
    after = FIRST
    while block := read(after, until, with_copies):
        yield block
        after = block.last


def _block_of_postgres(after: UUID, until: UUID, with_copies: bool) -> Block | None:
    statement = _POSTGRES.format(copies=_COPIES_ON_POSTGRES if with_copies else "NULL::json")
    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor[Any](connection.connection) as cursor:
        row = cursor.execute(statement, (after, until, BLOCK), binary=True).fetchone()
    keys, bodies, copies = row or (b"", b"", b"")
    if not keys:
        return None
    return Block(keys, bodies.split(b"\0"), json.loads(copies) if with_copies else [])


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
