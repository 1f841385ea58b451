"""What became of a correction, for scripts: an exit code, a word, a sentence and the facts."""

from dataclasses import dataclass, field
from enum import IntEnum

from recordings.choices import OperationStatus
from recordings.graph.errors import Explainer
from recordings.models import Operation

type Fact = str | int | bool | None


class Exit(IntEnum):
    """The exit codes of correct_status. 1 and 2 are those of any command: an error, and bad usage."""

    COMPLETED = 0
    UNKNOWN = 3
    REFUSED_BY_US = 4
    REFUSED_BY_GRAPH = 5
    WAITING_FOR_APPROVAL = 6


@dataclass(frozen=True)
class Verdict:
    code: Exit
    outcome: str
    sentence: str
    facts: dict[str, Fact] = field(default_factory=dict)

    def as_json(self) -> dict[str, Fact]:
        return {"outcome": self.outcome, "exit_code": int(self.code), "message": self.sentence, **self.facts}


_S = OperationStatus

_OPEN = {
    _S.PENDING: ("notSent", "Nothing was sent yet; the worker tries again by itself."),
    _S.SENT: ("onTheWire", "It was sent, and the answer is still to come. On Record goes on asking."),
    _S.NOT_STARTED: ("onTheWire", "Microsoft took it and has not begun. On Record goes on asking."),
    _S.RUNNING: ("onTheWire", "Microsoft took it and is not done. On Record goes on asking."),
    _S.UNKNOWN: (
        "unknown",
        "It was sent, but no clear answer came: Teams may have been told or not. Do not send it again.",
    ),
    _S.UNRESOLVED: ("unresolved", "It could not be found out whether Teams was told. A person has to decide."),
}


def refused_by_us(why: str) -> Verdict:
    return Verdict(Exit.REFUSED_BY_US, "refusedByOnRecord", f"On Record refused: {why}", {"why": why})


def verdict_of(operation: Operation) -> Verdict:
    """The verdict on an operation as it stands now."""
    explained = operation.explained()
    facts = _facts_of(operation) | _explained_facts(explained)
    status = OperationStatus(operation.status)
    if status == _S.COMPLETED:
        sentence = f"Teams was told {operation.requested_status}, and Microsoft confirmed it."
        return Verdict(Exit.COMPLETED, "completed", sentence, facts)
    if status == _S.AWAITING_APPROVAL:
        why = operation.needs_approval_why
        sentence = f"It waits for a second person: {why}"
        return Verdict(Exit.WAITING_FOR_APPROVAL, "waitingForApproval", sentence, {**facts, "why": why})
    if status == _S.FAILED and explained:
        return _failed(operation, explained, facts)
    if status in _OPEN:
        outcome, sentence = _OPEN[status]
        return Verdict(Exit.UNKNOWN, outcome, f"{sentence} {operation.result_message}".strip(), facts)
    why = operation.result_message or operation.status_look.label
    return Verdict(Exit.REFUSED_BY_US, "refusedByOnRecord", f"On Record refused: {why}", {**facts, "why": why})


def _failed(operation: Operation, explained: Explainer, facts: dict[str, Fact]) -> Verdict:
    """Refused by Microsoft, or never sent; either way Teams was not told, and both are one exit code."""
    result = operation.last_result
    request_id = result.request_id if result else ""
    more: dict[str, Fact] = {
        "code": operation.result_code or (result.error_code if result else ""),
        "said": operation.result_message or (result.message if result else ""),
        "request_id": request_id,
    }
    words = [f"Teams was not told. {explained.title}.", explained.meaning, explained.next_step, explained.retry_words]
    words += [f"Code {more['code']}." if more["code"] else "", f"Request id {request_id}." if request_id else ""]
    return Verdict(Exit.REFUSED_BY_GRAPH, "refusedByGraph", " ".join(filter(None, words)), {**facts, **more})


def _explained_facts(explained: Explainer | None) -> dict[str, Fact]:
    if explained is None:
        return {}
    words: dict[str, Fact] = {"explanation": explained.meaning, "next_step": explained.next_step}
    return words | ({"retry_can_work": explained.retry_can_work} if explained.says_retry else {})


def _facts_of(operation: Operation) -> dict[str, Fact]:
    return {
        "call": operation.call.graph_id,
        "requested_status": operation.requested_status,
        "operation": str(operation.pk),
        "operation_status": operation.status,
        "client_context": operation.client_context,
        "graph_operation_id": operation.graph_operation_id,
        "attempts": operation.attempts.count(),
    }
