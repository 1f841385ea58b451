"""Which witness holds which checkpoint, as far as it told us. The only writer of Receipt and Witness."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from recordings.ledger.witnesses import WitnessAddress, witness_addresses
from recordings.models import Receipt, Seal, Witness

# Of one directory in one pass: a file each, and each is waited for until it is on the disk.
MOST_SEALS = 100


@dataclass(frozen=True)
class Standing:
    """One witness as it stands: the newest checkpoint it has, and what is wrong with it."""

    address: WitnessAddress
    newest: Receipt | None
    state: Witness | None

    @property
    def until(self) -> datetime | None:
        """When its newest checkpoint was sealed."""
        return self.newest.seal.sealed_at if self.newest else None


@dataclass(frozen=True)
class Witnessed:
    """How far the ledger is witnessed.

    The newest seal counts of which an off-host witness has a receipt: one that keeps its copy is enough to betray a
    change. Where no witness is off this host, the others count, and `is_off_host` says so.
    """

    seal: Seal | None
    is_off_host: bool
    standings: Sequence[Standing]

    @property
    def until(self) -> datetime | None:
        return self.seal.sealed_at if self.seal else None


def witnessed() -> Witnessed:
    """Who witnesses the ledger, and until when (aware UTC). Two queries, and one more for each other witness."""
    addresses = witness_addresses()
    states = Witness.objects.in_bulk([address.name for address in addresses]) if addresses else {}
    standings = [Standing(address, _newest(address.name), states.get(address.name)) for address in addresses]
    off_host = [standing for standing in standings if standing.address.is_off_host]
    seals = [standing.newest.seal for standing in off_host or standings if standing.newest]
    newest = max(seals, key=lambda seal: seal.size, default=None)
    return Witnessed(newest, is_off_host=bool(off_host), standings=standings)


def witnessed_until() -> datetime | None:
    """When the newest witnessed seal was made; None if no witness has one."""
    return witnessed().until


def _newest(witness: str) -> Receipt | None:
    return Receipt.objects.filter(witness=witness).select_related("seal").order_by("-seal").first()


def seals_to_hand(address: WitnessAddress) -> list[Seal]:
    """The checkpoints this witness should get now, oldest first.

    A directory gets each one since the last it has, MOST_SEALS in a pass. An endpoint, and a directory that has none
    yet, get the newest: the tree under every earlier checkpoint is a part of it.
    """
    newest = _newest(address.name)
    later = Seal.objects.filter(size__gt=newest.seal_id if newest else -1)
    if address.directory and newest:
        return list(later.order_by("size")[:MOST_SEALS])
    return list(later.order_by("-size")[:1])


def take_turn(address: WitnessAddress, *, now: datetime, until: datetime) -> bool:
    """Whether the caller may hand to this witness until then; nobody else does meanwhile."""
    Witness.objects.get_or_create(name=address.name)
    is_free = Q(leased_until__isnull=True) | Q(leased_until__lte=now)
    return Witness.objects.filter(is_free, name=address.name).update(leased_until=until) == 1


def end_turn(
    address: WitnessAddress, *, taken: Sequence[Seal], problem: str, conflict: str, now: datetime
) -> Sequence[str]:
    """Note what came of a turn, inside the caller's transaction: receipts, why it ended early, what contradicts us.

    A problem goes when the next try works; a conflict stays. Answers the sentences that are new.
    """
    Receipt.objects.bulk_create(
        [Receipt(seal=seal, witness=address.name, received_at=now) for seal in taken], ignore_conflicts=True
    )
    witness = Witness.objects.select_for_update().get(name=address.name)
    news = [
        words for words, known in ((problem, witness.problem), (conflict, witness.conflict)) if words not in ("", known)
    ]
    if conflict:
        witness.conflict, witness.conflict_at = conflict, witness.conflict_at or now
    witness.problem_since_at = (witness.problem_since_at or now) if problem else None
    witness.problem, witness.tried_at, witness.leased_until = problem, now, None
    witness.save()
    return news
