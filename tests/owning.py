"""What the owner of the database can do once the triggers are off: everything."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Model

from recordings import ledger
from recordings.ledger import checkpoint, proofs
from recordings.ledger.checkpoint import Checkpoint
from recordings.ledger.keys import SigningKey
from recordings.ledger.tree import HASH_BYTES, Frontier, leaf_hash
from recordings.models import LeafBatch, LedgerEntry, Node, Seal, Unsealed
from tests.conftest import lift_triggers


def switch_triggers_off() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    lift_triggers()


def change(row: Model, **columns: object) -> None:
    assert type(row)._base_manager.filter(pk=row.pk).update(**columns) == 1


def break_time(entry: LedgerEntry) -> None:
    """A moment that no reader of the row takes, so that whoever reads on comes to no end."""
    no_time = "infinity" if connection.vendor == "postgresql" else "2026-91-18 00:00:00"
    key = entry.pk if connection.vendor == "postgresql" else entry.pk.hex
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE recordings_ledgerentry SET occurred_at = '{no_time}' WHERE id = %s", [key])
        assert cursor.rowcount == 1


def delete(rows: Iterable[Model]) -> None:
    for row in rows:
        assert type(row)._base_manager.filter(pk=row.pk)._raw_delete("default") == 1


def insert(row: Model) -> None:
    """Without the trigger that puts an entry in line for its seal."""
    row.save(force_insert=True)


@contextmanager
def references_forgotten() -> Iterator[None]:
    """Rows may go that others name. SQLite asks only at the end of the transaction."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def entry_at(index: int) -> LedgerEntry:
    batch = LeafBatch.objects.filter(first_index__lte=index).order_by("-first_index")[0]
    return LedgerEntry.objects.get(pk=keys_of(batch)[index - batch.first_index])


def keys_of(batch: LeafBatch) -> list[UUID]:
    keys = bytes(batch.entry_ids)
    return [UUID(bytes=keys[at : at + 16]) for at in range(0, len(keys), 16)]


def place_of(entry: LedgerEntry) -> int:
    return ledger.places_of([entry.pk])[entry.pk]


def cut_off(size: int) -> None:
    """As if nothing after the first `size` entries had ever been: no leaf, no seal, no record."""
    beyond = LeafBatch.objects.filter(first_index__gte=size)
    keys = [key for batch in beyond for key in keys_of(batch)]
    entries = LedgerEntry.objects.in_bulk([*keys, *Unsealed.objects.values_list("pk", flat=True)])
    Unsealed.objects.all().delete()
    delete(entries.values())
    delete([*beyond, *Seal.objects.filter(size__gt=size)])
    delete(node for node in Node.objects.all() if (node.position + 1) << node.level > size)


def hash_anew(batch: LeafBatch) -> bytes:
    """What the leaves of the batch would be, if the entries had always been what they are now."""
    keys = keys_of(batch)
    entries = LedgerEntry.objects.in_bulk(keys)
    return b"".join(leaf_hash(entries[key].body.encode()) for key in keys)


def plant_anew() -> None:
    """Leaves and nodes of the entries as they are now; the seals stay."""
    frontier = Frontier()
    for batch in LeafBatch.objects.order_by("first_index"):
        leaves = hash_anew(batch)
        change(batch, leaf_hashes=leaves)
        cut = [leaves[at : at + HASH_BYTES] for at in range(0, len(leaves), HASH_BYTES)]
        for level, position, digest in frontier.extend(cut, lowest=Node.LOWEST):
            change(Node.objects.get(level=level, position=position), node_hash=digest)


def sign_anew(key: SigningKey) -> None:
    """Every seal over the leaves as they are now, with the ledger's own key."""
    frontier, seals = Frontier(), {seal.size: seal for seal in Seal.objects.all()}
    for batch in LeafBatch.objects.order_by("first_index"):
        leaves = bytes(batch.leaf_hashes)
        frontier.extend([leaves[at : at + HASH_BYTES] for at in range(0, len(leaves), HASH_BYTES)])
        if seal := seals.get(frontier.size):
            root = frontier.root()
            text = checkpoint.sign(Checkpoint(key.name, frontier.size, root), key)
            change(seal, root_hash=root, checkpoint=text)


def seal_by_hand(entries: Sequence[LedgerEntry], *, key: SigningKey, at: datetime) -> None:
    """These entries behind all others, as a sealer would that looks at nothing; they wait no longer."""
    frontier = proofs.frontier(Seal.objects.latest("size").size)
    leaves = [leaf_hash(entry.body.encode()) for entry in entries]
    LeafBatch.objects.create(
        first_index=frontier.size,
        first_entry=entries[0].pk,
        count=len(entries),
        entry_ids=b"".join(entry.pk.bytes for entry in entries),
        leaf_hashes=b"".join(leaves),
    )
    for level, position, digest in frontier.extend(leaves, lowest=Node.LOWEST):
        Node.objects.create(level=level, position=position, node_hash=digest)
    size, root = frontier.size, frontier.root()
    text = checkpoint.sign(Checkpoint(key.name, size, root), key)
    Seal.objects.create(size=size, root_hash=root, checkpoint=text, key_id=key.fingerprint, sealed_at=at)
    Unsealed.objects.filter(pk__in=[entry.pk for entry in entries]).delete()
