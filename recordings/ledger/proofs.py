"""Proofs about entries that are sealed, read from the stored tree.

Stored are the roots of complete subtrees from level Node.LOWEST on, and the leaves; what lies between is worked out.
A proof is asked for twice: first to learn which subtrees it takes, then with them. So it costs two queries, however
large the ledger is, and many proofs together cost two as well.

`size` is that of a seal, or any smaller one. Raises ValueError for an index or a size outside of the sealed ledger,
and TreeBroken where a stored part is missing.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache, reduce
from itertools import batched
from operator import or_

from django.db.models import F, Q

from recordings.ledger import tree
from recordings.ledger.tree import Frontier, Subtree
from recordings.models import LeafBatch, Node

type Place = tuple[int, int]
type Range = tuple[int, int]

RANGES_AT_ONCE = 100
_BLOCK = 2**Node.LOWEST
# SQLite refuses an expression of a thousand parts.
_BLOCKS_A_QUERY = 200
_NODES_A_QUERY = 10_000
_NOTHING = bytes(tree.HASH_BYTES)


class TreeBroken(Exception):
    """A stored part of the tree is missing, or does not fit the newest seal. The message says which."""


def inclusion_proof(index: int, size: int) -> list[bytes]:
    """The path from the entry at `index` to the root at `size` (RFC 9162, section 2.1.3). Two queries."""
    return _proved(lambda subtree: tree.inclusion_path(index, size, subtree))


def proofs_of(indexes: Collection[int], size: int) -> dict[int, list[bytes]]:
    """The inclusion proof of each index. Two queries, and one more for about a hundred places far apart."""
    return _proved(lambda subtree: {index: tree.inclusion_path(index, size, subtree) for index in indexes})


def consistency_proof(old_size: int, new_size: int) -> list[bytes]:
    """That the tree at `new_size` begins with the one at `old_size` (RFC 9162, section 2.1.4). Two queries."""
    return _proved(lambda subtree: tree.consistency_path(old_size, new_size, subtree))


def range_nodes(first: int, last: int, size: int) -> list[bytes]:
    """What a verifier of the entries `first` to `last` lacks for the root at `size`, see docs/exports.md. Two queries.

    For many ranges `nodes_of_ranges` asks less often.
    """
    return _proved(lambda subtree: tree.range_path(first, last, size, subtree))


def nodes_of_ranges(ranges: Iterable[Range], size: int) -> Iterator[tuple[Range, list[bytes]]]:
    """The same for each of many ranges, in their order; a few queries for a hundred of them, and as much memory."""
    for some in batched(ranges, RANGES_AT_ONCE):
        yield from _nodes_of(some, size)


def _nodes_of(ranges: Collection[Range], size: int) -> list[tuple[Range, list[bytes]]]:
    return _proved(lambda subtree: [(each, tree.range_path(*each, size, subtree)) for each in ranges])


def ranges_of(indexes: Iterable[int]) -> Iterator[Range]:
    """The stretches without a gap, first and last index, of indexes in ascending order."""
    first = last = None
    for index in indexes:
        if first is None or last is None:
            first = index
        elif index != last + 1:
            yield first, last
            first = index
        last = index
    if first is not None and last is not None:
        yield first, last


def frontier(size: int) -> Frontier:
    """The right edge of the stored tree at `size`, ready to grow; its root is that of the ledger then. Two queries."""
    return _proved(lambda subtree: Frontier.of(size, subtree))


def root_at(size: int) -> bytes:
    """The root of the stored tree at `size`. Two queries."""
    return frontier(size).root()


def _proved[Proof](prove: Callable[[Subtree], Proof]) -> Proof:
    wanted: set[Place] = set()

    def note(level: int, position: int) -> bytes:
        wanted.add((level, position))
        return _NOTHING

    prove(note)
    return prove(subtrees_at(wanted))


def subtrees_at(wanted: Collection[Place]) -> Subtree:
    """The subtrees of these places; what is not among them is not known."""
    nodes = _stored_nodes([place for place in wanted if place[0] >= Node.LOWEST])
    leaves = _stored_leaves({at >> (Node.LOWEST - level) for level, at in wanted if level < Node.LOWEST})

    @cache
    def subtree(level: int, position: int) -> bytes:
        try:
            if level >= Node.LOWEST:
                return nodes[level, position]
            return tree.complete_root([leaves[at] for at in range(position << level, (position + 1) << level)])
        except KeyError as missing:
            raise TreeBroken(f"The stored tree lacks a part it must have: {missing}.") from missing

    return subtree


def _stored_nodes(places: Collection[Place]) -> dict[Place, bytes]:
    found: dict[Place, bytes] = {}
    for some in batched(places, _NODES_A_QUERY):
        levels: dict[int, list[int]] = {}
        for level, position in some:
            levels.setdefault(level, []).append(position)
        named = reduce(or_, (Q(level=level, position__in=positions) for level, positions in levels.items()))
        rows = Node.objects.filter(named).values_list("level", "position", "node_hash")
        found |= {(level, position): bytes(digest) for level, position, digest in rows}
    return found


def _stored_leaves(blocks: Collection[int]) -> dict[int, bytes]:
    """The leaf hashes of blocks of 2**Node.LOWEST leaves, by index."""
    found: dict[int, bytes] = {}
    for some in batched(sorted(blocks), _BLOCKS_A_QUERY):
        near = reduce(or_, (_touches(block * _BLOCK, (block + 1) * _BLOCK) for block in some))
        batches = LeafBatch.objects.annotate(end=F("first_index") + F("count")).filter(near)
        asked = set(some)
        for first, hashes in batches.values_list("first_index", "leaf_hashes"):
            found |= _in_blocks(first, bytes(hashes), asked)
    return found


def _touches(start: int, end: int) -> Q:
    """Batches with a leaf in [start, end): none is longer than MOST, which lets the key's index find them."""
    return Q(first_index__gt=start - LeafBatch.MOST, first_index__lt=end, end__gt=start)


def _in_blocks(first: int, hashes: bytes, blocks: set[int]) -> dict[int, bytes]:
    cut = (hashes[at : at + tree.HASH_BYTES] for at in range(0, len(hashes), tree.HASH_BYTES))
    return {index: leaf for index, leaf in enumerate(cut, start=first) if index // _BLOCK in blocks}
