"""What is wrong with the ledger, for the first page: said where people look, not only where auditors do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from recordings import ledger
from recordings.models import Unsealed, Witness

# A restart, or a network that blinks, is no trouble.
PATIENCE = timedelta(minutes=10)


@dataclass(frozen=True)
class Trouble:
    tone: str
    icon: str
    words: str


def troubles(now: datetime) -> Sequence[Trouble]:
    """The worst first (`now` aware UTC). Four queries, and one more where there are witnesses."""
    return sorted([*_verified(), *_witnesses(now), *_unsealed(now)], key=lambda trouble: trouble.tone != "bad")


def _verified() -> Iterator[Trouble]:
    verdict = ledger.newest_verdict()
    if verdict and verdict.alarms:
        yield Trouble("bad", "v-critical", "The ledger was altered, as verification found.")
    if ledger.standing_alarm():
        yield Trouble("bad", "v-critical", "The ledger is not the one that a checkpoint from elsewhere saw.")
    if ledger.newest_unfinished():
        yield Trouble("warn", "warn", "The last verification of the ledger could not be finished.")


def _witnesses(now: datetime) -> Iterator[Trouble]:
    names = [address.name for address in ledger.witness_addresses()]
    for state in Witness.objects.filter(name__in=names) if names else ():
        if state.conflict:
            yield Trouble("bad", "v-critical", f"The witness {state.name} holds something else than this ledger.")
        elif state.problem_since_at and state.problem_since_at <= now - PATIENCE:
            yield Trouble("warn", "warn", f"The witness {state.name} takes no checkpoints.")


def _unsealed(now: datetime) -> Iterator[Trouble]:
    oldest = Unsealed.objects.order_by("pk").values_list("entry__recorded_at", flat=True).first()
    if oldest and oldest <= now - PATIENCE:
        yield Trouble(
            "warn", "seal-open", "Entries of the ledger wait for their seal. The worker, or its key, is missing."
        )
