"""An entry has one place in the tree. Whoever may insert into the line for a seal cannot give it a second one."""

import logging
from datetime import datetime
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from recordings import ledger
from recordings.choices import LedgerAction
from recordings.ledger.verifying import leaves
from recordings.models import Actor, LeafBatch, LedgerEntry, Seal, Unsealed
from tests import ledgers
from tests.ledger.attacked import alarms, fill, places
from tests.ledger.test_sealing import KEY, assert_every_seal_fits, sealed_keys
from tests.owning import change, entry_at, seal_by_hand, switch_triggers_off

SMALLEST, LARGEST = UUID(int=0), UUID(int=2**128 - 1)


def put_in_line_again(*entries: LedgerEntry) -> None:
    """What the site's role may do: the line is an ordinary table."""
    Unsealed.objects.bulk_create(Unsealed(entry=entry) for entry in entries)


# -- the sealer


@pytest.mark.django_db
def test_an_entry_that_has_a_place_gets_no_second_one(now: datetime, caplog: pytest.LogCaptureFixture) -> None:
    fill(now)
    before, waiting = sealed_keys(), list(Unsealed.objects.order_by("pk").values_list("pk", flat=True))
    put_in_line_again(entry_at(300), entry_at(0))

    with caplog.at_level(logging.ERROR):
        seal = ledger.seal(now, key=KEY)

    assert seal
    assert sealed_keys() == [*before, *waiting]
    assert_every_seal_fits()
    assert not Unsealed.objects.exists()
    assert alarms() == []
    (said,) = caplog.messages
    assert said.startswith("2 entries that have a place in the tree stood in line for a second one, the first of them ")
    assert str(entry_at(0).pk) in said


@pytest.mark.django_db
def test_where_only_such_entries_wait_nothing_is_sealed_and_none_waits_on(now: datetime) -> None:
    fill(now)
    ledger.seal(now, key=KEY)
    put_in_line_again(entry_at(5), entry_at(300), entry_at(610))

    assert ledger.seal(now, key=KEY) is None
    assert not Unsealed.objects.exists()
    assert_every_seal_fits()


@pytest.mark.django_db
def test_more_of_them_than_a_seal_takes_hold_nothing_up(now: datetime) -> None:
    fill(now)
    new = list(Unsealed.objects.order_by("pk").values_list("pk", flat=True))
    put_in_line_again(*(entry_at(index) for index in range(40)))

    seal = ledger.seal(now, key=KEY, limit=15)

    assert seal
    assert sealed_keys()[-len(new) :] == new
    assert_every_seal_fits()


@pytest.mark.django_db
def test_batches_far_apart_are_looked_through_as_well(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LeafBatch, "MOST", 7)
    append(SMALLEST, LARGEST, *(UUID(int=at << 100 | 7 << 76 | 2 << 62) for at in range(1, 130)))
    ledger.seal(now, key=KEY)
    ledger.seal(now, key=KEY)
    keys = sealed_keys()

    put_in_line_again(*LedgerEntry.objects.all())
    ledgers.entries(1, at=now)
    ledger.seal(now, key=KEY)

    assert sealed_keys()[:-1] == keys
    assert_every_seal_fits()


@pytest.mark.django_db(transaction=True)
def test_the_smallest_and_the_largest_key_are_sealed_like_others(now: datetime) -> None:
    append(SMALLEST, LARGEST)

    seal = ledger.seal(now, key=KEY)

    assert seal
    assert (seal.size, sealed_keys()) == (2, [SMALLEST, LARGEST])
    assert ledger.places_of([SMALLEST, LARGEST]) == {SMALLEST: 0, LARGEST: 1}
    assert [kind for kind, _ in places() if not kind.endswith("MISDATED")] == []  # the keys lie about their time


def append(*keys: UUID) -> None:
    """Entries with these keys, which the database puts in line."""
    actor = Actor.objects.shell()
    entries = []
    for key in keys:
        entry = ledger.entry_of(
            LedgerAction.SIGN_IN, actor=actor, now=timezone.now(), about=ledger.References(), facts={}
        )
        entry.body = entry.body.replace(str(entry.pk), str(key))
        entry.id = key
        entries.append(entry)
    with transaction.atomic():
        ledger.append(entries)


# -- verification


@pytest.fixture
def filled(db: None, now: datetime) -> datetime:
    fill(now)
    return now


@pytest.mark.parametrize("index", [0, 3, 300, 612])
def test_an_entry_that_waits_for_a_second_place_is_named(filled: datetime, index: int) -> None:
    ledger.seal(filled, key=KEY)
    entry = entry_at(index)
    put_in_line_again(entry)

    (found,) = alarms()
    assert (found.kind.name, found.index, found.entry) == ("ENTRY_DOUBLED", index, entry.pk)
    assert found.sentence == f"Entry {index} ({entry.pk}) is sealed, and waits for a second place."


@pytest.mark.parametrize("index", [0, 3, 300, 612])
def test_an_entry_with_two_places_is_named_with_both(filled: datetime, index: int) -> None:
    ledger.seal(filled, key=KEY)
    entry = entry_at(index)
    seal_by_hand([entry, *ledgers.entries(4, at=filled)], key=KEY, at=filled)

    (found,) = alarms()
    second = sealed_keys().index(entry.pk, index + 1)
    assert (found.kind.name, found.index, found.entry) == ("ENTRY_DOUBLED", second, entry.pk)
    assert found.sentence == f"Entry {entry.pk} has a second place, {second}: it was sealed before, at {index}."


def test_it_is_named_also_where_entries_were_forgotten_before_their_leaf_came(
    filled: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaves, "MOST_EARLY", 3)
    late = ledgers.entries(60, at=filled)[::7]
    Unsealed.objects.filter(pk__in=[entry.pk for entry in late]).delete()
    ledger.seal(filled, key=KEY)
    put_in_line_again(*late)
    ledger.seal(filled, key=KEY)
    assert places() == []
    seal_by_hand([late[4]], key=KEY, at=filled)

    (found,) = alarms()
    assert (found.kind.name, found.index) == ("ENTRY_DOUBLED", len(sealed_keys()) - 1)


def test_two_places_side_by_side_are_named(filled: datetime) -> None:
    switch_triggers_off()
    batch = LeafBatch.objects.filter(count__gt=9).earliest("first_index")
    keys = bytes(batch.entry_ids)
    change(batch, entry_ids=keys[:96] + keys[80:96] + keys[112:])

    index = batch.first_index + 6
    assert ("ENTRY_DOUBLED", index) in places()


def test_leaves_that_are_not_in_order_are_named(filled: datetime) -> None:
    """By the order of its keys the batch of an entry is found."""
    switch_triggers_off()
    batch = LeafBatch.objects.filter(count__gt=9).earliest("first_index")
    keys, hashes = bytes(batch.entry_ids), bytes(batch.leaf_hashes)
    change(
        batch,
        entry_ids=keys[:16] + keys[32:48] + keys[16:32] + keys[48:],
        leaf_hashes=hashes[:32] + hashes[64:96] + hashes[32:64] + hashes[96:],
    )

    (found,) = [one for one in alarms() if one.kind.name == "LEAVES_CHANGED"]
    assert found.index == batch.first_index
    assert found.sentence.endswith("are not in the order of their keys.")


def test_leaves_too_far_apart_to_be_found_by_their_keys_are_named(filled: datetime) -> None:
    first, last = (UUID(int=entry_at(0).pk.int + (minutes * 60_000 << 80)) for minutes in (100, 111))
    append(first, last)
    size = Seal.objects.latest("size").size
    behind = list(LedgerEntry.objects.filter(pk__in=[first, last]).order_by("pk"))
    seal_by_hand(behind, key=KEY, at=filled)

    (found,) = [one for one in alarms() if one.kind.name == "LEAVES_CHANGED"]
    assert (found.index, found.entry) == (size, first)
