"""The corrections of a call as their steps in the ledger tell of them: where each stood, and what each try came to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from recordings.choices import (
    FINAL_STATUSES,
    AttemptOutcome,
    LedgerAction,
    Look,
    OperationStatus,
    RecordingStatus,
    look,
)
from recordings.exports.known.steps import Step, grouped


@dataclass(frozen=True)
class KnownTry:
    """One try at the wire; without an answer none had been stored."""

    sent: Step
    answered: Step | None

    @property
    def number(self) -> str:
        return self.sent.text("attempt")

    @property
    def is_repeat(self) -> bool:
        return self.sent.body.get("is_repeat") is True

    @property
    def shown(self) -> Look | None:
        return look(AttemptOutcome, self.answered.text("outcome")) if self.answered else None

    def answer(self, name: str) -> str:
        return self.answered.text(name) if self.answered else ""


@dataclass(frozen=True)
class KnownCorrection:
    """One operation, told by its steps: the first is the wish, the last says where it stood."""

    key: str
    steps: Sequence[Step]

    @property
    def wish(self) -> Step:
        return self.steps[0]

    @property
    def requested_status(self) -> str:
        return self.wish.text("requested_status")

    @property
    def wish_look(self) -> Look:
        return look(RecordingStatus, self.requested_status)

    @property
    def status(self) -> str:
        return next(step.text("status") for step in reversed(self.steps) if step.text("status"))

    @property
    def status_look(self) -> Look:
        return look(OperationStatus, self.status)

    @property
    def requested_at(self) -> datetime:
        return self.wish.occurred_at

    @property
    def sent_at(self) -> datetime | None:
        return next((step.occurred_at for step in self._of(LedgerAction.CORRECTION_SENT)), None)

    @property
    def finished_at(self) -> datetime | None:
        """When its end was written down: the first step with the status that it has, if that is an end."""
        if self.status not in FINAL_STATUSES:
            return None
        return next(step.recorded_at for step in self.steps if step.text("status") == self.status)

    @property
    def graph_operation_id(self) -> str:
        return self._last("graph_operation_id")

    @property
    def client_context(self) -> str:
        """What Graph was given; nothing while nothing was sent."""
        return self.wish.text("client_context") if self.sent_at else ""

    @property
    def result_code(self) -> str:
        return self._last("result_code")

    @property
    def result_message(self) -> str:
        return self._last("result_message")

    @property
    def tries(self) -> list[KnownTry]:
        answers = {step.text("attempt"): step for step in self._of(LedgerAction.CORRECTION_ANSWERED)}
        return [KnownTry(sent, answers.get(sent.text("attempt"))) for sent in self._of(LedgerAction.CORRECTION_SENT)]

    def _of(self, action: LedgerAction) -> list[Step]:
        return [step for step in self.steps if step.action == action]

    def _last(self, name: str) -> str:
        return next((step.text(name) for step in reversed(self.steps) if step.text(name)), "")


def corrections_of(steps: Iterable[Step]) -> list[KnownCorrection]:
    """The oldest wish first. A change that a correction made is no step of it; a refused wish is no correction."""
    asked = (step for step in steps if step.action.startswith("correction."))
    groups = grouped(asked, "operation")
    return [KnownCorrection(key, group) for key, group in groups.items() if group[0].text("requested_status")]
