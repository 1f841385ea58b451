"""A correction as the pages show it: its tries, what the last of them means, and what a person can do now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from recordings.choices import ON_THE_WIRE, OPEN_OUTCOMES, AttemptOutcome, ChangedField, OperationStatus
from recordings.graph.errors import Explanation, explain
from recordings.models import Attempt, AttemptResult, Operation, StatusChange
from recordings.rules import duration
from recordings.views.decisions import Decision, decisions_of

_NO_ANSWER = explain(None, "")


@dataclass(frozen=True)
class Row:
    """One line of the list: the correction, its tries, and what the last of them means."""

    operation: Operation
    attempts: Sequence[Attempt]
    result: AttemptResult | None
    explanation: Explanation | None
    can_check: bool
    can_close: bool
    can_correct_again: bool
    took: str
    decisions: Sequence[Decision] = ()
    told: StatusChange | None = None

    @property
    def message(self) -> str:
        """The last word about it, unless a decision says the same."""
        words = self.operation.result_message
        return "" if any(decision.reason == words for decision in self.decisions) else words

    @property
    def next_step(self) -> str:
        """What to do. On Record no longer asks about an unresolved one, whatever its last error said."""
        if self.operation.status == OperationStatus.UNRESOLVED:
            return "Nobody could find out more. Look at the call and decide what is right."
        return self.explanation.next_step if self.explanation else ""

    @property
    def retry_words(self) -> str:
        """Said of failed ones only: while an outcome is open, trying again is On Record's own business."""
        if self.explanation is None or self.operation.status != OperationStatus.FAILED:
            return ""
        return "Trying again can work." if self.explanation.retry_can_work else "Trying again cannot work."


def with_attempts(operations: QuerySet[Operation]) -> QuerySet[Operation]:
    """Everything a row shows, in two queries however many rows there are."""
    attempts = Prefetch("attempts", Attempt.objects.select_related("result").order_by("number"))
    return operations.select_related("call", "requested_by", "approved_by").prefetch_related(attempts)


def rows_of(operations: Sequence[Operation], *, now: datetime) -> list[Row]:
    """A page's rows, with who decided about each and what Teams was told before it: two queries for all of them."""
    decisions, told = decisions_of(operations), _told_by(operations)
    return [
        replace(row_of(operation, now=now), decisions=decisions[operation.pk], told=told.get(operation.pk))
        for operation in operations
    ]


def _told_by(operations: Iterable[Operation]) -> dict[UUID, StatusChange]:
    """What Teams was told by each of them that changed it, by the key of the operation."""
    changes = StatusChange.objects.filter(operation__in=operations, field=ChangedField.RECORDING_STATUS)
    return {change.operation_id: change for change in changes.order_by("-pk") if change.operation_id}


def row_of(operation: Operation, *, now: datetime) -> Row:
    attempts = list(operation.attempts.all())
    result = getattr(attempts[-1], "result", None) if attempts else None
    explanation = _explained(operation, result)
    is_left_alone = operation.leased_until is None or operation.leased_until <= now
    failed = operation.status == OperationStatus.FAILED and bool(explanation and explanation.retry_can_work)
    return Row(
        operation=operation,
        attempts=attempts,
        result=result,
        explanation=explanation,
        can_check=is_left_alone and operation.status in ON_THE_WIRE,
        can_close=operation.status in OPEN_OUTCOMES,
        can_correct_again=operation.call.is_live and (failed or operation.status == OperationStatus.UNRESOLVED),
        took=_took(operation, attempts, now=now),
    )


def _took(operation: Operation, attempts: Sequence[Attempt], *, now: datetime) -> str:
    """From its first byte to its end, or to now; nothing where nothing was ever sent."""
    if not attempts:
        return ""
    length = (operation.finished_at or now) - attempts[0].started_at
    words = duration(length) if length >= timedelta(seconds=1) else "under 1 s"
    tries = f", {len(attempts)} tries" if len(attempts) > 1 else ""
    return f"{words}{tries}" if operation.finished_at else f"{words} so far{tries}"


def _explained(operation: Operation, result: AttemptResult | None) -> Explanation | None:
    """What the last word means; None where nothing went wrong, or where `result_message` says all that is known."""
    if operation.status == OperationStatus.COMPLETED:
        return None
    if result and result.outcome != AttemptOutcome.ACCEPTED:
        return explain(result.http_status, result.error_code)
    if operation.result_code:
        code, subcode = _number(operation.result_code), _number(operation.result_subcode)
        found = explain(code, operation.result_code, subcode)
        return None if found == _NO_ANSWER else found
    return _NO_ANSWER if operation.status == OperationStatus.UNKNOWN else None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None
