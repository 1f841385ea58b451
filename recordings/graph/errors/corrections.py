"""What became of a correction, in words: what it means, what to do next, and whether a retry can work.

The one place that says it, for pages, messages and commands. Plain values in, words out.
"""

from dataclasses import dataclass, replace

from recordings.choices import FINAL_STATUSES, ON_THE_WIRE, AttemptOutcome, OperationStatus
from recordings.graph.errors.explanations import Explanation, explain, explain_operation_result

_S = OperationStatus


@dataclass(frozen=True)
class CorrectionFacts:
    """Where a correction stands. `outcome`, `http_status` and `error_code` are those of its last try, empty before it;
    `result_code` and `result_subcode` are the last word on it, from a try, a notification or On Record itself."""

    status: str
    outcome: str = ""
    http_status: int | None = None
    error_code: str = ""
    result_code: str = ""
    result_subcode: str = ""
    is_call_over: bool = False


@dataclass(frozen=True)
class Explainer:
    """What a page shows beside a correction that did not simply succeed. `answer` is what came back, in figures."""

    answer: str
    title: str
    meaning: str
    next_step: str
    retry_can_work: bool
    says_retry: bool

    @property
    def retry_words(self) -> str:
        """Empty where trying again is On Record's own business, or where people decided and nothing went wrong."""
        if not self.says_retry:
            return ""
        return "Trying again can work." if self.retry_can_work else "Trying again cannot work."


def explain_correction(facts: CorrectionFacts) -> Explainer | None:
    """The words for a correction as it stands; None where nothing went wrong, or no answer is known yet."""
    found, answer = _found(facts)
    if found is None:
        return None
    is_too_late = facts.is_call_over and facts.status in FINAL_STATUSES
    if is_too_late and (found.retry_can_work or facts.status in _ENDS):
        found = replace(found, next_step=_OVER, retry_can_work=False)
    return Explainer(
        answer=answer,
        title=found.title,
        meaning=found.meaning,
        next_step=found.next_step,
        retry_can_work=found.retry_can_work,
        says_retry=facts.status in (_S.FAILED, _S.EXPIRED, _S.UNRESOLVED),
    )


def explain_try(outcome: str, http_status: int | None, error_code: str) -> Explanation | None:
    """The words for what one try came to; None where Graph took it, or nothing is stored."""
    if outcome in ("", AttemptOutcome.ACCEPTED):
        return None
    found = explain(http_status, error_code)
    return _perhaps(found) if outcome == AttemptOutcome.UNKNOWN else found


def _found(facts: CorrectionFacts) -> tuple[Explanation | None, str]:
    """The words, and the figures they were found by."""
    tried = _figures(facts.http_status, facts.error_code)
    if facts.status == _S.FAILED:
        return _failed(facts, tried)
    if facts.status == _S.UNRESOLVED:
        return _unresolved(facts), tried
    if facts.status in (_S.PENDING, *ON_THE_WIRE):
        return _open(facts), tried
    return _ENDS.get(facts.status), ""


def _failed(facts: CorrectionFacts, tried: str) -> tuple[Explanation, str]:
    """By whoever spoke last: Graph on the operation it had taken, the try that was refused, or On Record."""
    is_of_try = facts.outcome != "" and facts.result_code == facts.error_code[:32]
    is_of_graph = facts.outcome == AttemptOutcome.REFUSED and not is_of_try
    if is_of_graph or facts.outcome in (AttemptOutcome.ACCEPTED, AttemptOutcome.UNKNOWN):
        code, subcode = _number(facts.result_code), _number(facts.result_subcode)
        return explain_operation_result(code, subcode), _figures(code, facts.result_subcode)
    if is_of_try:
        return _given_up(explain(facts.http_status, facts.error_code), facts.outcome), tried
    if not facts.result_code:
        return _NOT_SENT, ""
    status = _number(facts.result_code)
    found = explain(status, facts.result_code)
    return _given_up(found, AttemptOutcome.NOT_SENT), _figures(None, facts.result_code)


def _given_up(found: Explanation, outcome: str) -> Explanation:
    """A passing trouble that lasted until On Record stopped trying."""
    if outcome == AttemptOutcome.REFUSED or not found.retry_can_work:
        return found
    return replace(found, next_step=f"{_NO_LONGER} {found.next_step}")


def _unresolved(facts: CorrectionFacts) -> Explanation:
    words, last = _ENDS[_S.UNRESOLVED], explain_try(facts.outcome, facts.http_status, facts.error_code)
    if last is None:
        return words
    return replace(words, meaning=f"{words.meaning} The last try: {last.title}.", retry_can_work=last.retry_can_work)


def _open(facts: CorrectionFacts) -> Explanation | None:
    """While it is open the next step is On Record's own, whatever the last try met."""
    found = explain_try(facts.outcome, facts.http_status, facts.error_code)
    if found is None:
        found = _perhaps(explain(None, "")) if facts.status == _S.UNKNOWN else None
    if found is None:
        return None
    tries_again = f"{_TRIES_AGAIN} {found.next_step}"
    return replace(found, next_step=tries_again if facts.status == _S.PENDING else _SETTLES)


def _perhaps(found: Explanation) -> Explanation:
    return replace(found, meaning=f"{found.meaning} Microsoft may have acted or not.")


def _figures(status: int | None, code: str) -> str:
    """What to quote to Microsoft; our own words for what never came back, such as "reset", are no figures."""
    is_ours = code.isalpha() and code.islower()
    return " · ".join(filter(None, (str(status or ""), f"code {code}" if code and not is_ours else "")))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


_SETTLES = "Nothing to do yet: On Record asks Microsoft what became of it and repeats it only if that is safe."
_TRIES_AGAIN = "Nothing to do yet: On Record tries again by itself."
_NO_LONGER = "On Record has stopped trying: if the status is still wrong, correct it once more."
_OVER = "The call is over, so Teams cannot be told any more. If a finding is still open, attest what happened."
_NOT_SENT = Explanation(
    "Nothing was sent", "On Record could not make sure of the call first, so nothing was sent.", _NO_LONGER, True
)
_ENDS: dict[str, Explanation] = {
    _S.UNRESOLVED: Explanation(
        "Not known whether Teams was told",
        "No clear answer came, and nobody could find out more.",
        "Look at the call and decide what is right. People on the call may hear the notice again.",
        True,
    ),
    _S.DECLINED: Explanation(
        "Declined by the second person",
        "An approver said no, so nothing was sent.",
        "Read the reason. If the status is still wrong, ask again with evidence that answers it.",
        False,
    ),
    _S.EXPIRED: Explanation(
        "Nobody approved it in time",
        "A second person had to approve it, and the time for that has passed. Nothing was sent.",
        "If the status is still wrong, ask for it again and tell an approver.",
        True,
    ),
    _S.CANCELLED: Explanation(
        "Taken back before Teams was told",
        "The facts turned against it, or another correction took its place. Teams was not told.",
        "Look at the call: if the status is still wrong, correct it anew.",
        False,
    ),
}
