"""What stands above the ledger's entries: the newest seal, until when it is witnessed, and the last verification."""

from collections.abc import Sequence
from dataclasses import dataclass

from recordings import ledger
from recordings.choices import Alarm, Look, look
from recordings.ledger import Standing, Witnessed, verifier_key
from recordings.models import Seal, SealKey, Unsealed, Verification

# The entries that wait are counted no further.
MOST_WAITING = 1000


@dataclass(frozen=True)
class AlarmRow:
    """One alarm of a verification: what, where, and the sentence that says more."""

    look: Look
    index: int | None
    entry: str
    sentence: str


@dataclass(frozen=True)
class Verified:
    """The last verification that came to a result, a later one that ended without any, and the one under way.

    That one has `total` entries to look at. `standing` is an earlier one whose alarm the last one could not see.
    """

    last: Verification | None
    unfinished: Verification | None
    running: Verification | None
    total: int = 0
    standing: Verification | None = None

    @property
    def standing_alarms(self) -> Sequence[AlarmRow]:
        kept = [_alarm(each) for each in self.standing.alarms] if self.standing else []
        return [alarm for alarm in kept if alarm.look.value == Alarm.NOT_CONSISTENT]

    @property
    def alarms(self) -> Sequence[AlarmRow]:
        return [_alarm(each) for each in self.last.alarms] if self.last else []

    @property
    def more_alarms(self) -> int:
        return self.last.alarm_count - len(self.last.alarms) if self.last else 0


@dataclass(frozen=True)
class Head:
    seal: Seal | None
    waiting: int
    witnessed: Witnessed
    verified: Verified

    @property
    def tone(self) -> str:
        """How the card as a whole looks: an alarm of any kind is louder than a success."""
        last = self.verified.last
        if self.conflicts or self.verified.standing or (last and last.alarms):
            return "bad"
        if self.verified.unfinished:
            return "warn"
        return "ok" if self.seal and last and last.status_look.tone == "ok" else "mute"

    @property
    def is_in_order(self) -> bool:
        return self.seal is not None and self.tone != "bad"

    @property
    def key(self) -> SealKey | None:
        return self.seal.key if self.seal else None

    @property
    def verifier_key(self) -> str:
        return verifier_key(self.key.name, bytes(self.key.public_key)) if self.key else ""

    @property
    def root(self) -> str:
        return bytes(self.seal.root_hash).hex() if self.seal else ""

    @property
    def conflicts(self) -> Sequence[Standing]:
        return [each for each in self.witnessed.standings if each.state and each.state.conflict]

    @property
    def counts_no_further(self) -> bool:
        return self.waiting >= MOST_WAITING


def head() -> Head:
    seal = ledger.newest_seal()
    waiting = len(Unsealed.objects.values_list("pk")[:MOST_WAITING])
    return Head(seal, waiting, ledger.witnessed(), verified())


def verified() -> Verified:
    runs = Verification.objects.select_related("requested_by")
    running = runs.filter(finished_at__isnull=True).order_by("requested_at").first()
    newest = ledger.newest_seal() if running else None
    last, standing = ledger.newest_verdict(), ledger.standing_alarm()
    return Verified(
        last,
        ledger.newest_unfinished(),
        running,
        total=newest.size if newest else 0,
        standing=None if standing == last else standing,
    )


def _alarm(kept: dict[str, object]) -> AlarmRow:
    index = kept.get("index")
    kind = look(Alarm, str(kept.get("kind", "")))
    number = index if isinstance(index, int) else None
    return AlarmRow(kind, number, str(kept.get("entry") or ""), str(kept.get("sentence", "")))
