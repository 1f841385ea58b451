"""Where in the tree an entry stands."""

from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from functools import reduce
from itertools import batched
from operator import or_
from uuid import UUID

from django.db.models import BinaryField, F, Q
from django.db.models.functions import Cast, Substr

from recordings.ledger.canonical import LARGEST_NUMBER
from recordings.models import LeafBatch

KEY_BYTES = 16
# Conditions in one statement; each is a stretch of keys that lie close together.
MOST_STRETCHES = 100
_TIME_BYTES = 6  # with them a UUIDv7 begins: milliseconds
_WIDTH = LeafBatch.WIDTH // timedelta(milliseconds=1)
# No ledger is longer, since no entry about it could say so; and in SQLite any text is larger than any number.
LARGEST_INDEX = LARGEST_NUMBER
# SQLite may have a text there.
_ENTRY_IDS = Cast("entry_ids", BinaryField())
_BEHIND_ALL = b"\xff" * (KEY_BYTES + 1)

type Stretch = tuple[UUID, UUID]


def places_of(keys: Iterable[UUID], *, below: int = LARGEST_INDEX) -> dict[UUID, int]:
    """The index of each of these entries that is sealed, or was before the index `below`. One query where they lie
    close together, as those of a page do; else one for each hundred stretches of them."""
    wanted = {key.bytes: key for key in keys}
    found: dict[UUID, int] = {}
    for stretches in batched(_stretches(sorted(wanted.values())), MOST_STRETCHES):
        near = reduce(or_, (_may_hold(first, last) for first, last in stretches))
        batches = LeafBatch.objects.filter(near, first_index__lt=below)
        for first_index, entry_ids in batches.values_list("first_index", _ENTRY_IDS).iterator(chunk_size=16):
            found |= _in_batch(wanted, first_index, bytes(entry_ids))
    return found


def keys_near(edges: Collection[UUID]) -> Iterator[list[bytes]]:
    """The keys of each batch that reaches into one of the stretches which these sorted keys are in."""
    last_key = Substr("entry_ids", F("count") * KEY_BYTES - KEY_BYTES + 1, KEY_BYTES, output_field=BinaryField())
    batches = LeafBatch.objects.annotate(last_key=last_key)
    for stretches in batched(_stretches(edges), MOST_STRETCHES):
        reaching = (_may_hold(first, last) & Q(last_key__gte=first.bytes) for first, last in stretches)
        for entry_ids in batches.filter(reduce(or_, reaching)).values_list("entry_ids", flat=True).iterator(16):
            yield cut(bytes(entry_ids))


def too_late(key: bytes) -> bytes:
    """The beginning of all keys that lie too far behind this one for one batch; behind every key where none does."""
    milliseconds = int.from_bytes(key[:_TIME_BYTES]) + _WIDTH + 1
    return milliseconds.to_bytes(_TIME_BYTES) if milliseconds < 2 ** (8 * _TIME_BYTES) else _BEHIND_ALL


def _stretches(keys: Collection[UUID]) -> Iterator[Stretch]:
    """Sorted keys as stretches: a key that is no further from the one before than a batch is wide goes on with it."""
    first = last = None
    for key in keys:
        if first is None or last is None or _earlier(key, LeafBatch.WIDTH) > last:
            if first and last:
                yield first, last
            first = key
        last = key
    if first and last:
        yield first, last


def _may_hold(first: UUID, last: UUID) -> Q:
    """No batch is wider than WIDTH, so one that holds a key begins at most that long before it."""
    return Q(first_entry__lte=last, first_entry__gte=_earlier(first, LeafBatch.WIDTH))


def _earlier(key: UUID, by: timedelta) -> UUID:
    milliseconds = max(0, (key.int >> 80) - int(by.total_seconds() * 1000) - 1)
    return UUID(int=milliseconds << 80)


def _in_batch(wanted: dict[bytes, UUID], first_index: int, entry_ids: bytes) -> dict[UUID, int]:
    return {wanted[key]: first_index + at for at, key in enumerate(cut(entry_ids)) if key in wanted}


def cut(entry_ids: bytes) -> list[bytes]:
    """The keys that stand there one after the other."""
    return [entry_ids[at : at + KEY_BYTES] for at in range(0, len(entry_ids), KEY_BYTES)]
