"""Where in the tree an entry stands."""

from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from functools import reduce
from itertools import batched
from operator import or_
from uuid import UUID

from django.db.models import Q

from recordings.models import LeafBatch

KEY_BYTES = 16
# Conditions in one statement; each is a stretch of keys that lie close together.
MOST_STRETCHES = 100

type Stretch = tuple[UUID, UUID]


def places_of(keys: Iterable[UUID]) -> dict[UUID, int]:
    """The index of each of these entries that is sealed. One query where they lie close together, as those of a page
    do; else one for each hundred stretches of them."""
    wanted = {key.bytes: key for key in keys}
    found: dict[UUID, int] = {}
    for stretches in batched(_stretches(sorted(wanted.values())), MOST_STRETCHES):
        batches = LeafBatch.objects.filter(reduce(or_, (_may_hold(first, last) for first, last in stretches)))
        for first_index, entry_ids in batches.values_list("first_index", "entry_ids").iterator(chunk_size=16):
            found |= _in_batch(wanted, first_index, bytes(entry_ids))
    return found


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
    keys = (entry_ids[at : at + KEY_BYTES] for at in range(0, len(entry_ids), KEY_BYTES))
    return {wanted[key]: first_index + at for at, key in enumerate(keys) if key in wanted}
