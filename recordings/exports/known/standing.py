"""How a call stood: each of the things kept apart, folded from its changes in the order they were recorded.

A change that was heard late is in the ledger, too, though it changed nothing that stood. It is told from the others by
its moment and by its old value: see `_moves`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from recordings import rules
from recordings.choices import (
    CHANGED_FIELD_WORDS,
    CallState,
    CaptureState,
    ChangedField,
    LedgerAction,
    Look,
    RecordingStatus,
    Source,
    look,
)
from recordings.exports.known.steps import Step, of_action


@dataclass(frozen=True)
class Standing:
    """One value, since when it stood (aware UTC), and by whose word; without a moment nobody had said anything."""

    value: str
    shown: Look
    at: datetime | None = None
    source: str = ""

    @property
    def whose(self) -> str:
        return look(Source, self.source).label if self.source else ""


@dataclass(frozen=True)
class KnownCall:
    state: Standing
    capture: Standing
    told: Standing
    established_at: datetime | None
    ended_at: datetime | None
    gone_at: datetime | None
    is_policy_call: str

    @property
    def over_at(self) -> datetime | None:
        return self.ended_at or self.gone_at


def call_of(steps: Iterable[Step]) -> KnownCall:
    """From steps in the order of the ledger. The times of heartbeats and of words that changed nothing are no steps."""
    changes = of_action(steps, LedgerAction.STATUS_CHANGED)
    return KnownCall(
        state=_stands(ChangedField.STATE, CallState.UNKNOWN, changes),
        capture=_stands(ChangedField.CAPTURE_STATE, CaptureState.UNKNOWN, changes),
        told=_stands(ChangedField.RECORDING_STATUS, RecordingStatus.UNKNOWN, changes),
        established_at=_first(changes, lambda value: rules.is_established(rules.CallFacts(state=value))),
        ended_at=_first(changes, lambda value: value == CallState.TERMINATED),
        gone_at=_gone_at(changes),
        is_policy_call=next((step.text("new") for step in _of(changes, ChangedField.IS_POLICY_CALL)[::-1]), ""),
    )


def _of(changes: Iterable[Step], field: ChangedField) -> list[Step]:
    return [step for step in changes if step.text("field") == field]


def _stands(field: ChangedField, at_first: str, changes: Iterable[Step]) -> Standing:
    words = CHANGED_FIELD_WORDS[field]
    standing = Standing(at_first, look(words, at_first))
    for step in _of(changes, field):
        if _moves(field, standing, step):
            new = step.text("new")
            standing = Standing(new, look(words, new), step.occurred_at, step.text("source"))
    return standing


def _moves(field: ChangedField, standing: Standing, step: Step) -> bool:
    """Whether the change moved what stood: of states one of a higher rank always does (invariant 5).

    Else the later moment counts, and of one and the same moment the word that found what stood.
    """
    is_higher = _is_higher(standing.value, step.text("new")) if field == ChangedField.STATE else None
    if is_higher is not None:
        return is_higher
    if standing.at is None or step.occurred_at > standing.at:
        return True
    return step.occurred_at == standing.at and step.text("old") == standing.value


def _is_higher(old: str, new: str) -> bool | None:
    """Whether the new state ranks above the old one, or below it; None where both rank alike."""
    if old == new:
        return None
    if rules.merged_state(old, new) == old:
        return False
    return True if rules.merged_state(new, old) == new else None


def _first(changes: Iterable[Step], is_meant: Callable[[str], bool]) -> datetime | None:
    """The earliest moment of a state of this kind, whenever it was heard."""
    states = _of(changes, ChangedField.STATE)
    return min((step.occurred_at for step in states if is_meant(step.text("new"))), default=None)


def _gone_at(changes: Iterable[Step]) -> datetime | None:
    """Since when Graph does not find the call; None while it does, or nobody asked."""
    moves = _of(changes, ChangedField.GONE)
    return moves[-1].occurred_at if moves and moves[-1].text("new") == "gone" else None
