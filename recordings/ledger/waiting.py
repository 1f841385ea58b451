"""The line of entries that wait for their seal: who is next, and taking them out."""

from collections.abc import Iterator, Sequence
from itertools import batched
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import mogrify

from recordings.models import Unsealed

# So many at once, with their bodies, are held in memory.
PART = 1024
_KEY_BYTES = 16
_LAST = UUID(int=2**128 - 1)

# Where each part of the line begins, and the first one behind all parts if more wait than were asked for.
_BEGINNINGS = """
SELECT entry_id, place FROM (
    SELECT entry_id, row_number() OVER (ORDER BY entry_id) AS place
    FROM recordings_unsealed ORDER BY entry_id LIMIT %(limit)s + 1
) AS oldest
WHERE place %% %(part)s = 1 OR place = %(limit)s + 1
ORDER BY place
"""
# One row a part, since a row costs the client more than what stands in it. The range is said of both tables, so that
# neither is searched beyond it. An aggregate takes its rows in the order of the query below it.
_PARTS = """
COPY (
    SELECT entries.keys, entries.bodies
    FROM unnest(%s::uuid[], %s::uuid[]) AS part (first, until), LATERAL (
        SELECT string_agg(uuid_send(id), ''::bytea) AS keys, array_agg(convert_to(body, 'UTF8')) AS bodies FROM (
            SELECT entry.id, entry.body
            FROM recordings_unsealed AS waiting JOIN recordings_ledgerentry AS entry ON entry.id = waiting.entry_id
            WHERE waiting.entry_id >= part.first AND waiting.entry_id <= part.until
                AND entry.id >= part.first AND entry.id <= part.until
            ORDER BY waiting.entry_id
        ) AS in_order
    ) AS entries
) TO STDOUT (FORMAT BINARY)
"""

type Part = tuple[Sequence[bytes], Sequence[bytes]]


def oldest(limit: int) -> Iterator[Part]:
    """Keys and bodies of the `limit` oldest entries that wait, in the order of their keys, part by part.

    A few more where some are committed meanwhile. PostgreSQL finds the next part while we work on this one.
    """
    return _oldest_by_copy(limit) if connection.vendor == "postgresql" else _oldest_by_rows(limit)


def take_out(keys: Sequence[bytes]) -> None:
    """These, in the order of their keys, wait no longer.

    They go by the range of their keys, which is quick. One that was committed meanwhile may lie in the range and is
    not among them: then the numbers differ, and they go by their keys.
    """
    with transaction.atomic():
        first, last = UUID(bytes=keys[0]), UUID(bytes=keys[-1])
        taken, _ = Unsealed.objects.filter(entry_id__gte=first, entry_id__lte=last).delete()
        transaction.set_rollback(taken != len(keys))
    if taken != len(keys):
        for some in batched(keys, PART):
            Unsealed.objects.filter(entry_id__in=[UUID(bytes=key) for key in some]).delete()


def _oldest_by_rows(limit: int) -> Iterator[Part]:
    rows = Unsealed.objects.order_by("entry_id").values_list("entry_id", "entry__body")[:limit]
    for some in batched(rows.iterator(PART), PART):
        yield [key.bytes for key, _ in some], [body.encode() for _, body in some]


def _oldest_by_copy(limit: int) -> Iterator[Part]:
    bounds = _bounds(limit)
    firsts, untils = [first for first, _ in bounds], [until for _, until in bounds]
    statement = mogrify(_PARTS, (firsts, untils), connection)  # COPY takes no parameters
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(("bytea", "bytea[]"))
        for keys, bodies in copy.rows():
            if bodies:
                yield [keys[at : at + _KEY_BYTES] for at in range(0, len(keys), _KEY_BYTES)], bodies


def _bounds(limit: int) -> list[tuple[UUID, UUID]]:
    """Of each part: its first key, and the last one there can be before the next part."""
    with connection.cursor() as cursor:
        cursor.execute(_BEGINNINGS, {"limit": limit, "part": PART})
        beginnings: list[tuple[UUID, int]] = cursor.fetchall()
    untils = [*(UUID(int=key.int - 1) for key, _ in beginnings[1:]), _LAST]
    return [(first, until) for (first, place), until in zip(beginnings, untils, strict=False) if place <= limit]
