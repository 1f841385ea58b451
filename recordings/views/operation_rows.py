"""A correction as the pages show it: its tries, what the last of them means, and what a person can do now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from recordings.choices import ON_THE_WIRE, OPEN_OUTCOMES, ChangedField
from recordings.graph.errors import Explainer
from recordings.models import Attempt, AttemptResult, Operation, StatusChange
from recordings.rules import duration
from recordings.views.decisions import Decision, decisions_of


@dataclass(frozen=True)
class Row:
    """One line of the list: the correction, its tries, and what the last of them means."""

    operation: Operation
    attempts: Sequence[Attempt]
    result: AttemptResult | None
    explained: Explainer | None
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
    explained = operation.explained()
    is_left_alone = operation.leased_until is None or operation.leased_until <= now
    attempts = list(operation.attempts.all())
    return Row(
        operation=operation,
        attempts=attempts,
        result=operation.last_result,
        explained=explained,
        can_check=is_left_alone and operation.status in ON_THE_WIRE,
        can_close=operation.status in OPEN_OUTCOMES,
        can_correct_again=bool(explained and explained.says_retry and explained.retry_can_work),
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
