"""The blind spots of a call's time as their entries in the ledger tell of them: no change there proves nothing."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from recordings.choices import ActorKind, LedgerAction
from recordings.exports.known.steps import Step, grouped, steps_of
from recordings.models import BlindSpot, Call, LedgerEntry

# A spot that has ended by now may not have ended yet at the moment or checkpoint that is asked about. Its end is
# noticed within minutes; what ended longer than this before the time that is asked about was over for certain.
NOTICED = timedelta(days=7)


@dataclass(frozen=True)
class KnownSpot:
    key: str
    steps: Sequence[Step]

    @property
    def whose(self) -> str:
        return self.steps[0].text("recorder") or "On Record"

    @property
    def why(self) -> str:
        return self.steps[0].text("reason")

    @property
    def from_at(self) -> datetime:
        return datetime.fromisoformat(self.steps[0].text("from_at"))

    @property
    def until_at(self) -> datetime | None:
        return self.steps[-1].at("until_at")

    def touches(self, since: datetime, until: datetime | None) -> bool:
        return (until is None or self.from_at <= until) and (self.until_at is None or self.until_at >= since)


def spot_steps(recorders: Collection[int], *, since: datetime, until: datetime | None) -> tuple[Step, ...]:
    """Every entry on a blind spot that may touch the time (aware UTC, None has no end), whenever it was recorded: of
    these recorders, and our own. Two queries."""
    spots = BlindSpot.objects.covering(since - NOTICED, until).filter(
        Q(recorder=None) | Q(recorder__in=list(recorders))
    )
    found = list(spots.values_list("pk", "from_at", "until_at"))
    if not found:
        return ()
    opened = Q(action=LedgerAction.BLIND_SPOT_OPENED, occurred_at__in=[start for _, start, _ in found])
    closed = Q(action=LedgerAction.BLIND_SPOT_CLOSED, occurred_at__in=[end for _, _, end in found if end])
    entries = LedgerEntry.objects.filter(opened | closed).select_related("actor").order_by("pk")
    keys = {str(key) for key, _, _ in found}
    return tuple(step for step in steps_of(entries) if step.text("blind_spot") in keys)


def spots_of(steps: Iterable[Step], *, since: datetime, until: datetime | None) -> list[KnownSpot]:
    """Those of these steps that touch the time, the first one first."""
    spots = [KnownSpot(key, group) for key, group in grouped(steps, "blind_spot").items()]
    return sorted((spot for spot in spots if spot.touches(since, until)), key=lambda spot: spot.from_at)


def recorders_of(call: Call, steps: Iterable[Step]) -> set[int]:
    """Those that spoke; where none did, the one that the call's row names."""
    actors = [step.entry.actor for step in steps]
    spoke = {int(actor.subject_id) for actor in actors if actor.kind == ActorKind.RECORDER}
    return spoke or ({call.recorder_id} if call.recorder_id else set())
