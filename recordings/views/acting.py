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
    _S.FAILED: (messages.ERROR, "Teams was not told. Open the correction to see why and what to do."),
    _S.UNRESOLVED: (
        messages.WARNING,
        "It could not be found out whether Teams was told. Look at the call and decide what is right.",
    ),
    _S.DECLINED: (messages.INFO, "It was declined. Nothing was sent."),
    _S.EXPIRED: (messages.WARNING, "Its time to be approved has passed. Nothing was sent."),
    _S.CANCELLED: (messages.WARNING, "It was cancelled. Nothing was sent."),
}


def requester(request: HttpRequest) -> Requester:
    """The signed-in person; the view's guard has seen to it that there is one."""
    assert isinstance(request.user, User)
    return Requester.at_screen(request.user)


def say_outcome(request: HttpRequest, operation: Operation) -> None:
    """Add the message for where the operation stands now."""
    status = OperationStatus(operation.status)
    if status == OperationStatus.COMPLETED:
        messages.success(request, f"Teams was told “{operation.wish_look.label}”. Microsoft confirmed it.")
        return
    level, words = _WORDS[status]
    holds_why = status in (OperationStatus.PENDING, OperationStatus.FAILED, OperationStatus.CANCELLED)
    why = operation.result_message if holds_why else ""
    messages.add_message(request, level, f"{words} {why}".strip())
