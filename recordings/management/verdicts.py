"""What became of a correction, for scripts: an exit code, a word, a sentence and the facts."""

from dataclasses import dataclass, field
from enum import IntEnum

from recordings.choices import AttemptOutcome, OperationStatus
from recordings.graph.errors import Explanation, explain, explain_result
from recordings.models import AttemptResult, Operation

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
    facts = _facts_of(operation)
    status = OperationStatus(operation.status)
    if status == _S.COMPLETED:
        sentence = f"Teams was told {operation.requested_status}, and Microsoft confirmed it."
        return Verdict(Exit.COMPLETED, "completed", sentence, facts)
    if status == _S.AWAITING_APPROVAL:
        why = operation.needs_approval_why
        sentence = f"It waits for a second person: {why}"
        return Verdict(Exit.WAITING_FOR_APPROVAL, "waitingForApproval", sentence, {**facts, "why": why})
    if status == _S.FAILED:
        return _failed(operation, facts)
    if status in _OPEN:
        outcome, sentence = _OPEN[status]
        return Verdict(Exit.UNKNOWN, outcome, f"{sentence} {operation.result_message}".strip(), facts)
    why = operation.result_message or operation.status_look.label
    return Verdict(Exit.REFUSED_BY_US, "refusedByOnRecord", f"On Record refused: {why}", {**facts, "why": why})


def _failed(operation: Operation, facts: dict[str, Fact]) -> Verdict:
    result = _last_result(operation)
    explained = _explained(operation, result)
    said = operation.result_message or (result.message if result else "")
    code = (result.error_code if result else "") or operation.result_code
    request_id = result.request_id if result else ""
    words = [f"Microsoft refused: {explained.title}.", explained.meaning, explained.next_step]
    words += [f"Code {code}." if code else "", f"Request id {request_id}." if request_id else ""]
    more: dict[str, Fact] = {
        "code": code,
        "explanation": explained.meaning,
        "next_step": explained.next_step,
        "said": said,
        "request_id": request_id,
    }
    return Verdict(Exit.REFUSED_BY_GRAPH, "refusedByGraph", " ".join(filter(None, words)), {**facts, **more})


def _explained(operation: Operation, result: AttemptResult | None) -> Explanation:
    """An operation that Graph took and then failed is explained by its result, another one by its error."""
    if result is not None and result.outcome == AttemptOutcome.ACCEPTED:
        return explain_result(_number(operation.result_code), _number(operation.result_subcode))
    if result is None:
        return explain(None, operation.result_code)
    return explain(result.http_status, result.error_code)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _last_result(operation: Operation) -> AttemptResult | None:
    return AttemptResult.objects.filter(attempt__operation=operation).order_by("-attempt__number").first()


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
