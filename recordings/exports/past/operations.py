"""Corrections as of a moment: where each stood by its steps in the ledger."""

from collections.abc import Sequence
from datetime import datetime

from recordings.choices import LedgerAction, OperationStatus
from recordings.exports import known
from recordings.exports.known import KnownCorrection, Step
from recordings.exports.past.folding import Facts, Kind, past_sheet, told
from recordings.exports.sheet import Column, Sheet

_COLUMNS = (
    Column("operation_id", "On Record's id of the correction; ids grow with time.", lambda operation: operation.pk),
    told("call_id", "Microsoft Graph's id of the call."),
    told("call_chain_id", "Graph's id that all legs of one conversation share."),
    told("tenant_id", "The Microsoft Entra tenant of the call."),
    told("requested_status", "What Teams was to be told."),
    told("operation_status", "Where the correction stood."),
    told("graph_operation_id", "Graph's id of the correction; empty before Graph gave one."),
    told("client_context", "What Graph was given to recognise the correction by, or was to be."),
    told("result_code", "The last code that Graph had given."),
    told("result_message", "Graph's last message, or ours where nothing was sent."),
    told("requested_by_kind", "Who asked: person or shell."),
    told("requested_by", "The name the requester had when it was asked for."),
    told("requested_at", "When it was asked for."),
    told("reason", "The reason that was given."),
    told("needs_approval_why", "Why a second person was asked; empty if none was needed."),
    told("approved_by", "The name the approver had then."),
    told("approved_at", "When it was approved."),
    told("evidence", "What the approver gave as evidence."),
    told("sent_at", "When the first try at Graph began."),
    told("finished_at", "When the outcome was final."),
    told("attempts", "How many tries there had been at Graph."),
    told("repeats", "How many of them people may have heard before."),
    told("request_ids", "Graph's request ids of the tries, with spaces between."),
)


def operations_as_of(at: datetime) -> Sheet:
    return past_sheet("operations", _COLUMNS, kind=Kind("operation", lambda one: str(one.pk), _told), at=at)


def _told(steps: Sequence[Step]) -> Facts:
    one = next(iter(known.corrections_of(steps)), None)
    if one is None:
        return {}
    return {
        "call_id": one.wish.text("call"),
        "call_chain_id": one.steps[-1].text("call_chain_id"),
        "tenant_id": one.steps[-1].text("tenant_id"),
        "requested_status": one.requested_status,
        "operation_status": one.status,
        "graph_operation_id": one.graph_operation_id,
        "client_context": one.wish.text("client_context"),
        "result_code": one.result_code,
        "result_message": one.result_message,
        "requested_by_kind": one.wish.entry.actor.kind,
        "requested_by": one.wish.who,
        "requested_at": one.requested_at,
        "reason": one.wish.text("reason"),
        "needs_approval_why": _why(one),
        "sent_at": one.sent_at,
        "finished_at": one.finished_at,
        **_approval(one),
        **_tries(one),
    }


def _why(one: KnownCorrection) -> str:
    """Of one whose proof grew old, and that went back to approval, the later step says it as its reason."""
    awaiting = [step for step in one.steps[1:] if step.text("status") == OperationStatus.AWAITING_APPROVAL]
    return awaiting[-1].text("reason") if awaiting else one.wish.text("needs_approval_why")


def _approval(one: KnownCorrection) -> Facts:
    approved = [step for step in one.steps if step.action == LedgerAction.CORRECTION_APPROVED]
    if not approved:
        return {}
    last = approved[-1]
    return {"approved_by": last.who, "approved_at": last.recorded_at, "evidence": last.text("evidence")}


def _tries(one: KnownCorrection) -> Facts:
    return {
        "attempts": len(one.tries),
        "repeats": sum(each.is_repeat for each in one.tries),
        "request_ids": " ".join(request for each in one.tries if (request := each.answer("request_id"))),
    }
