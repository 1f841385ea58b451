"""The entries about one call as steps, and which of them were known at a moment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from recordings.choices import HISTORY_ACTIONS, LedgerAction, Look
from recordings.exports.readable import Fact, facts_of
from recordings.models import Call, LedgerEntry


@dataclass(frozen=True)
class Step:
    """One entry, with the facts of the bytes that are hashed. Everything but the actor's name is read from them."""

    entry: LedgerEntry
    body: Mapping[str, Fact]

    @property
    def action(self) -> str:
        return self.text("action")

    @property
    def look(self) -> Look:
        return self.entry.action_look

    @property
    def who(self) -> str:
        """The name the actor had then, unless it was erased since."""
        return self.entry.actor.label

    @property
    def occurred_at(self) -> datetime:
        return datetime.fromisoformat(self.text("occurred_at"))

    @property
    def recorded_at(self) -> datetime:
        return datetime.fromisoformat(self.text("recorded_at"))

    def text(self, name: str) -> str:
        """The fact as text; empty where the entry says nothing of it."""
        value = self.body.get(name)
        return "" if value is None else str(value)

    def at(self, name: str) -> datetime | None:
        return datetime.fromisoformat(self.text(name)) if self.text(name) else None

    def number(self, name: str) -> int | None:
        value = self.body.get(name)
        return value if isinstance(value, int) else None


@dataclass(frozen=True)
class AsOf:
    """The steps by what was known at the moment `at` (aware UTC).

    Known is what was recorded until then. What was recorded after it, but had happened by then, arrived later. What
    happened after it as well is left out.
    """

    at: datetime
    known: tuple[Step, ...]
    late: tuple[Step, ...]


def entries_about(call: Call) -> QuerySet[LedgerEntry]:
    """The history of one call, in the order of the ledger: its changes, corrections and findings. Who read it, and
    who took it out, is not part of it."""
    actions = list(HISTORY_ACTIONS)
    return LedgerEntry.objects.filter(call=call, action__in=actions).select_related("actor").order_by("pk")


def is_about(step: Step, call: Call) -> bool:
    """Whether the entry itself names the call. Its column is a copy, which somebody may have altered."""
    return step.text("call") == call.graph_id


def steps_of(entries: Iterable[LedgerEntry]) -> tuple[Step, ...]:
    """Raises Unreadable, naming the first entry that is not: how something stood cannot be told without each step."""
    return tuple(Step(entry, facts_of(entry)) for entry in entries)


def steps_as_of(steps: Iterable[Step], at: datetime) -> AsOf:
    known, late = [], []
    for step in steps:
        if step.recorded_at <= at:
            known.append(step)
        elif step.occurred_at <= at:
            late.append(step)
    return AsOf(at, tuple(known), tuple(late))


def of_action(steps: Iterable[Step], action: LedgerAction) -> list[Step]:
    return [step for step in steps if step.action == action]


def grouped(steps: Iterable[Step], name: str) -> dict[str, Sequence[Step]]:
    """By the key that this fact names, in the order of the first step of each; steps without it are left out."""
    groups: dict[str, list[Step]] = {}
    for step in steps:
        if key := step.text(name):
            groups.setdefault(key, []).append(step)
    return {key: tuple(group) for key, group in groups.items()}
