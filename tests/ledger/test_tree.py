"""The tree against the vectors of transparency-dev/merkle, and against an implementation of its own in slow_tree."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings.ledger import tree
from recordings.ledger.tree import EMPTY_ROOT, Frontier
from tests.ledger import slow_tree

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "vectors" / "transparency_dev_merkle.json").read_text())
LEAVES = [bytes.fromhex(each) for each in VECTORS["leaf_inputs"]]
ROOTS = [bytes.fromhex(each) for each in VECTORS["root_hashes"]]
SOME_HASH = bytes.fromhex("abacaba000000000000000000000000000000000000000000060061e00123456")

UNTIMED = settings(deadline=None)
bodies = st.integers(0, 70).map(lambda count: [b"entry %d" % number for number in range(count)])


class Stored:
    """A tree that was grown the way the sealer grows it, with every complete subtree kept."""

    def __init__(self, bodies: list[bytes], *, at_once: int = 5) -> None:
        self.frontier, self.subtrees = Frontier(), dict[tuple[int, int], bytes]()
        for first in range(0, len(bodies), at_once):
            leaves = [tree.leaf_hash(body) for body in bodies[first : first + at_once]]
            self.subtrees |= {(level, at): digest for level, at, digest in self.frontier.extend(leaves)}

    def subtree(self, level: int, position: int) -> bytes:
        return self.subtrees[level, position]


def hashes(written: list[str]) -> list[bytes]:
    return [bytes.fromhex(each) for each in written]


# -- the vectors


@pytest.mark.parametrize("at_once", [1, 2, 3, 8])
def test_the_roots_are_those_of_the_vectors_however_the_leaves_come(at_once: int) -> None:
    for size, root in enumerate(ROOTS):
        assert Stored(LEAVES[:size], at_once=at_once).frontier.root() == root


def test_every_complete_subtree_is_that_of_the_vectors() -> None:
    expected = {
        (level, position): bytes.fromhex(digest)
        for level, row in enumerate(VECTORS["node_hashes"])
        for position, digest in enumerate(row)
    }

    assert Stored(LEAVES).subtrees == expected


@pytest.mark.parametrize("vector", VECTORS["inclusion"], ids=lambda each: f"{each['index']}-{each['size']}")
def test_inclusion_proofs_are_those_of_the_vectors(vector: dict[str, Any]) -> None:
    index, size, proof = vector["index"], vector["size"], hashes(vector["proof"])

    assert tree.inclusion_path(index, size, Stored(LEAVES[:size]).subtree) == proof
    assert tree.verify_inclusion(tree.leaf_hash(LEAVES[index]), index, size, proof, ROOTS[size])


@pytest.mark.parametrize("vector", VECTORS["consistency"], ids=lambda each: f"{each['size1']}-{each['size2']}")
def test_consistency_proofs_are_those_of_the_vectors(vector: dict[str, Any]) -> None:
    old, new, proof = vector["size1"], vector["size2"], hashes(vector["proof"])

    assert tree.consistency_path(old, new, Stored(LEAVES[:new]).subtree) == proof
    assert tree.verify_consistency(old, ROOTS[old], new, ROOTS[new], proof)


def spoilt_paths(proof: list[bytes], *roots: bytes) -> Iterator[list[bytes]]:
    """As that project spoils a proof: garbage and roots around it, a bit in each part, parts gone and added."""
    for more in (b"", *roots):
        yield [*proof, more]
        yield [more, *proof]
    for at, part in enumerate(proof):
        yield [*proof[:at], bytes([part[0] ^ 8]) + part[1:], *proof[at + 1 :]]
    if proof:
        yield proof[:-1]
        yield [proof[0], SOME_HASH, *proof[1:]]


@pytest.mark.parametrize("vector", VECTORS["inclusion"], ids=lambda each: f"{each['index']}-{each['size']}")
def test_a_spoilt_inclusion_proof_is_refused(vector: dict[str, Any]) -> None:
    index, size, proof = vector["index"], vector["size"], hashes(vector["proof"])
    leaf, root = tree.leaf_hash(LEAVES[index]), ROOTS[size]

    for path in spoilt_paths(proof, root):
        assert not tree.verify_inclusion(leaf, index, size, path, root)
    for other in {index - 1, index + 1, index ^ 2}:
        assert not tree.verify_inclusion(leaf, other, size, proof, root)
    for other in {size * 2, size // 2}:
        assert not tree.verify_inclusion(leaf, index, other, proof, root)
    for wrong in (b"WrongLeaf", EMPTY_ROOT, SOME_HASH):
        assert not tree.verify_inclusion(wrong, index, size, proof, root)
        assert not tree.verify_inclusion(leaf, index, size, proof, wrong)


@pytest.mark.parametrize("vector", VECTORS["consistency"][1:], ids=lambda each: f"{each['size1']}-{each['size2']}")
def test_a_spoilt_consistency_proof_is_refused(vector: dict[str, Any]) -> None:
    old, new, proof = vector["size1"], vector["size2"], hashes(vector["proof"])
    roots = ROOTS[old], ROOTS[new]

    for path in (*spoilt_paths(proof, *roots), [proof[0], *proof], []):
        assert not tree.verify_consistency(old, roots[0], new, roots[1], path)
    for other in (old - 1, old + 1, old ^ 2):
        assert not tree.verify_consistency(other, roots[0], new, roots[1], proof)
    for other in (new * 2, new // 2):
        assert not tree.verify_consistency(old, roots[0], other, roots[1], proof)
    for wrong in ((roots[1], roots[0]), (b"WrongRoot", roots[1]), (roots[0], b"WrongRoot")):
        assert not tree.verify_consistency(old, wrong[0], new, wrong[1], proof)


def test_hashes_of_another_length_are_refused() -> None:
    assert not tree.verify_inclusion(b"", 0, 1, [], b"")
    assert not tree.verify_inclusion(SOME_HASH, 0, 0, [], EMPTY_ROOT)


# -- the other implementation


@UNTIMED
@given(bodies, st.integers(1, 70))
def test_roots_agree(bodies: list[bytes], at_once: int) -> None:
    stored = Stored(bodies, at_once=at_once)

    assert stored.frontier.size == len(bodies)
    assert stored.frontier.root() == slow_tree.mth(bodies)
    assert Frontier.of(len(bodies), stored.subtree).root() == slow_tree.mth(bodies)


@UNTIMED
@given(st.data(), bodies.filter(bool))
def test_inclusion_proofs_agree(data: st.DataObject, bodies: list[bytes]) -> None:
    size = data.draw(st.integers(1, len(bodies)))
    index = data.draw(st.integers(0, size - 1))

    path = tree.inclusion_path(index, size, Stored(bodies).subtree)

    assert path == slow_tree.path(index, bodies[:size])
    assert tree.verify_inclusion(tree.leaf_hash(bodies[index]), index, size, path, slow_tree.mth(bodies[:size]))


@UNTIMED
@given(st.data(), bodies.filter(bool))
def test_consistency_proofs_agree(data: st.DataObject, bodies: list[bytes]) -> None:
    new = data.draw(st.integers(1, len(bodies)))
    old = data.draw(st.integers(1, new))

    path = tree.consistency_path(old, new, Stored(bodies).subtree)

    assert path == slow_tree.proof(old, bodies[:new])
    assert tree.verify_consistency(old, slow_tree.mth(bodies[:old]), new, slow_tree.mth(bodies[:new]), path)


@UNTIMED
@given(st.data(), bodies.filter(bool))
def test_the_hashes_outside_of_a_range_agree_and_lead_to_the_root(data: st.DataObject, bodies: list[bytes]) -> None:
    last = data.draw(st.integers(0, len(bodies) - 1))
    first = data.draw(st.integers(0, last))

    nodes = tree.range_path(first, last, len(bodies), Stored(bodies).subtree)

    assert nodes == slow_tree.outside(first, last, bodies)
    assert slow_tree.root_of_range(first, bodies[first : last + 1], len(bodies), nodes) == slow_tree.mth(bodies)


@UNTIMED
@given(st.data(), bodies.filter(lambda bodies: len(bodies) > 1))
def test_an_entry_proves_neither_another_place_nor_another_body(data: st.DataObject, bodies: list[bytes]) -> None:
    size = len(bodies)
    index, other = data.draw(st.permutations(range(size)))[:2]
    path, root = tree.inclusion_path(index, size, Stored(bodies).subtree), slow_tree.mth(bodies)

    assert not tree.verify_inclusion(tree.leaf_hash(bodies[index]), other, size, path, root)
    assert not tree.verify_inclusion(tree.leaf_hash(bodies[other]), index, size, path, root)


@UNTIMED
@given(st.data(), bodies.filter(lambda bodies: len(bodies) > 1))
def test_a_rewritten_past_is_not_consistent(data: st.DataObject, bodies: list[bytes]) -> None:
    new = len(bodies)
    old = data.draw(st.integers(1, new - 1))
    changed = data.draw(st.integers(0, old - 1))
    rewritten = [*bodies[:changed], b"rewritten", *bodies[changed + 1 :]]

    path = tree.consistency_path(old, new, Stored(rewritten).subtree)

    assert not tree.verify_consistency(old, slow_tree.mth(bodies[:old]), new, slow_tree.mth(rewritten), path)


# -- the edges


def test_everything_is_consistent_with_nothing_and_a_tree_with_itself() -> None:
    assert tree.consistency_path(0, 5, Stored(LEAVES).subtree) == []
    assert tree.verify_consistency(0, EMPTY_ROOT, 5, ROOTS[5], [])
    assert tree.verify_consistency(5, ROOTS[5], 5, ROOTS[5], [])
    assert not tree.verify_consistency(0, SOME_HASH, 5, ROOTS[5], [])
    assert not tree.verify_consistency(0, EMPTY_ROOT, 5, ROOTS[5], [SOME_HASH])
    assert not tree.verify_consistency(5, ROOTS[5], 5, ROOTS[4], [])


def test_nobody_is_proved_where_nobody_is() -> None:
    subtree = Stored(LEAVES).subtree

    for index, size in ((8, 8), (-1, 8), (0, 0)):
        with pytest.raises(ValueError, match="no leaf"):
            tree.inclusion_path(index, size, subtree)
    for first, last in ((0, 8), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match="no range"):
            tree.range_path(first, last, 8, subtree)
    with pytest.raises(ValueError, match="holds none"):
        tree.consistency_path(8, 7, subtree)


def test_only_the_levels_asked_for_are_handed_out() -> None:
    frontier = Frontier()

    completed = frontier.extend([tree.leaf_hash(leaf) for leaf in LEAVES], lowest=2)

    assert [(level, position) for level, position, _ in completed] == [(2, 0), (2, 1), (3, 0)]
