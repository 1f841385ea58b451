"""Who acts at the screen, and what became of it, said once."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest

from recordings.choices import OperationStatus
from recordings.models import Operation
from recordings.services import Requester

_S = OperationStatus

_WORDS = {
    _S.AWAITING_APPROVAL: (messages.WARNING, "Nothing was sent yet: a second person has to approve this first."),
    _S.PENDING: (messages.WARNING, "Nothing was sent yet. On Record tries again by itself."),
    _S.SENT: (messages.INFO, "It was sent, and the answer is still to come. On Record goes on asking."),
    _S.NOT_STARTED: (messages.INFO, "Microsoft took it and has not begun. On Record goes on asking."),
    _S.RUNNING: (messages.INFO, "Microsoft took it and is not done. On Record goes on asking."),
    _S.UNKNOWN: (
        messages.WARNING,
        "No clear answer came: Teams may have been told or not. On Record goes on asking; do not send it again.",
    ),
}
_ENDS = {
    _S.FAILED: (messages.ERROR, "Teams was not told."),
    _S.UNRESOLVED: (messages.WARNING, "It could not be found out whether Teams was told."),
    _S.DECLINED: (messages.INFO, "It was declined."),
    _S.EXPIRED: (messages.WARNING, "Its time to be approved has passed."),
    _S.CANCELLED: (messages.WARNING, "It was cancelled."),
}


def person(request: HttpRequest) -> User:
    """The signed-in person; the view's guard has seen to it that there is one."""
    assert isinstance(request.user, User)
    return request.user


def requester(request: HttpRequest) -> Requester:
    """The signed-in person as one who asks for something."""
    return Requester.at_screen(person(request))


def say_outcome(request: HttpRequest, operation: Operation) -> None:
    """Add the message for where the operation stands now; an end that is no success says why and what to do."""
    status = OperationStatus(operation.status)
    if status == OperationStatus.COMPLETED:
        messages.success(request, f"Teams was told “{operation.wish_look.label}”. Microsoft confirmed it.")
        return
    if status in _ENDS:
        level, words = _ENDS[status]
        messages.add_message(request, level, f"{words} {_why(operation)}".strip())
        return
    level, words = _WORDS[status]
    why = operation.result_message if status == OperationStatus.PENDING else ""
    messages.add_message(request, level, f"{words} {why}".strip())


def _why(operation: Operation) -> str:
    """The explainer as one paragraph; what On Record itself refused is said in the words it was refused with."""
    explained = operation.explained()
    if explained is None:
        return operation.result_message
    meaning = explained.meaning
    if operation.status == OperationStatus.CANCELLED:
        meaning = operation.result_message or meaning
    said = f"{explained.title} ({explained.answer}): {meaning}" if explained.answer else meaning
    return " ".join(filter(None, (said, explained.next_step, explained.retry_words)))
