"""The line of entries that wait for their seal: who is next, and taking them out."""

from collections.abc import Generator, Sequence
from itertools import batched
from uuid import UUID

from django.db import connection, transaction

from recordings.ledger.ahead import answer, ask, finish
from recordings.ledger.places import KEY_BYTES, cut
from recordings.models import Unsealed

# So many at once, with their bodies, are held in memory.
PART = 1024

# One row a part, since a row costs the client more than what stands in it. The line is cut first, so that no plan
# begins with the ledger, which is long. An aggregate takes its rows in the order of the query below it, and a text of
# PostgreSQL holds no NUL, which so parts one body from the next. The last key is that of the line: whoever stands in it
# and is gone from the ledger keeps nobody behind it waiting.
_PART = """
SELECT
    string_agg(uuid_send(id), ''::bytea), string_agg(textsend(body), '\\x00'::bytea),
    uuid_send((array_agg(entry_id))[count(*)])
FROM (
    SELECT waiting.entry_id, entry.id, entry.body FROM (
        SELECT entry_id FROM recordings_unsealed WHERE entry_id {behind} $1::uuid ORDER BY entry_id LIMIT $2::bigint
    ) AS waiting
    LEFT JOIN recordings_ledgerentry AS entry ON entry.id = waiting.entry_id ORDER BY waiting.entry_id
) AS part
"""
_FIRST, _LATER = (_PART.format(behind=behind).encode() for behind in (">=", ">"))

# Keys, one after the other, and the bodies of each.
type Part = tuple[bytes, Sequence[bytes]]


def oldest(limit: int) -> Generator[Part]:
    """Keys and bodies of the `limit` oldest entries that wait, in the order of their keys, part by part.

    PostgreSQL finds the next part while we work on this one: until the end no other statement may be run.
    """
    return _oldest_by_parts(limit) if connection.vendor == "postgresql" else _oldest_by_rows(limit)


def take_out(keys: bytes) -> None:
    """These, one after the other in their order, wait no longer.

    They go by the range of their keys, which is quick. One that was committed meanwhile may lie in the range and is
    not among them: then the numbers differ, and they go by their keys.
    """
    count = len(keys) // KEY_BYTES
    with transaction.atomic():
        first, last = UUID(bytes=keys[:KEY_BYTES]), UUID(bytes=keys[-KEY_BYTES:])
        taken, _ = Unsealed.objects.filter(entry_id__gte=first, entry_id__lte=last).delete()
        transaction.set_rollback(taken != count)
    if taken != count:
        for some in batched(cut(keys), PART):
            Unsealed.objects.filter(entry_id__in=[UUID(bytes=key) for key in some]).delete()


def _oldest_by_rows(limit: int) -> Generator[Part]:
    rows = Unsealed.objects.order_by("entry_id").values_list("entry_id", "entry__body")[:limit]
    for some in batched(rows.iterator(PART), PART):
        yield b"".join([key.bytes for key, _ in some]), [body.encode() for _, body in some]


def _oldest_by_parts(limit: int) -> Generator[Part]:
    """Each next part is under way while this one is worked on, so nothing else may use the connection meanwhile."""
    connection.ensure_connection()
    line = connection.connection.pgconn
    try:
        ask(line, _FIRST, UUID(int=0).bytes, _number(min(limit, PART)))
        while limit > 0 and (row := answer(line))[-1]:
            keys, bodies, last = (column or b"" for column in row)
            limit -= PART
            if limit > 0:
                ask(line, _LATER, last, _number(min(limit, PART)))
            if keys:
                yield keys, bodies.split(b"\0")
    finally:
        finish(line)


def _number(value: int) -> bytes:
    return value.to_bytes(8)
