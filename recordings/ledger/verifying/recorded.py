"""The records of some calls, in the words of the entries about them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from uuid import UUID

from recordings.ledger.canonical import timestamp
from recordings.ledger.verifying.pairs import Facts
from recordings.models import Attempt, AttemptResult, Call, Operation, StatusChange


class Calls(NamedTuple):
    """Which calls: those whose keys are in a list, or in a range, which the database is told in two words."""

    lookup: Literal["in", "range"]
    keys: Sequence[int]

    def filters(self, path: str) -> dict[str, Any]:
        return {f"{path}__{self.lookup}": self.keys}


# A correction's key, and the number of a try of it.
type Try = tuple[UUID, int]


@dataclass
class Recorded:
    """The records of one call: of each what its entry must say."""

    changes: dict[UUID, Facts] = field(default_factory=dict)
    wishes: dict[UUID, Facts] = field(default_factory=dict)
    approvals: dict[UUID, Facts] = field(default_factory=dict)
    tries: dict[Try, Facts] = field(default_factory=dict)
    results: dict[Try, Facts] = field(default_factory=dict)
    statuses: dict[UUID, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return len(self.changes) + len(self.wishes) + len(self.tries) + len(self.results)


def recorded(calls: Calls) -> dict[int, Recorded]:
    """By the call; calls without records are left out. Five queries."""
    graph_ids = dict(Call.objects.filter(**calls.filters("pk")).values_list("pk", "graph_id"))
    found: dict[int, Recorded] = defaultdict(Recorded)
    _take_changes(found, calls, graph_ids)
    _take_operations(found, calls)
    _take_attempts(found, calls)
    _take_results(found, calls)
    return found


# A model's columns, and after them the words of the entry for them, in the same order.
_CHANGE_COLUMNS = ("field", "old", "new", "source", "actor_id", "reason", "operation_id", "occurred_at", "recorded_at")
_CHANGE_WORDS = ("field", "old", "new", "source", "actor", "reason", "operation", "occurred_at", "recorded_at", "call")


def _take_changes(found: dict[int, Recorded], calls: Calls, graph_ids: Mapping[int, str]) -> None:
    """The most records there are, so without an object for each row."""
    rows = StatusChange.objects.filter(**calls.filters("call__pk")).values_list("call_id", "pk", *_CHANGE_COLUMNS)
    for call, key, *values, operation, occurred_at, recorded_at in rows:
        moments = timestamp(occurred_at), timestamp(recorded_at)
        said = (*values, operation and str(operation), *moments, graph_ids.get(call))
        found[call].changes[key] = dict(zip(_CHANGE_WORDS, said, strict=True))


def _take_operations(found: dict[int, Recorded], calls: Calls) -> None:
    for row in Operation.objects.filter(**calls.filters("call__pk")).select_related("call"):
        mine = found[row.call_id]
        mine.statuses[row.pk] = row.status
        mine.wishes[row.pk] = {
            "call": row.call.graph_id,
            "client_context": row.client_context,
            "requested_status": row.requested_status,
            "reason": row.reason,
            "actor": row.requested_by_id,
            "recorded_at": timestamp(row.requested_at),
        }
        if row.approved_at:
            mine.approvals[row.pk] = {
                "actor": row.approved_by_id,
                "evidence": row.evidence,
                "recorded_at": timestamp(row.approved_at),
            }


def _take_attempts(found: dict[int, Recorded], calls: Calls) -> None:
    rows = Attempt.objects.filter(**calls.filters("operation__call__pk"))
    for call, operation, number, request, is_repeat, started_at in rows.values_list(
        "operation__call_id", "operation_id", "number", "client_request_id", "is_repeat", "started_at"
    ):
        found[call].tries[operation, number] = {
            "client_request_id": str(request),
            "is_repeat": is_repeat,
            "recorded_at": timestamp(started_at),
        }


def _take_results(found: dict[int, Recorded], calls: Calls) -> None:
    for row in AttemptResult.objects.filter(**calls.filters("attempt__operation__call__pk")).select_related(
        "attempt__operation"
    ):
        attempt = row.attempt
        found[attempt.operation.call_id].results[attempt.operation_id, attempt.number] = {
            "client_request_id": str(attempt.client_request_id),
            "outcome": row.outcome,
            "http_status": row.http_status,
            "error_code": row.error_code,
            "message": row.message,
            "request_id": row.request_id,
            "graph_operation_id": row.graph_operation_id,
            "graph_status": row.graph_status,
            "recorded_at": timestamp(row.recorded_at),
        }
