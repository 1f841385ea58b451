"""What the entries about some calls tell of records."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from recordings.choices import LedgerAction
from recordings.ledger.canonical import read
from recordings.ledger.verifying.pairs import Facts, Told
from recordings.ledger.verifying.reading import rows_of
from recordings.ledger.verifying.recorded import Calls, Try
from recordings.models import AttemptResult, LedgerEntry

_A = LedgerAction
# A refused wish never became a correction.
_STEPS = [action for action in LedgerAction if action.startswith("correction.") and action != _A.CORRECTION_REFUSED]
_LONGEST_STATUS = AttemptResult._meta.get_field("graph_status").max_length


class Step(NamedTuple):
    """Where an entry says that a correction stood, and when (aware)."""

    entry: UUID
    status: str
    recorded_at: datetime


@dataclass
class Ledgered:
    """What the entries about one call tell, by the record they tell of; `statuses` are each correction's steps."""

    changes: dict[UUID, Told] = field(default_factory=dict)
    wishes: dict[UUID, Told] = field(default_factory=dict)
    approvals: dict[UUID, Told] = field(default_factory=dict)
    tries: dict[Try, Told] = field(default_factory=dict)
    results: dict[Try, Told] = field(default_factory=dict)
    statuses: dict[UUID, list[Step]] = field(default_factory=lambda: defaultdict(list))

    def take(self, entry: UUID, facts: dict[str, Any]) -> None:
        """Raises KeyError, ValueError, TypeError and AttributeError for a body that lacks what its action says."""
        told, action = Told(entry, facts), facts["action"]
        if action == _A.STATUS_CHANGED:
            self.changes[UUID(facts["change"])] = told
            return
        operation = UUID(facts["operation"])
        if action == _A.CORRECTION_REQUESTED:
            self.wishes[operation] = told
        elif action == _A.CORRECTION_APPROVED:
            self.approvals[operation] = told
        elif action == _A.CORRECTION_SENT:
            self.tries[operation, int(facts["attempt"])] = told
        elif action == _A.CORRECTION_ANSWERED:
            self.results[operation, int(facts["attempt"])] = Told(entry, _as_kept(facts))
        if status := facts["status"]:
            self.statuses[operation].append(Step(entry, str(status), _moment(facts["recorded_at"])))


def _as_kept(facts: dict[str, Any]) -> Facts:
    """The column keeps so much of Graph's own word, and the entry all of it."""
    return facts | {"graph_status": facts["graph_status"][:_LONGEST_STATUS]}


def _moment(text: str) -> datetime:
    """Raises ValueError, also for one that cannot be compared with others."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment


def ledgered(calls: Calls) -> dict[int, Ledgered]:
    """By the call. A body that cannot be understood is passed over here: as an entry it sounds an alarm of its own."""
    found: dict[int, Ledgered] = defaultdict(Ledgered)
    entries = LedgerEntry.objects.filter(**calls.filters("call__pk"), action__in=[_A.STATUS_CHANGED, *_STEPS]).order_by(
        "pk"
    )
    for call, key, body in rows_of(entries, "call_id", "pk", "body"):
        try:
            found[call].take(key, read(body))
        except (KeyError, ValueError, TypeError, AttributeError):
            continue
    return found
