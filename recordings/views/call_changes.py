"""The changes of one call in the order they happened, each with the place of its entry in the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass

from recordings import ledger
from recordings.choices import LedgerAction, Look
from recordings.models import Call, LedgerEntry, StatusChange

# A call has a handful; this keeps a runaway one from making an endless page. The export has them all.
MOST_CHANGES = 200

_UNSEALED = Look("unsealed", "Not sealed yet", "mute", "seal-open")
_MISSING = Look("missing", "No entry", "bad", "warn")


@dataclass(frozen=True)
class SealedChange:
    """One change, and how its ledger entry stands: sealed under a number, not sealed yet, or missing."""

    change: StatusChange
    seal: Look

    @property
    def is_sealed(self) -> bool:
        return self.seal.value == "sealed"


def changes_of(call: Call) -> list[SealedChange]:
    """Newest first by when they happened; what was heard late stands where it belongs. Two queries."""
    found = StatusChange.objects.filter(call=call).select_related("actor").order_by("-occurred_at", "-id")
    changes = list(found[:MOST_CHANGES])
    seals = _seals(call, changes)
    return [SealedChange(change, seals.get(str(change.pk), _MISSING)) for change in changes]


def _seals(call: Call, changes: Sequence[StatusChange]) -> dict[str, Look]:
    """By the key of the change, which the body of its entry names; both were recorded at the same moment."""
    entries = LedgerEntry.objects.filter(
        call=call, action=LedgerAction.STATUS_CHANGED, recorded_at__in={change.recorded_at for change in changes}
    ).select_related("leaf")
    return {str(ledger.body_of(entry).get("change", "")): _seal_of(entry) for entry in entries}


def _seal_of(entry: LedgerEntry) -> Look:
    leaf = getattr(entry, "leaf", None)
    return Look("sealed", f"Sealed, no. {leaf.index}", "ok", "seal") if leaf else _UNSEALED
