"""Sealing: entries that wait get the next places in the tree, and the new root is signed."""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from recordings import conf
from recordings.choices import LedgerAction
from recordings.ledger import checkpoint, proofs, tree
from recordings.ledger.checkpoint import Checkpoint
from recordings.ledger.entries import record
from recordings.ledger.keys import SigningKey, signing_key
from recordings.ledger.proofs import TreeBroken
from recordings.ledger.tree import Frontier
from recordings.models import Actor, LeafBatch, Node, Seal, SealingTurn, SealKey, Unsealed
from recordings.models.many import stream_bytes

logger = logging.getLogger(__name__)

# Entries of one seal at most: as much as one transaction does in about a second.
MOST = 50_000
PAGE = 10_000
_TURN = 1
_TIME_BITS = 80  # a UUIDv7 ends with so many bits that are no time
_WIDTH_MILLISECONDS = int(LeafBatch.WIDTH.total_seconds() * 1000)

type Entry = tuple[bytes, bytes]


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
        frontier = _frontier_under(newest)
        sealed = _grow(frontier, limit)
        return _signed(frontier, key, _not_before(newest, now)) if sealed else None


def _require_one_name(newest: Seal | None, key: SigningKey) -> None:
    if newest and newest.key.name != key.name:
        raise CannotSeal(
            f"The ledger is sealed under the name {newest.key.name}, and LEDGER_ORIGIN or PUBLIC_URL now says "
            f"{key.name}. Set LEDGER_ORIGIN={newest.key.name}. Nothing was sealed; entries wait."
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


def _grow(frontier: Frontier, limit: int) -> int:
    """Put the oldest entries that wait into the tree, a page at a time; how many."""
    sealed = 0
    while sealed < limit:
        page = _take(min(PAGE, limit - sealed))
        if not page:
            break
        _append(frontier, page)
        sealed += len(page)
    return sealed


def _take(most: int) -> Sequence[Entry]:
    """The oldest entries that wait, taken out of the line: keys and bodies.

    They go by the range of their keys, which is quick. One that was committed meanwhile may lie in the range and was
    not read: then the numbers differ, and those that were read go by their keys.
    """
    waiting = Unsealed.objects.order_by("entry_id").values_list("entry_id", "entry__body")[:most]
    page = list(stream_bytes(waiting))
    if page:
        keys = [UUID(bytes=key) for key, _ in page]
        if not _take_out(Unsealed.objects.filter(entry_id__gte=keys[0], entry_id__lte=keys[-1]), of=len(page)):
            Unsealed.objects.filter(entry_id__in=keys).delete()
    return page


def _take_out(rows: QuerySet[Unsealed], *, of: int) -> bool:
    with transaction.atomic():
        taken, _ = rows.delete()
        transaction.set_rollback(taken != of)
    return taken == of


def _append(frontier: Frontier, page: Sequence[Entry]) -> None:
    leaves = [tree.leaf_hash(body) for _, body in page]
    LeafBatch.objects.bulk_copy(list(_batches([key for key, _ in page], leaves, start=frontier.size)))
    completed = frontier.extend(leaves, lowest=Node.LOWEST)
    Node.objects.bulk_copy([Node(level=level, position=at, node_hash=digest) for level, at, digest in completed])


def _batches(keys: Sequence[bytes], leaves: Sequence[bytes], *, start: int) -> Iterator[LeafBatch]:
    for first, end in _cuts(keys):
        yield LeafBatch(
            first_index=start + first,
            first_entry=UUID(bytes=keys[first]),
            count=end - first,
            entry_ids=b"".join(keys[first:end]),
            leaf_hashes=b"".join(leaves[first:end]),
        )


def _cuts(keys: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """Where a batch begins and ends: after MOST keys, and before one whose time is more than WIDTH after the first."""
    first, latest = 0, _milliseconds(keys[0]) + _WIDTH_MILLISECONDS
    for at, key in enumerate(keys):
        if at - first == LeafBatch.MOST or _milliseconds(key) > latest:
            yield first, at
            first, latest = at, _milliseconds(key) + _WIDTH_MILLISECONDS
    yield first, len(keys)


def _milliseconds(key: bytes) -> int:
    return int.from_bytes(key[:6])


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
