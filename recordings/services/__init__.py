"""The use cases that cross borders: ask, approve, send, settle, attest. The only room that calls Graph."""

from recordings.permissions import NotAllowed
from recordings.services.attesting import CannotAttest, attest
from recordings.services.corrections import (
    CorrectionRefused,
    approve,
    close_as_unresolved,
    decline,
    expire_approvals,
    request_correction,
)
from recordings.services.reading import Reading, read_call
from recordings.services.requester import Requester
from recordings.services.sending import send_due, send_operation
from recordings.services.settling import settle_due, settle_unknown
from recordings.services.tokens import disable_recorder, issue_token, rotate_token

__all__ = [
    "CannotAttest",
    "CorrectionRefused",
    "NotAllowed",
    "Reading",
    "Requester",
    "approve",
    "attest",
    "close_as_unresolved",
    "decline",
    "disable_recorder",
    "expire_approvals",
    "issue_token",
    "read_call",
    "request_correction",
    "rotate_token",
    "send_due",
    "send_operation",
    "settle_due",
    "settle_unknown",
]
