"""The changes of one call in the order they happened, each with the place of its entry in the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

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
    entry_id: UUID | None

    @property
    def is_sealed(self) -> bool:
        return self.seal.value == "sealed"


def changes_of(call: Call) -> list[SealedChange]:
    """Newest first by when they happened; what was heard late stands where it belongs. Three queries."""
    found = StatusChange.objects.filter(call=call).select_related("actor").order_by("-occurred_at", "-id")
    changes = list(found[:MOST_CHANGES])
    entries = _entries_of(call, changes)
    places = ledger.places_of(entries.values())
    return [_sealed(change, entries.get(str(change.pk)), places) for change in changes]


def _entries_of(call: Call, changes: Sequence[StatusChange]) -> dict[str, UUID]:
    """By the key of the change, which the body of its entry names; both were recorded at the same moment."""
    entries = LedgerEntry.objects.filter(
        call=call, action=LedgerAction.STATUS_CHANGED, recorded_at__in={change.recorded_at for change in changes}
    )
    return {str(ledger.facts_in(entry).get("change", "")): entry.pk for entry in entries}


def _sealed(change: StatusChange, entry_id: UUID | None, places: Mapping[UUID, int]) -> SealedChange:
    if entry_id is None:
        return SealedChange(change, _MISSING, None)
    index = places.get(entry_id)
    seal = _UNSEALED if index is None else Look("sealed", f"Sealed, no. {index:,}", "ok", "seal")
    return SealedChange(change, seal, entry_id)
