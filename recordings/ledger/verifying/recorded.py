"""The records of some calls, in the words of the entries about them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from uuid import UUID

from recordings.ledger.verifying.pairs import Facts
from recordings.ledger.verifying.reading import rows_of, written
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
    """By the call; calls without records are left out. Six queries."""
    graph_ids = dict(Call.objects.filter(**calls.filters("pk")).values_list("pk", "graph_id"))
    found: dict[int, Recorded] = defaultdict(Recorded)
    _take_changes(found, calls, graph_ids)
    _take_operations(found, calls, graph_ids)
    _take_attempts(found, calls)
    _take_results(found, calls)
    return found


# A model's columns, and after them the words of the entry for them, in the same order.
_CHANGE_COLUMNS = ("field", "old", "new", "source", "actor_id", "reason", "operation_id", "occurred_at", "recorded_at")
_CHANGE_WORDS = ("field", "old", "new", "source", "actor", "reason", "operation", "occurred_at", "recorded_at", "call")


def _take_changes(found: dict[int, Recorded], calls: Calls, graph_ids: Mapping[int, str]) -> None:
    """The most records there are, so without an object for each row."""
    rows = rows_of(StatusChange.objects.filter(**calls.filters("call__pk")), "call_id", "pk", *_CHANGE_COLUMNS)
    for call, key, *values, operation, occurred_at, recorded_at in rows:
        moments = written(occurred_at), written(recorded_at)
        said = (*values, operation and str(operation), *moments, graph_ids.get(call))
        found[call].changes[key] = dict(zip(_CHANGE_WORDS, said, strict=True))


_WISH_COLUMNS = ("client_context", "requested_status", "reason", "requested_by_id", "requested_at")
_WISH_WORDS = ("client_context", "requested_status", "reason", "actor", "recorded_at", "call")
_APPROVAL_COLUMNS = ("approved_by_id", "evidence", "approved_at")
_APPROVAL_WORDS = ("actor", "evidence", "recorded_at")


def _take_operations(found: dict[int, Recorded], calls: Calls, graph_ids: Mapping[int, str]) -> None:
    rows = Operation.objects.filter(**calls.filters("call__pk"))
    for call, key, status, *wish, requested_at in rows_of(rows, "call_id", "pk", "status", *_WISH_COLUMNS):
        said = (*wish, written(requested_at), graph_ids.get(call))
        found[call].statuses[key] = status
        found[call].wishes[key] = dict(zip(_WISH_WORDS, said, strict=True))
    approved = rows.filter(approved_at__isnull=False)
    for call, key, *approval, approved_at in rows_of(approved, "call_id", "pk", *_APPROVAL_COLUMNS):
        found[call].approvals[key] = dict(zip(_APPROVAL_WORDS, (*approval, written(approved_at)), strict=True))


_TRY_COLUMNS = ("client_request_id", "is_repeat", "started_at")
_TRY_WORDS = ("client_request_id", "is_repeat", "recorded_at")


def _take_attempts(found: dict[int, Recorded], calls: Calls) -> None:
    rows = Attempt.objects.filter(**calls.filters("operation__call__pk"))
    for call, operation, number, request, is_repeat, at in rows_of(
        rows, "operation__call_id", "operation_id", "number", *_TRY_COLUMNS
    ):
        said = (str(request), is_repeat, written(at))
        found[call].tries[operation, number] = dict(zip(_TRY_WORDS, said, strict=True))


_RESULT_WORDS = (
    "outcome",
    "http_status",
    "error_code",
    "message",
    "request_id",
    "graph_operation_id",
    "graph_status",
    "recorded_at",
)
_OF_TRY = ("attempt__operation__call_id", "attempt__operation_id", "attempt__number", "attempt__client_request_id")


def _take_results(found: dict[int, Recorded], calls: Calls) -> None:
    rows = AttemptResult.objects.filter(**calls.filters("attempt__operation__call__pk"))
    for call, operation, number, request, *values, recorded_at in rows_of(rows, *_OF_TRY, *_RESULT_WORDS):
        said = dict(zip(_RESULT_WORDS, (*values, written(recorded_at)), strict=True))
        found[call].results[operation, number] = {"client_request_id": str(request), **said}
