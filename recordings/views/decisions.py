"""What people, and On Record itself, decided about corrections, and why: read from the ledger, which alone keeps it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from recordings import ledger
from recordings.choices import LedgerAction
from recordings.models import LedgerEntry, Operation

_VERBS = {
    LedgerAction.CORRECTION_APPROVED.value: "Approved",
    LedgerAction.CORRECTION_DECLINED.value: "Declined",
    LedgerAction.CORRECTION_EXPIRED.value: "Expired",
    LedgerAction.CORRECTION_CANCELLED.value: "Cancelled",
    LedgerAction.CORRECTION_UNRESOLVED.value: "Closed as unresolved",
}


@dataclass(frozen=True)
class Decision:
    """What was said to one wish, by whom, and why."""

    entry: LedgerEntry
    reason: str
    evidence: str

    @property
    def verb(self) -> str:
        return _VERBS[self.entry.action]

    @property
    def who(self) -> str:
        """Nobody decides that time has passed."""
        return "" if self.entry.action == LedgerAction.CORRECTION_EXPIRED else self.entry.actor.label

    @property
    def at(self) -> datetime:
        return self.entry.occurred_at

    @property
    def words(self) -> str:
        return self.evidence or self.reason


def decision_of(entry: LedgerEntry) -> Decision:
    body = ledger.facts_in(entry)
    return Decision(entry, reason=str(body.get("reason") or ""), evidence=str(body.get("evidence") or ""))


def decisions_of(operations: Iterable[Operation]) -> dict[UUID, list[Decision]]:
    """By the key of the operation, oldest first. One query, and none for no operations."""
    found: dict[UUID, list[Decision]] = {operation.pk: [] for operation in operations}
    entries = LedgerEntry.objects.filter(operation__in=list(found), action__in=list(_VERBS))
    for entry in entries.select_related("actor").order_by("pk"):
        if entry.operation_id is not None:
            found[entry.operation_id].append(decision_of(entry))
    return found
