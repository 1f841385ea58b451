"""Where in the tree an entry stands."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Q

from recordings.models import LeafBatch

KEY_BYTES = 16


def places_of(keys: Iterable[UUID]) -> dict[UUID, int]:
    """The index of each of these entries that is sealed. One query, whose length grows with the keys."""
    wanted = set(keys)
    if not wanted:
        return {}
    batches = LeafBatch.objects.filter(reduce(or_, (_may_hold(key) for key in wanted)))
    found: dict[UUID, int] = {}
    for first, entry_ids in batches.values_list("first_index", "entry_ids"):
        found |= _in_batch(wanted, first, bytes(entry_ids))
    return found


def _may_hold(key: UUID) -> Q:
    """No batch is wider than WIDTH, so one that holds the key begins at most that long before it."""
    return Q(first_entry__lte=key, first_entry__gte=_earlier(key, LeafBatch.WIDTH))


def _earlier(key: UUID, by: timedelta) -> UUID:
    milliseconds = max(0, (key.int >> 80) - int(by.total_seconds() * 1000) - 1)
    return UUID(int=milliseconds << 80)


def _in_batch(wanted: Collection[UUID], first: int, entry_ids: bytes) -> dict[UUID, int]:
    keys = (UUID(bytes=entry_ids[at : at + KEY_BYTES]) for at in range(0, len(entry_ids), KEY_BYTES))
    return {key: first + at for at, key in enumerate(keys) if key in wanted}
