"""Sealing: what waits gets the next places in the tree, once, whoever seals and however often."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.utils import timezone
from pytest_django import Settings

from recordings import ledger, tasks
from recordings.choices import LedgerAction
from recordings.ledger import checkpoint, sealing, waiting
from recordings.ledger.sealing import CannotSeal
from recordings.models import Actor, LeafBatch, LedgerEntry, Node, Seal, SealKey, Unsealed, append_only
from tests import ledgers, owning
from tests.conftest import NOW, lift_triggers
from tests.ledger import slow_tree

KEY = ledgers.signing_key()


@contextmanager
def as_owner() -> Iterator[None]:
    """Whoever owns the tables takes their triggers away."""
    lift_triggers()
    try:
        yield
    finally:
        append_only.install(connection)


def sealed_keys() -> list[UUID]:
    """The keys of all sealed entries, by index, from what the batches say."""
    found: list[UUID] = []
    for batch in LeafBatch.objects.order_by("first_index"):
        assert (batch.first_index, batch.count * 16) == (len(found), len(batch.entry_ids))
        ids = bytes(batch.entry_ids)
        found += (UUID(bytes=ids[at : at + 16]) for at in range(0, len(ids), 16))
    return found


def sealed_bodies() -> list[bytes]:
    bodies = dict(LedgerEntry.objects.values_list("id", "body"))
    return [bodies[key].encode() for key in sealed_keys()]


def assert_every_seal_fits() -> None:
    """Each entry has one place or waits for one, and each seal is the root of all entries below its size."""
    keys, bodies = sealed_keys(), sealed_bodies()
    waiting = set(Unsealed.objects.values_list("entry_id", flat=True))
    assert len(set(keys)) == len(keys)
    assert waiting.isdisjoint(keys)
    assert waiting | set(keys) == set(LedgerEntry.objects.values_list("id", flat=True))
    for seal in Seal.objects.order_by("size"):
        assert bytes(seal.root_hash) == slow_tree.mth(bodies[: seal.size])
        signed = checkpoint.parse(seal.checkpoint)
        assert (signed.checkpoint.size, signed.checkpoint.root) == (seal.size, bytes(seal.root_hash))
        assert checkpoint.verify(signed, bytes(seal.key.public_key), seal.key.name)


# -- one sealer


@pytest.mark.django_db
def test_entries_get_the_next_places_in_the_order_of_their_keys(now: datetime) -> None:
    first = [entry.pk for entry in ledgers.entries(5, at=now)]
    seal = ledger.seal(now, key=KEY)
    assert seal
    assert (seal.size, seal.sealed_at) == (5, now)
    assert sealed_keys() == first

    second = [entry.pk for entry in ledgers.entries(3, at=now)]
    seal = ledger.seal(now + timedelta(seconds=5), key=KEY)
    assert seal
    of_the_key = LedgerEntry.objects.get(action=LedgerAction.KEY_FIRST_USED).pk
    assert sealed_keys() == [*first, of_the_key, *second]
    assert seal.size == 9
    assert_every_seal_fits()


@pytest.mark.django_db
def test_without_anything_new_there_is_no_seal(now: datetime) -> None:
    assert ledger.seal(now, key=KEY) is None

    ledgers.sealed(3, at=now)
    assert ledger.seal(now, key=KEY)  # the entry about the key
    assert ledger.seal(now, key=KEY) is None
    assert Seal.objects.count() == 2


@pytest.mark.django_db
def test_an_entry_that_is_committed_late_comes_into_a_later_seal(now: datetime) -> None:
    actor = Actor.objects.shell()
    late = ledger.entry_of(LedgerAction.SIGN_IN, actor=actor, now=now, about=ledger.References(), facts={})
    ledgers.sealed(3, at=now)
    with transaction.atomic():
        ledger.append([late])

    ledger.seal(now, key=KEY)

    assert late.pk < sealed_keys()[0]
    assert sealed_keys()[3] == late.pk
    assert ledger.places_of([late.pk]) == {late.pk: 3}
    assert_every_seal_fits()


@pytest.mark.django_db
def test_a_seal_takes_no_more_than_it_is_told_to_and_the_oldest_first(now: datetime) -> None:
    keys = [entry.pk for entry in ledgers.entries(7, at=now)]

    seal = ledger.seal(now, key=KEY, limit=4)

    assert seal
    assert seal.size == 4
    assert sealed_keys() == keys[:4]
    assert_every_seal_fits()


@pytest.mark.django_db
def test_subtrees_from_256_entries_on_are_stored(now: datetime) -> None:
    ledgers.sealed(300, at=now)
    ledgers.sealed(800, at=now)

    stored = {(node.level, node.position): bytes(node.node_hash) for node in Node.objects.all()}

    bodies = sealed_bodies()
    assert stored == {
        (level, position): slow_tree.mth(bodies[position * 2**level : (position + 1) * 2**level])
        for level, position in [(8, 0), (8, 1), (8, 2), (8, 3), (9, 0), (9, 1), (10, 0)]
    }
    assert_every_seal_fits()


@pytest.mark.django_db
def test_parts_of_one_seal_lie_side_by_side(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PART", 100)

    seal = ledgers.sealed(450, at=now)

    assert seal.size == 450
    assert [batch.count for batch in LeafBatch.objects.order_by("first_index")] == [100, 100, 100, 100, 50]
    assert_every_seal_fits()


@pytest.mark.django_db
def test_whoever_waits_and_is_gone_keeps_nobody_waiting(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole part of them, and more."""
    monkeypatch.setattr(waiting, "PART", 3)
    made = ledgers.entries(12, at=now)
    owning.switch_triggers_off()
    with owning.references_forgotten():
        owning.delete([*made[:7], made[9]])
        seal = ledger.seal(now, key=KEY)

        assert seal
        assert sealed_keys() == [entry.pk for entry in made if entry not in (*made[:7], made[9])]
        gone = Unsealed.objects.filter(entry_id__in=[entry.pk for entry in (*made[:7], made[9])])
        assert gone.count() == 8, "verification names them"
        gone.delete()


@pytest.mark.django_db
def test_a_batch_holds_at_most_1024_entries_and_ten_minutes(now: datetime) -> None:
    width = LeafBatch.WIDTH.total_seconds() * 1000
    offsets = [0, 1, width, width + 1, width + 2, 2 * width + 1, 2 * width + 2]
    put_in_line([int(1_700_000_000_000 + offset) for offset in offsets])
    ledger.seal(now, key=KEY)
    assert [batch.count for batch in LeafBatch.objects.order_by("first_index")] == [3, 3, 1]
    every = list(LedgerEntry.objects.exclude(action=LedgerAction.KEY_FIRST_USED).values_list("pk", flat=True))
    assert sorted(ledger.places_of(every).values()) == list(range(7))

    ledger.seal(now, key=KEY)
    put_in_line([1_800_000_000_000] * 1030)
    ledger.seal(now, key=KEY)
    assert [batch.count for batch in LeafBatch.objects.order_by("first_index")][3:] == [1, 1024, 6]
    assert_every_seal_fits()


def put_in_line(milliseconds: list[int]) -> None:
    """Entries whose keys say these times."""
    actor = Actor.objects.shell()
    rows = []
    for number, moment in enumerate(milliseconds):
        entry = ledger.entry_of(LedgerAction.SIGN_IN, actor=actor, now=NOW, about=ledger.References(), facts={})
        entry.id = UUID(int=moment << 80 | 7 << 76 | 2 << 62 | number)
        rows.append(entry)
    with transaction.atomic():
        ledger.append(rows)


# -- keys


@pytest.mark.django_db
def test_the_first_use_of_a_key_is_an_entry(now: datetime) -> None:
    ledgers.sealed(2, at=now)
    other = ledgers.signing_key(seed=2)
    ledger.seal(now, key=other)
    ledger.seal(now, key=other)

    told = LedgerEntry.objects.filter(action=LedgerAction.KEY_FIRST_USED).order_by("id")

    bodies = [ledger.body_of(entry) for entry in told]
    assert [body["fingerprint"] for body in bodies] == [KEY.fingerprint, other.fingerprint]
    assert {body["name"] for body in bodies} == {ledgers.ORIGIN}
    assert list(Seal.objects.order_by("size").values_list("key_id", flat=True)) == [
        KEY.fingerprint,
        other.fingerprint,
        other.fingerprint,
    ]
    assert bytes(SealKey.objects.get(pk=other.fingerprint).public_key) == other.public_key
    assert_every_seal_fits()


@pytest.mark.django_db
def test_a_ledger_keeps_the_name_it_was_sealed_under(now: datetime) -> None:
    ledgers.sealed(2, at=now)

    with pytest.raises(CannotSeal, match=f"Set LEDGER_ORIGIN={ledgers.ORIGIN}. Nothing was sealed"):
        ledger.seal(now, key=ledgers.signing_key(name="moved.example/ledger"))

    assert Unsealed.objects.count() == 1


# -- a tree that does not fit


def _wrong_root() -> None:
    Seal.objects.update(root_hash=bytes(32))


def _lost_node() -> None:
    Node.objects.all().delete()


def _changed_leaf() -> None:
    last = LeafBatch.objects.order_by("first_index").last()
    assert last
    LeafBatch.objects.filter(pk=last.pk).update(leaf_hashes=bytes(len(last.leaf_hashes)))


def _lost_leaves() -> None:
    LeafBatch.objects.filter(first_index__gte=300).delete()


def _lost_seal() -> None:
    Seal.objects.filter(size__gt=300).delete()


def _lost_seals() -> None:
    Seal.objects.all().delete()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "damage",
    [_wrong_root, _lost_node, _changed_leaf, _lost_leaves, _lost_seal, _lost_seals],
    ids=lambda each: each.__name__,
)
def test_nothing_is_signed_over_a_tree_that_does_not_fit(
    now: datetime, damage: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    ledgers.sealed(300, at=now)
    ledgers.sealed(50, at=now)
    ledgers.entries(5, at=now)
    with as_owner():
        damage()
    before = _everything()

    with caplog.at_level(logging.CRITICAL), pytest.raises(CannotSeal, match=r"does not fit .* Nothing was sealed"):
        ledger.seal(now, key=KEY)

    assert "does not fit its newest seal" in caplog.text
    assert _everything() == before


def _everything() -> list[Any]:
    models = (Unsealed, LeafBatch, Node, Seal, SealKey, LedgerEntry)
    return [sorted(map(repr, model.objects.values_list())) for model in models]


# -- several at once


def at_once(*works: Callable[[], object]) -> None:
    """Every work in a thread of its own. Raises what one of them raised."""

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(run, work) for work in works]:
            done.result(timeout=120)


@pytest.mark.django_db(transaction=True)
def test_several_sealers_and_writers_at_once_make_one_tree() -> None:
    writing = threading.Event()
    writing.set()

    def write() -> None:
        for _ in range(15):
            ledgers.entries(20, at=timezone.now())

    def seal() -> None:
        while writing.is_set() or Unsealed.objects.exists():
            ledger.seal(timezone.now(), key=KEY, limit=50)
            time.sleep(0.05)  # SQLite queues nobody: who comes again at once keeps others out

    def write_all() -> None:
        try:
            at_once(write, write, write)
        finally:
            writing.clear()

    at_once(seal, seal, seal, write_all)

    assert LedgerEntry.objects.count() == 15 * 20 * 3 + 1
    assert not Unsealed.objects.exists()
    assert_every_seal_fits()
    times = list(Seal.objects.order_by("size").values_list("sealed_at", flat=True))
    assert times == sorted(times)


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql  # on SQLite nobody commits while a sealer works
def test_an_entry_committed_between_reading_and_taking_waits_for_the_next_seal() -> None:
    now = timezone.now()
    actor = Actor.objects.shell()
    first, late, last = (
        ledger.entry_of(LedgerAction.SIGN_IN, actor=actor, now=now, about=ledger.References(), facts={})
        for _ in range(3)
    )
    with transaction.atomic():
        ledger.append([first, last])

    def commit() -> None:
        with transaction.atomic():
            ledger.append([late])

    def meanwhile(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("DELETE") and "unsealed" in sql and not LedgerEntry.objects.filter(pk=late.pk).exists():
            at_once(commit)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(meanwhile):
        seal = ledger.seal(now, key=KEY, limit=2)

    assert seal
    assert seal.size == 2
    assert sealed_keys() == [first.pk, last.pk]
    assert Unsealed.objects.filter(pk=late.pk).exists()
    ledger.seal(now, key=KEY)
    assert late.pk in sealed_keys()
    assert_every_seal_fits()


# -- the worker and the command


@pytest.mark.django_db
def test_the_worker_seals_what_waits_but_not_all_the_time(settings: Settings, now: datetime) -> None:
    settings.LEDGER_SEAL_SECONDS = 5
    assert ledger.seal_due(now) is None
    ledgers.entries(2, at=now)
    assert ledger.seal_due(now)
    ledgers.entries(2, at=now)
    assert ledger.seal_due(now + timedelta(seconds=4)) is None
    assert ledger.seal_due(now + timedelta(seconds=5))


@pytest.mark.django_db
def test_a_seals_worth_of_entries_does_not_wait(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MOST", 10)
    ledgers.sealed(2, at=now)
    ledgers.entries(8, at=now)
    assert ledger.seal_due(now) is None
    ledgers.entries(1, at=now)
    assert ledger.seal_due(now)


@pytest.mark.django_db
def test_the_key_is_not_asked_for_where_nothing_waits(settings: Settings, now: datetime) -> None:
    settings.LEDGER_SIGNING_KEY = ""

    assert ledger.seal_due(now) is None
    ledgers.entries(1, at=now)
    with pytest.raises(ledger.NoSigningKey):
        ledger.seal_due(now)


@pytest.mark.django_db
def test_the_task_of_the_worker_seals() -> None:
    ledgers.entries(2, at=timezone.now())

    assert tasks.seal.call() == 1
    assert tasks.seal.call() == 0
    assert tasks.seal in tasks.EVERY_TICK


def seal_command(*arguments: str) -> str:
    output = StringIO()
    call_command("seal", *arguments, stdout=output)
    return output.getvalue()


@pytest.mark.django_db(transaction=True)
def test_the_command_seals_everything_and_says_size_root_and_key(now: datetime) -> None:
    ledgers.entries(3, at=now)

    said = seal_command()

    assert list(Seal.objects.order_by("size").values_list("size", flat=True)) == [3, 4]
    newest = ledger.newest_seal()
    assert newest
    assert said.endswith(f"size 4\nroot {bytes(newest.root_hash).hex()}\nkey  {KEY.fingerprint}\n")
    assert seal_command() == "Nothing waits for a seal.\n" + "".join(said.splitlines(keepends=True)[3:])


@pytest.mark.django_db(transaction=True)
def test_the_command_seals_once_where_told_to(now: datetime) -> None:
    assert seal_command() == "Nothing waits for a seal.\n"
    ledgers.entries(3, at=now)
    seal_command("--once")
    assert Seal.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_command_says_what_is_missing(settings: Settings) -> None:
    settings.LEDGER_SIGNING_KEY = ""

    with pytest.raises(CommandError, match="LEDGER_SIGNING_KEY is not set"):
        seal_command()
