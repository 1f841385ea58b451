"""Sealing: entries that wait get the next places in the tree, and the new root is signed."""

import logging
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from recordings import conf
from recordings.choices import LedgerAction
from recordings.ledger import checkpoint, proofs, tree, waiting
from recordings.ledger.checkpoint import Checkpoint
from recordings.ledger.entries import record
from recordings.ledger.keys import SigningKey, signing_key
from recordings.ledger.places import KEY_BYTES, cut, keys_near, too_late
from recordings.ledger.proofs import TreeBroken
from recordings.ledger.tree import Complete, Frontier
from recordings.models import Actor, LeafBatch, Node, Seal, SealingTurn, SealKey, Unsealed

logger = logging.getLogger(__name__)

# Entries of one seal at most: as much as one transaction does in about a second.
MOST = 100_000
_TURN = 1


class CannotSeal(Exception):
    """Nothing was sealed and nothing changed; the message says why and what to do."""


def newest_seal() -> Seal | None:
    return Seal.objects.order_by("-size").select_related("key").first()


def seal_due(now: datetime) -> Seal | None:
    """Seal if something waits and the newest seal is LEDGER_SEAL_SECONDS old, or a whole seal's worth waits.

    Reads the key only then. Raises NoSigningKey, and CannotSeal as `seal` does.
    """
    if not Unsealed.objects.exists():
        return None
    newest = newest_seal()
    if newest and newest.sealed_at + conf.seal_every() > now and not Unsealed.objects.all()[MOST - 1 : MOST].exists():
        return None
    return seal(now, key=signing_key())


def seal(now: datetime, *, key: SigningKey, limit: int = MOST) -> Seal | None:
    """Seal the entries that wait, the oldest `limit` of them at most (`now` aware UTC); None if nothing waits.

    One transaction, and one sealer at a time: another one waits for its end. An entry that is committed late comes
    into a later seal. Raises CannotSeal where the stored tree does not fit the newest seal: nothing is signed over it.
    """
    with transaction.atomic():
        SealingTurn.objects.select_for_update().get_or_create(pk=_TURN)
        newest = newest_seal()
        _require_one_name(newest, key)
        _require_not_replaced(newest, key)
        frontier = _frontier_under(newest)
        grown = _grow(frontier, limit)
        return _signed(grown, key, _not_before(newest, now)) if grown.size > frontier.size else None


def _require_one_name(newest: Seal | None, key: SigningKey) -> None:
    if newest and newest.key.name != key.name:
        raise CannotSeal(
            f"The ledger is sealed under the name {newest.key.name}, and LEDGER_ORIGIN or PUBLIC_URL now says "
            f"{key.name}. Set LEDGER_ORIGIN={newest.key.name}. Nothing was sealed; entries wait."
        )


def _require_not_replaced(newest: Seal | None, key: SigningKey) -> None:
    """A key that was replaced seals nothing any more: so seals under another key behind its own are somebody else's."""
    if newest and newest.key_id != key.fingerprint and SealKey.objects.filter(pk=key.fingerprint).exists():
        raise CannotSeal(
            f"The newest seal is under the key {newest.key_id}, and the key given here, {key.fingerprint}, was in use "
            "before it: a key that was replaced seals nothing any more. Let LEDGER_SIGNING_KEY name the new one. If "
            "nobody changed the key, somebody else has signed: keep the database as it is, and run `manage.py verify`. "
            "Nothing was sealed; entries wait."
        )


def _frontier_under(newest: Seal | None) -> Frontier:
    """The stored tree's right edge, if it is the one that was sealed last."""
    try:
        frontier = proofs.frontier(newest.size if newest else 0)
        _require_nothing_beyond(frontier.size)
        if newest and frontier.root() != bytes(newest.root_hash):
            raise TreeBroken("Its root is not the one that was sealed.")
    except TreeBroken as error:
        logger.critical("the ledger's stored tree does not fit its newest seal: %s", error)
        raise CannotSeal(
            f"The stored tree does not fit the newest seal, of size {newest.size if newest else 0}: {error} Nothing "
            "was sealed; entries wait. Keep the database as it is; `manage.py verify` tells what was altered."
        ) from error
    return frontier


def _require_nothing_beyond(size: int) -> None:
    """Leaves that no seal covers were put there by somebody else, or their seal was taken away."""
    if LeafBatch.objects.filter(first_index__gte=size).exists():
        raise TreeBroken("It holds leaves that no seal covers.")


def _grow(frontier: Frontier, limit: int) -> Frontier:
    """Put the oldest entries that wait into the tree: its edge then. Who has a place already is put out of the line
    first. Held in memory are their hashes, not their bodies."""
    while True:
        grown, parts = frontier.copy(), list[bytes]()
        batches, completed = list[LeafBatch](), list[Complete]()
        with closing(waiting.oldest(limit)) as line:
            for some, bodies in line:
                leaves = [tree.leaf_hash(body) for body in bodies]
                batches += _batches(some, leaves, start=grown.size)
                completed += grown.extend(leaves, lowest=Node.LOWEST)
                parts.append(some)
        keys = b"".join(parts)
        placed = _placed(batches, keys)
        if not placed:
            break
        _put_out(placed)
    if keys:
        LeafBatch.objects.bulk_copy(batches)
        Node.objects.bulk_copy([Node(level=level, position=at, node_hash=digest) for level, at, digest in completed])
        waiting.take_out(keys)
    return grown


def _placed(batches: Iterable[LeafBatch], keys: bytes) -> set[bytes]:
    """Those of these sorted keys, of which the batches are, that are in the tree. A look at a few batches where they
    are new, as nearly always."""
    edges = [edge for batch in batches for edge in (batch.first_entry, UUID(bytes=bytes(batch.entry_ids[-KEY_BYTES:])))]
    reaching = list(keys_near(edges))
    waiting = set(cut(keys)) if reaching else set[bytes]()
    return {key for held in reaching for key in held if key in waiting}


def _put_out(placed: Collection[bytes]) -> None:
    """An entry stands in line once, when it comes. Again it got there past the site; its place stays as it was."""
    keys = sorted(placed)
    logger.error(
        "%d entries that have a place in the tree stood in line for a second one, the first of them %s: somebody put "
        "them there past the site. They keep their place, and were taken out of the line.",
        len(keys),
        UUID(bytes=keys[0]),
    )
    waiting.take_out(b"".join(keys))


def _batches(keys: bytes, leaves: Sequence[bytes], *, start: int) -> list[LeafBatch]:
    return [
        LeafBatch(
            first_index=start + first,
            first_entry=UUID(bytes=_key(keys, first)),
            count=end - first,
            entry_ids=keys[first * KEY_BYTES : end * KEY_BYTES],
            leaf_hashes=b"".join(leaves[first:end]),
        )
        for first, end in _cuts(keys)
    ]


def _cuts(keys: bytes) -> Iterator[tuple[int, int]]:
    """Where a batch begins and ends: after MOST keys, and before one whose time is more than WIDTH after the first."""
    first, count = 0, len(keys) // KEY_BYTES
    while first < count:
        most = min(first + LeafBatch.MOST, count)
        end = bisect_left(range(count), too_late(_key(keys, first)), first + 1, most, key=partial(_key, keys))
        yield first, end
        first = end


def _key(keys: bytes, at: int) -> bytes:
    return keys[at * KEY_BYTES : (at + 1) * KEY_BYTES]


def _signed(frontier: Frontier, key: SigningKey, now: datetime) -> Seal:
    root = frontier.root()
    return Seal.objects.create(
        size=frontier.size,
        root_hash=root,
        checkpoint=checkpoint.sign(Checkpoint(key.name, frontier.size, root), key),
        key=_known_key(key, now),
        sealed_at=now,
    )


def _not_before(newest: Seal | None, now: datetime) -> datetime:
    """A sealer that waited for its turn says a time before the seal it waited for."""
    return max(now, newest.sealed_at) if newest else now


def _known_key(key: SigningKey, now: datetime) -> SealKey:
    """The first use of a key is an entry of its own, which the next seal covers."""
    known = SealKey.objects.filter(pk=key.fingerprint).first()
    if known:
        return known
    actor = Actor.objects.job("seal")
    record(LedgerAction.KEY_FIRST_USED, actor=actor, now=now, fingerprint=key.fingerprint, name=key.name)
    return SealKey.objects.create(
        fingerprint=key.fingerprint, name=key.name, public_key=key.public_key, first_used_at=now
    )
