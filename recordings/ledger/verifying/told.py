"""What the entries about some calls tell of records."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from recordings.choices import LedgerAction
from recordings.ledger.verifying.pairs import Facts, Told
from recordings.ledger.verifying.recorded import Calls, Try
from recordings.models import AttemptResult, LedgerEntry

_A = LedgerAction
# A refused wish never became a correction.
_STEPS = [action for action in LedgerAction if action.startswith("correction.") and action != _A.CORRECTION_REFUSED]
_LONGEST_STATUS = AttemptResult._meta.get_field("graph_status").max_length


@dataclass
class Ledgered:
    """What the entries about one call tell, by the record they tell of; `statuses` are each correction's steps."""

    changes: dict[UUID, Told] = field(default_factory=dict)
    wishes: dict[UUID, Told] = field(default_factory=dict)
    approvals: dict[UUID, Told] = field(default_factory=dict)
    tries: dict[Try, Told] = field(default_factory=dict)
    results: dict[Try, Told] = field(default_factory=dict)
    statuses: dict[UUID, list[Told]] = field(default_factory=lambda: defaultdict(list))

    def take(self, entry: UUID, facts: dict[str, str]) -> None:
        """Raises KeyError and ValueError for a body that lacks what its action says."""
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
        if facts["status"] and facts["recorded_at"]:
            self.statuses[operation].append(told)


def _as_kept(facts: dict[str, str]) -> Facts:
    """The column keeps so much of Graph's own word, and the entry all of it."""
    return facts | {"graph_status": facts["graph_status"][:_LONGEST_STATUS]}


def ledgered(calls: Calls) -> dict[int, Ledgered]:
    """By the call. A body that cannot be understood is passed over here: as an entry it sounds an alarm of its own."""
    found: dict[int, Ledgered] = defaultdict(Ledgered)
    entries = LedgerEntry.objects.filter(**calls.filters("call__pk"), action__in=[_A.STATUS_CHANGED, *_STEPS]).order_by(
        "pk"
    )
    for call, key, body in entries.values_list("call_id", "pk", "body"):
        try:
            found[call].take(key, json.loads(body))
        except (KeyError, ValueError, TypeError, AttributeError):
            continue
    return found
