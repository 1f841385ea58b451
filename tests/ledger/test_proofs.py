"""Proofs read from the database: those of the definitions, in a few queries, however large the ledger is."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recordings import ledger
from recordings.ledger import proofs, tree
from recordings.ledger.proofs import TreeBroken
from recordings.models import LeafBatch, LedgerEntry, Node, append_only
from tests import ledgers
from tests.conftest import lift_triggers
from tests.ledger import slow_tree

SIZES = (1, 255, 256, 300, 1100)


@pytest.fixture
def bodies(now: datetime) -> list[bytes]:
    """The bodies of a ledger that was sealed several times, by index."""
    for size in SIZES:
        before = ledger.newest_seal()
        ledgers.sealed(size - (before.size if before else 0) - (size == SIZES[1]), at=now)
    found: dict[UUID, bytes] = {key: body.encode() for key, body in LedgerEntry.objects.values_list("id", "body")}
    ids = b"".join(bytes(batch.entry_ids) for batch in LeafBatch.objects.order_by("first_index"))
    return [found[UUID(bytes=ids[at : at + 16])] for at in range(0, len(ids), 16)]


def queries() -> CaptureQueriesContext:
    return CaptureQueriesContext(connection)


@pytest.mark.django_db
def test_every_size_between_two_seals_can_be_asked_for(bodies: list[bytes]) -> None:
    assert len(bodies) == SIZES[-1]
    for size in (*SIZES, 2, 100, 257, 511, 512, 513, 1024, 1025):
        assert ledger.root_at(size) == slow_tree.mth(bodies[:size])


@pytest.mark.django_db
def test_inclusion_proofs_are_those_of_the_definition_in_two_queries(bodies: list[bytes]) -> None:
    for index, size in ((0, 1), (0, 1100), (255, 256), (256, 300), (777, 1100), (1099, 1100), (1024, 1025)):
        with queries() as asked:
            proof = ledger.inclusion_proof(index, size)
        assert proof == slow_tree.path(index, bodies[:size])
        assert len(asked) <= 2


@pytest.mark.django_db
def test_consistency_proofs_are_those_of_the_definition_in_two_queries(bodies: list[bytes]) -> None:
    for old, new in ((1, 1100), (255, 256), (256, 1100), (300, 1099), (1024, 1100), (1100, 1100)):
        with queries() as asked:
            proof = ledger.consistency_proof(old, new)
        assert proof == slow_tree.proof(old, bodies[:new])
        assert len(asked) <= 2


@pytest.mark.django_db
def test_the_hashes_outside_of_a_range_lead_to_the_root_in_two_queries(bodies: list[bytes]) -> None:
    for first, last in ((0, 0), (0, 1099), (5, 5), (250, 260), (256, 511), (1000, 1099), (300, 1098)):
        with queries() as asked:
            nodes = ledger.range_nodes(first, last, 1100)
        assert nodes == slow_tree.outside(first, last, bodies)
        assert slow_tree.root_of_range(first, bodies[first : last + 1], 1100, nodes) == slow_tree.mth(bodies)
        assert len(asked) <= 2


@pytest.mark.django_db
def test_a_hundred_proofs_take_the_queries_of_one(bodies: list[bytes]) -> None:
    indexes = range(0, 1100, 11)
    with queries() as asked:
        found = ledger.proofs_of(indexes, 1100)

    root = slow_tree.mth(bodies)
    for index in indexes:
        assert tree.verify_inclusion(tree.leaf_hash(bodies[index]), index, 1100, found[index], root)
    assert len(asked) == 2


@pytest.mark.django_db
def test_many_ranges_take_two_queries_a_hundred(bodies: list[bytes]) -> None:
    ranges = [(at, at + at % 4) for at in range(0, 1096, 5)]
    with queries() as asked:
        found = list(ledger.nodes_of_ranges(iter(ranges), 1100))

    assert [each for each, _ in found] == ranges
    root = slow_tree.mth(bodies)
    for (first, last), nodes in found:
        assert slow_tree.root_of_range(first, bodies[first : last + 1], 1100, nodes) == root
    assert len(ranges) == 220
    assert len(asked) == 2 * 3


@pytest.mark.django_db
def test_places_far_apart_are_asked_for_in_portions(bodies: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "_BLOCKS_A_QUERY", 2)
    monkeypatch.setattr(proofs, "_NODES_A_QUERY", 3)

    found = ledger.proofs_of(range(0, 1100, 50), 1100)

    assert found == {index: slow_tree.path(index, bodies) for index in range(0, 1100, 50)}


@pytest.mark.django_db
def test_what_is_not_sealed_has_no_proof(bodies: list[bytes], now: datetime) -> None:
    waiting = ledgers.entries(1, at=now)[0].pk

    assert ledger.places_of([waiting]) == {}
    with pytest.raises(ValueError, match="no leaf 1100"):
        ledger.inclusion_proof(1100, 1100)
    with pytest.raises(TreeBroken, match="lacks a part"):
        ledger.inclusion_proof(0, 1101)


@pytest.fixture
def owner(bodies: list[bytes]) -> Iterator[None]:
    """Somebody who may take the triggers away has done it."""
    lift_triggers()
    yield
    append_only.install(connection)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("owner")
def test_a_part_that_was_taken_away_is_not_made_up() -> None:
    Node.objects.filter(level=9).delete()
    with pytest.raises(TreeBroken, match=r"lacks a part it must have: \(9, 1\)"):
        ledger.inclusion_proof(0, 1100)

    LeafBatch.objects.filter(first_index=300).delete()
    with pytest.raises(TreeBroken, match="lacks a part it must have: 1024"):
        ledger.inclusion_proof(300, 1100)


@pytest.mark.parametrize(
    ("indexes", "ranges"),
    [
        ([], []),
        ([4], [(4, 4)]),
        ([0, 1, 2], [(0, 2)]),
        ([1, 3, 4, 7], [(1, 1), (3, 4), (7, 7)]),
    ],
)
def test_stretches_without_a_gap_are_found(indexes: list[int], ranges: list[tuple[int, int]]) -> None:
    assert list(ledger.ranges_of(indexes)) == ranges
