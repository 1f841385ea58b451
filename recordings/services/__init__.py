"""The use cases that cross borders: ask, approve, send, settle, attest. The only room that calls Graph."""

from recordings.permissions import NotAllowed
from recordings.services.attesting import CannotAttest, attest, keep_evidence
from recordings.services.bulk import (
    MOST_CALLS,
    Attestable,
    BulkRefused,
    Group,
    Precheck,
    Progress,
    Selection,
    items_of,
    left_to_attest,
    precheck,
    precheck_attestation,
    progress,
    progress_of,
    retry_failed,
    retryable,
    run_bulk_due,
    start_bulk,
    start_bulk_attestation,
    stop_bulk,
)
from recordings.services.corrections import (
    CorrectionRefused,
    approve,
    close_as_unresolved,
    decline,
    expire_approvals,
    request_correction,
)
from recordings.services.forgetting import (
    Forgotten,
    NotForgotten,
    forget_called,
    forget_user,
    would_forget_called,
    would_forget_user,
)
from recordings.services.handling import (
    NotHandled,
    acknowledge,
    assign,
    comment,
    resolve,
    snooze,
)
from recordings.services.reading import Reading, read_call
from recordings.services.requester import Requester
from recordings.services.sending import send_due, send_operation
from recordings.services.settling import settle_due, settle_unknown
from recordings.services.starting import note_settings
from recordings.services.syncing import Found, Synced, sync
from recordings.services.tokens import disable_recorder, issue_token, rotate_token
from recordings.services.watching import beat
from recordings.services.witnessing import hand_to_witnesses

__all__ = [
    "MOST_CALLS",
    "Attestable",
    "BulkRefused",
    "CannotAttest",
    "CorrectionRefused",
    "Forgotten",
    "Found",
    "Group",
    "NotAllowed",
    "NotForgotten",
    "NotHandled",
    "Precheck",
    "Progress",
    "Reading",
    "Requester",
    "Selection",
    "Synced",
    "acknowledge",
    "approve",
    "assign",
    "attest",
    "beat",
    "close_as_unresolved",
    "comment",
    "decline",
    "disable_recorder",
    "expire_approvals",
    "forget_called",
    "forget_user",
    "hand_to_witnesses",
    "issue_token",
    "items_of",
    "keep_evidence",
    "left_to_attest",
    "note_settings",
    "precheck",
    "precheck_attestation",
    "progress",
    "progress_of",
    "read_call",
    "request_correction",
    "resolve",
    "retry_failed",
    "retryable",
    "rotate_token",
    "run_bulk_due",
    "send_due",
    "send_operation",
    "settle_due",
    "settle_unknown",
    "snooze",
    "start_bulk",
    "start_bulk_attestation",
    "stop_bulk",
    "sync",
    "would_forget_called",
    "would_forget_user",
]
