"""The tree, built anew from its leaves, and held against what is stored of it: leaves, nodes and seals."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import BigIntegerField, F, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from recordings.choices import Alarm
from recordings.ledger.places import LARGEST_INDEX, too_late
from recordings.ledger.tree import HASH_BYTES, Complete, Frontier
from recordings.ledger.verifying.alarms import MOST_KEPT, Alarms, Found
from recordings.ledger.verifying.hashing import KEY_BYTES
from recordings.ledger.verifying.leaves import Leaves, Wrong
from recordings.ledger.verifying.reading import as_bytes, rows_of
from recordings.ledger.verifying.seals import Expected
from recordings.models import LeafBatch, Node, Seal

# So many leaves, and no more batches, are looked at as one: a small site's batches hold ten of them.
LEAVES = 8192
BATCHES = 512
# Nodes that are held against the stored ones at once.
NODES = 512
_HIGHEST = 62  # no tree is higher


class Walk:
    """From the first leaf to the newest seal.

    The tree is built of the leaves as they are stored: so an entry that was changed is named by itself, and does not
    make every later seal look replaced. After a gap in the leaves there is no tree; the entries behind it are looked
    at all the same.
    """

    def __init__(self, leaves: Leaves, expected: Iterator[Expected], alarms: Alarms) -> None:
        self.checked = 0
        self._leaves, self._expected, self._alarms = leaves, expected, alarms
        self._next = next(expected, None)
        self._frontier = Frontier()
        self._nodes: list[Complete] = []
        self._fitting: dict[Alarm, int] = {}  # the largest size of each kind that had its root
        self._is_whole = True

    def go(self, *, until: int, progress: Callable[[int], object]) -> None:
        for page in _pages(until):
            for stretch in self._stretches(page, until=until):
                batch = _joined(stretch)
                if self._fits(batch, until=until):
                    self._compare_entries(batch, stretch)
                    self._grow(batch)
                progress(self.checked)
        self._require_reached(until)
        self._compare_nodes()
        self._compare_roots(upto=until)

    def _stretches(self, page: Iterable[LeafBatch], *, until: int) -> Iterator[Sequence[LeafBatch]]:
        """Batches with nothing to be said of them as one stretch; each other one by itself."""
        plain: list[LeafBatch] = []
        for batch in page:
            place = plain[-1].first_index + plain[-1].count if plain else self.checked
            if _is_plain(batch, place=place, until=until):
                plain.append(batch)
                continue
            if plain:
                yield plain
            plain = []
            yield [batch]
        if plain:
            yield plain

    def _fits(self, batch: LeafBatch, *, until: int) -> bool:
        """Does it go on where the one before it ended, and hold what it says?"""
        keys, hashes = bytes(batch.entry_ids), bytes(batch.leaf_hashes)
        if batch.first_index != self.checked:
            self._lose(f"The stored leaves jump from {self.checked} to {batch.first_index}: some are gone or doubled.")
        if batch.first_index + batch.count > until:
            sentence = f"The leaves from {batch.first_index} on go past the newest seal, which covers {until}."
            self._alarms.sound(Alarm.SEAL_MISSING, sentence, index=until)
        if not keys or (len(keys), len(hashes)) != (batch.count * KEY_BYTES, batch.count * HASH_BYTES):
            self._lose(f"The stored leaves from {batch.first_index} on are not {batch.count} keys and hashes.")
            self.checked = batch.first_index + batch.count
            return False
        if batch.first_entry != UUID(bytes=keys[:KEY_BYTES]):
            sentence = f"The leaves from {batch.first_index} on are filed under another key than their first."
            self._alarms.sound(Alarm.LEAVES_CHANGED, sentence, index=batch.first_index, entry=batch.first_entry)
        return True

    def _lose(self, sentence: str) -> None:
        """From here on no tree can be built."""
        if self._is_whole:
            sentence += " The tree behind them, and its seals, could not be checked."
        self._is_whole = False
        self._alarms.sound(Alarm.LEAVES_CHANGED, sentence, index=self.checked)

    def _compare_entries(self, batch: LeafBatch, parts: Sequence[LeafBatch]) -> None:
        """All at once where they are the entries that come next; else part by part, in which the keys have an order."""
        if len(parts) == 1 and _is_too_wide(bytes(batch.entry_ids)):
            sentence = f"The leaves from {batch.first_index} on lie further apart in time than such a part may."
            self._alarms.sound(Alarm.LEAVES_CHANGED, sentence, index=batch.first_index, entry=batch.first_entry)
        if self._leaves.are_next(batch):
            return
        for part in parts:
            if len(parts) == 1 or not self._leaves.are_next(part):
                self._alarms.add(map(_found, self._leaves.differing(part)))

    def _grow(self, batch: LeafBatch) -> None:
        self.checked = batch.first_index + batch.count
        if not self._is_whole:
            return
        text = bytes(batch.leaf_hashes)
        leaves = [text[at : at + HASH_BYTES] for at in range(0, len(text), HASH_BYTES)]
        taken = 0
        while self._next and self._next.size < self.checked:
            upto = self._next.size - batch.first_index
            self._extend(leaves[taken:upto])
            taken = upto
            self._compare_roots(upto=self._next.size)
        self._extend(leaves[taken:])
        self._compare_roots(upto=self.checked)

    def _extend(self, leaves: Sequence[bytes]) -> None:
        self._nodes += self._frontier.extend(leaves, lowest=Node.LOWEST)
        if len(self._nodes) >= NODES:
            self._compare_nodes()

    def _compare_roots(self, *, upto: int) -> None:
        """Hold the root against all that is expected of it now, and of none later."""
        while self._next and self._next.size <= upto:
            one, self._next = self._next, next(self._expected, None)
            if not self._is_whole:
                continue
            if self._frontier.root() == one.root:
                self._fitting[one.alarm] = one.size
                continue
            fitting = self._fitting.get(one.alarm, 0)
            self._alarms.sound(one.alarm, f"{one.sentence} Up to {fitting} all fits.", index=fitting)

    def _compare_nodes(self) -> None:
        stored = _stored_nodes(self._nodes)
        for level, position, digest in self._nodes:
            if stored.get((level, position)) != digest:
                self._alarms.sound(Alarm.NODE_CHANGED, _about_node(level, position), index=position << level)
        self._nodes.clear()

    def _require_reached(self, until: int) -> None:
        if self.checked < until:
            self._lose(f"The leaves from {self.checked} to {until - 1} are sealed, and are not stored any more.")


def _about_node(level: int, position: int) -> str:
    first = position << level
    return f"The stored part of the tree over entries {first} to {first + (1 << level) - 1} is gone or was changed."


def _is_plain(batch: LeafBatch, *, place: int, until: int) -> bool:
    keys, hashes = bytes(batch.entry_ids), bytes(batch.leaf_hashes)
    is_there = batch.first_index == place and place + batch.count <= until
    is_full = (len(keys), len(hashes)) == (batch.count * KEY_BYTES, batch.count * HASH_BYTES)
    if not is_there or not is_full or not keys:
        return False
    return batch.first_entry == UUID(bytes=keys[:KEY_BYTES]) and not _is_too_wide(keys)


def _is_too_wide(keys: bytes) -> bool:
    """Then an entry at its end would not be found by its key."""
    return keys[-KEY_BYTES:] >= too_late(keys[:KEY_BYTES])


def _joined(batches: Sequence[LeafBatch]) -> LeafBatch:
    if len(batches) == 1:
        return batches[0]
    return LeafBatch(
        first_index=batches[0].first_index,
        first_entry=batches[0].first_entry,
        count=sum(batch.count for batch in batches),
        entry_ids=b"".join([batch.entry_ids for batch in batches]),
        leaf_hashes=b"".join([batch.leaf_hashes for batch in batches]),
    )


_WORDS = {
    Alarm.BODY_CHANGED: "Entry {index} ({entry}) is not the one that was sealed: its text was changed.",
    Alarm.ENTRY_MISSING: "Entry {index} ({entry}) was sealed, and is gone.",
    Alarm.ENTRY_DOUBLED: "Entry {entry} has a second place, {index}: it was sealed before, at {first}.",
    Alarm.LEAVES_CHANGED: "The leaves from {index} on are not in the order of their keys.",
}


def _found(wrong: Wrong) -> Found:
    entry = UUID(bytes=wrong.key)
    sentence = _WORDS[wrong.kind].format(index=wrong.place, entry=entry, first=wrong.first)
    return Found(wrong.kind, sentence, wrong.place, entry)


def _pages(until: int) -> Iterator[Sequence[LeafBatch]]:
    """The first batch by itself: it may stand at a place that cannot be. So does the one behind a gap. Of those at no
    place at all `check_nothing_beyond` tells.
    """
    batches = LeafBatch.objects.filter(first_index__gte=0, first_index__lt=until).order_by("first_index")
    page = _read(batches[:1])
    while page:
        yield page
        rest = batches.filter(first_index__gt=page[-1].first_index)
        page = _read(rest.filter(first_index__lt=page[-1].first_index + LEAVES)[:BATCHES]) or _read(rest[:1])


def _read(batches: QuerySet[LeafBatch]) -> list[LeafBatch]:
    """What is no count, no key or no bytes comes as one that fits nothing."""
    rows = rows_of(batches, "first_index", "first_entry", "count", "entry_ids", "leaf_hashes")
    return [
        LeafBatch(
            first_index=first_index,
            first_entry=first_entry,
            count=count if isinstance(count, int) else 0,
            entry_ids=as_bytes(entry_ids),
            leaf_hashes=as_bytes(leaf_hashes),
        )
        for first_index, first_entry, count, entry_ids, leaf_hashes in rows
    ]


def _stored_nodes(wanted: Iterable[Complete]) -> dict[tuple[int, int], bytes]:
    places: dict[int, list[int]] = defaultdict(list)
    for level, position, _ in wanted:
        places[level].append(position)
    if not places:
        return {}
    stretches = [Q(level=level, position__range=(min(some), max(some))) for level, some in places.items()]
    rows = Node.objects.filter(reduce(or_, stretches)).values_list("level", "position", "node_hash")
    return {(level, position): as_bytes(digest) for level, position, digest in rows}


def check_nothing_beyond(alarms: Alarms) -> None:
    """Leaves and nodes that no seal covers: the sealer stores all three at once, so each question is one statement."""
    largest = Seal.objects.filter(size__lt=LARGEST_INDEX).order_by("-size").values("size")[:1]
    impossible = Seal.objects.filter(Q(size__gte=LARGEST_INDEX) | Q(size__lte=0)).order_by("size")
    newest = Coalesce(Subquery(largest), Value(0), output_field=BigIntegerField())
    beyond = LeafBatch.objects.filter(Q(first_index__gte=newest) | Q(first_index__lt=0)).order_by("first_index")
    for first in beyond.values_list("first_index", flat=True)[:MOST_KEPT]:
        index = first if isinstance(first, int) and 0 <= first < LARGEST_INDEX else None
        alarms.sound(Alarm.SEAL_MISSING, f"No seal covers the stored leaves from {first} on.", index=index)
    for size in impossible.values_list("size", flat=True)[:MOST_KEPT]:
        sentence = f"A seal is there over {size} entries, which no ledger can have."
        alarms.sound(Alarm.SEAL_REPLACED, sentence)
    end = (F("position") + 1).bitleftshift(F("level"))  # type: ignore[arg-type]  # the stubs know numbers only
    nowhere = Q(level__lt=Node.LOWEST) | Q(level__gt=_HIGHEST) | Q(position__lt=0) | Q(position__gt=newest)
    nodes = Node.objects.annotate(end=end).filter(nowhere | Q(end__gt=newest)).order_by("level", "position")
    for level, position in nodes.values_list("level", "position")[:MOST_KEPT]:
        sentence = f"A part of the tree is stored at level {level}, position {position}, where none belongs."
        alarms.sound(Alarm.NODE_CHANGED, sentence)
