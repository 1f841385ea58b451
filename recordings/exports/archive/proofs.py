"""The compact proof that entries are in the tree: for all of them together the parts of the tree that they are not.

Who has the entries and these parts can fold both to the root, from left to right; a proof for each entry would say
most of it again and again.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import batched
from typing import Any

from recordings.exports.archive.entries import Range
from recordings.ledger.proofs import RANGES_AT_ONCE, subtrees_at

type Place = tuple[int, int]


def proof_lines(ranges: Callable[[], Iterable[Range]], *, leaves: int, size: int, root: bytes) -> Iterator[bytes]:
    """proofs.jsonl for the `leaves` entries in these ranges of indexes, of the tree of `size` under `root`.

    `ranges` is asked twice, from left to right: to count, and to prove. Two queries for a hundred ranges. Raises
    TreeBroken where a stored part is missing.
    """
    yield _line(leaves=leaves, ranges=sum(1 for _ in ranges()), root=root.hex(), size=size)
    for some in batched(_gaps(ranges(), size), RANGES_AT_ONCE):
        yield from _proven(some)


def _gaps(ranges: Iterable[Range], size: int) -> Iterator[tuple[Range | None, list[Place]]]:
    """Each range with the parts of the tree between it and the one before; what is right of the last comes alone."""
    stop = 0
    for first, last in ranges:
        yield (first, last), list(complete_subtrees(stop, first))
        stop = last + 1
    yield None, list(complete_subtrees(stop, size))


def _proven(gaps: Sequence[tuple[Range | None, list[Place]]]) -> Iterator[bytes]:
    subtree = subtrees_at({place for _, places in gaps for place in places})
    for own, places in gaps:
        ends = {"first": own[0], "last": own[1]} if own else {}
        yield _line(**ends, nodes=[subtree(*place).hex() for place in places])


def complete_range(ranges: Iterable[Range]) -> Range | None:
    """The range, if it is the only one: then no entry between its ends is missing."""
    several = iter(ranges)
    only = next(several, None)
    return only if next(several, None) is None else None


def complete_subtrees(start: int, stop: int) -> Iterator[Place]:
    """The largest complete subtrees that fill [start, stop), from left to right: level and position of each."""
    while start < stop:
        room = (stop - start).bit_length() - 1
        level = min(room, (start & -start).bit_length() - 1) if start else room
        yield level, start >> level
        start += 1 << level


def _line(**said: Any) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def consistency(*, earlier: tuple[int, bytes], later: tuple[int, bytes], nodes: Iterable[bytes]) -> bytes:
    """consistency.json: sizes and roots of two checkpoints, and why the later tree begins with the earlier one."""
    ends = {name: {"root": root.hex(), "size": size} for name, (size, root) in (("from", earlier), ("to", later))}
    return json.dumps({**ends, "nodes": [node.hex() for node in nodes]}, sort_keys=True, indent=1).encode() + b"\n"
