"""The findings on a call as their steps in the ledger tell of them: open or closed, how, and who took care of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from recordings.choices import FINDING_ACTIONS, LedgerAction, Look, Resolution, RootCause, Rule, Severity, look
from recordings.exports.known.steps import Step, grouped

_OPENED = (LedgerAction.FINDING_OPENED, LedgerAction.FINDING_REOPENED)
_CLOSED = (LedgerAction.FINDING_RESOLVED, LedgerAction.FINDING_ATTESTED)


@dataclass(frozen=True)
class KnownFinding:
    """One finding, told by its steps in the order of the ledger."""

    key: str
    steps: Sequence[Step]

    @property
    def rule(self) -> str:
        return self.steps[0].text("rule")

    @property
    def rule_look(self) -> Look:
        return look(Rule, self.rule)

    @property
    def opening(self) -> Step:
        """The latest one: a finding that is opened again is as new."""
        return next(step for step in reversed(self.steps) if step.action in _OPENED)

    @property
    def severity_look(self) -> Look:
        return look(Severity, self.opening.text("severity"))

    @property
    def since_at(self) -> datetime | None:
        return self.opening.at("since_at")

    @property
    def closing(self) -> Step | None:
        """What closed it; None while it is open."""
        return next((step for step in self.since_opening if step.action in _CLOSED), None)

    @property
    def is_open(self) -> bool:
        return self.closing is None

    @property
    def resolution_look(self) -> Look | None:
        return look(Resolution, self.closing.text("resolution")) if self.closing else None

    @property
    def root_cause(self) -> str:
        """In words; empty while nobody named one."""
        named = next((text for step in reversed(self.since_opening) if (text := step.text("root_cause"))), "")
        return look(RootCause, named).label if named else ""

    @property
    def acknowledged(self) -> Step | None:
        acknowledged = (step for step in self.since_opening if step.action == LedgerAction.FINDING_ACKNOWLEDGED)
        return next(acknowledged, None)

    @property
    def since_opening(self) -> Sequence[Step]:
        """Its steps from the latest opening on."""
        return self.steps[self.steps.index(self.opening) :]


def findings_of(steps: Iterable[Step]) -> list[KnownFinding]:
    """In the order in which they were first opened."""
    groups = grouped((step for step in steps if step.action in FINDING_ACTIONS), "finding")
    return [KnownFinding(key, group) for key, group in groups.items() if any(step.action in _OPENED for step in group)]
