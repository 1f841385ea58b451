"""Two orders meet: entries come in the order of their keys, leaves in the order of the tree.

They are the same but for entries that were committed late. So a batch of leaves is nearly always a stretch of the
entries as they come; of what comes too early only the hash is kept until its leaf comes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from recordings.choices import Alarm
from recordings.ledger.places import places_of
from recordings.ledger.tree import HASH_BYTES
from recordings.ledger.verifying.hashing import KEY_BYTES, Block
from recordings.models import LeafBatch, LedgerEntry

# More than this are looked at before their turn, and forgotten: memory stays flat whatever somebody did to the rows.
MOST_EARLY = 50_000

type Settle = Callable[[Sequence[UUID]], None]


class Wrong(NamedTuple):
    """What is wrong at this place in the tree, which is the entry's with this key; of a second place, the first."""

    place: int
    key: bytes
    kind: Alarm
    first: int | None = None


class Leaves:
    """What entries hash to, for the batches that ask in the order of the tree.

    `settle` is handed the keys that no batch has asked for.
    """

    def __init__(self, blocks: Iterator[Block], *, settle: Settle) -> None:
        self._blocks, self._settle = blocks, settle
        self._keys = self._hashes = b""  # read, and not asked for yet, from the entry number `_at` on
        self._at = 0
        self._early: dict[bytes, bytes] = {}

    def are_next(self, batch: LeafBatch) -> bool:
        """Are these the very entries that come next? Then they are asked for with that."""
        keys, hashes = bytes(batch.entry_ids), bytes(batch.leaf_hashes)
        while self._unasked < len(keys) // KEY_BYTES and self._read():
            pass
        if not self._keys.startswith(keys, self._at * KEY_BYTES):
            return False
        if not self._hashes.startswith(hashes, self._at * HASH_BYTES):
            return False
        self._at += len(keys) // KEY_BYTES
        return True

    def differing(self, batch: LeafBatch) -> Iterator[Wrong]:
        """What is wrong with the places of a batch whose entries are not just the next ones."""
        keys, hashes = _cut(bytes(batch.entry_ids), KEY_BYTES), _cut(bytes(batch.leaf_hashes), HASH_BYTES)
        if keys != sorted(keys):
            yield Wrong(batch.first_index, keys[0], Alarm.LEAVES_CHANGED)
        self._read_past(max(keys))
        found = {key: self._early.pop(key) for key in keys if key in self._early}
        forgotten = _looked_up([key for key in keys if key not in found])
        places = _places(forgotten, below=batch.first_index)
        found |= forgotten
        for index, (key, leaf) in enumerate(zip(keys, hashes, strict=True), start=batch.first_index):
            if key in places:
                yield Wrong(index, key, Alarm.ENTRY_DOUBLED, places[key])
            elif key not in found:
                yield Wrong(index, key, Alarm.ENTRY_MISSING)
            elif found[key] != leaf:
                yield Wrong(index, key, Alarm.BODY_CHANGED)
            places.setdefault(key, index)

    def settle_rest(self) -> Iterator[int]:
        """Hand over what no batch has asked for; yields how many, a block at a time."""
        self._settle_early()
        while self._unasked or self._read():
            rest = _cut(self._keys[self._at * KEY_BYTES :], KEY_BYTES)
            self._settle([UUID(bytes=key) for key in rest])
            self._at += len(rest)
            yield len(rest)

    @property
    def _unasked(self) -> int:
        return len(self._keys) // KEY_BYTES - self._at

    def _read(self) -> bool:
        block = next(self._blocks, None)
        if block is None:
            return False
        self._keys = self._keys[self._at * KEY_BYTES :] + block.keys
        self._hashes = self._hashes[self._at * HASH_BYTES :] + block.hashes
        self._at = 0
        return True

    def _read_past(self, last: bytes) -> None:
        """Keep the hashes of every entry up to `last`."""
        while self._unasked or self._read():
            keys = _cut(self._keys[self._at * KEY_BYTES :], KEY_BYTES)
            hashes = _cut(self._hashes[self._at * HASH_BYTES :], HASH_BYTES)
            up_to = sum(key <= last for key in keys)
            self._early.update(zip(keys[:up_to], hashes[:up_to], strict=True))
            self._at += up_to
            if len(self._early) > MOST_EARLY:
                self._settle_early()
            if up_to < len(keys):
                return

    def _settle_early(self) -> None:
        if self._early:
            self._settle([UUID(bytes=key) for key in self._early])
        self._early.clear()


def _cut(text: bytes, length: int) -> list[bytes]:
    return [text[at : at + length] for at in range(0, len(text), length)]


def _looked_up(keys: list[bytes]) -> dict[bytes, bytes]:
    """The hashes of entries that were forgotten, or had their leaf before; without those that are not there."""
    if not keys:
        return {}
    found = LedgerEntry.objects.filter(pk__in=[UUID(bytes=key) for key in keys]).values_list("pk", "body")
    return {key.bytes: sha256(b"\0" + body.encode()).digest() for key, body in found}


def _places(keys: Iterable[bytes], *, below: int) -> dict[bytes, int]:
    return {key.bytes: place for key, place in places_of(map(_as_key, keys), below=below).items()}


def _as_key(key: bytes) -> UUID:
    return UUID(bytes=key)
