"""One call with everything known of it, as plain data: the three kept apart, changes, corrections, findings."""

from datetime import datetime
from typing import Any

from recordings import ledger
from recordings.ingest import facts_of
from recordings.models import Attempt, BlindSpot, Call, Finding, Operation, StatusChange
from recordings.models.watch import BlindSpotQuerySet


def portrait(call: Call, *, now: datetime) -> dict[str, Any]:
    """For JSON: times are ISO 8601 UTC texts, what is not known is null."""
    changes = StatusChange.objects.filter(call=call).select_related("actor").order_by("pk")
    operations = Operation.objects.filter(call=call).select_related("requested_by", "approved_by").order_by("pk")
    people = ("acknowledged_by", "assignee", "resolved_by", "evidence_file")
    related = Finding.objects.select_related(*people).defer("evidence_file__content")
    findings = related.filter(call=call).order_by("pk")
    return {
        "call": _same(call, "graph_id", "call_chain_id", "scenario_id", "tenant_id", "direction", "subject")
        | _same(call, "recorded_user_id", "recorded_user_name", "organizer_id", "organizer_name", "is_policy_call")
        | {"recorder": call.recorder.name if call.recorder else None},
        "captured": {"state": call.capture_state, "at": _text(call.capture_at)},
        "told": {
            "status": call.recording_status,
            "at": _text(call.recording_status_at),
            "source": call.recording_status_source,
        },
        "evidence": _same(call, "state", "established_at", "ended_at", "gone_at", "result_code", "result_subcode")
        | _same(call, "result_message", "last_signal_at"),
        "changes": [_change(change) for change in changes],
        "operations": [_operation(operation) for operation in operations],
        "findings": [_finding(finding, call, now=now) for finding in findings],
        "blind_spots": [_same(spot, "from_at", "until_at", "why") for spot in _blind_spots(call)],
    }


def _blind_spots(call: Call) -> BlindSpotQuerySet:
    return BlindSpot.objects.covering(call.began_at, call.over_at).of(call.recorder_id)


def _change(change: StatusChange) -> dict[str, Any]:
    return _same(change, "occurred_at", "field", "old", "new", "source", "reason") | {"actor": change.actor.label}


def _operation(operation: Operation) -> dict[str, Any]:
    attempts = Attempt.objects.filter(operation=operation).select_related("result")
    return (
        {"id": str(operation.pk), "requested_by": operation.requested_by.label}
        | {"approved_by": operation.approved_by.label if operation.approved_by else None}
        | _same(operation, "requested_status", "status", "reason", "requested_at", "needs_approval_why", "evidence")
        | _same(operation, "client_context", "graph_operation_id", "result_code", "result_subcode", "result_message")
        | _same(operation, "finished_at")
        | {"attempts": [_attempt(attempt) for attempt in attempts]}
    )


def _attempt(attempt: Attempt) -> dict[str, Any]:
    result = getattr(attempt, "result", None)
    told = _same(result, "outcome", "http_status", "error_code", "message", "request_id") if result else {}
    return _same(attempt, "number", "started_at", "is_repeat", "client_request_id") | told


def _finding(finding: Finding, call: Call, *, now: datetime) -> dict[str, Any]:
    known = _same(finding, "id", "rule", "severity", "since_at", "opened_at", "reopened_at", "acknowledged_at")
    known |= {"acknowledged_by": _text(finding.acknowledged_by), "assignee": _text(finding.assignee)}
    known |= _same(finding, "wakes_after", "resolved_at", "resolution", "root_cause", "reason", "evidence")
    known |= {"resolved_by": _text(finding.resolved_by)}
    if finding.evidence_file:
        known |= {"evidence_file": finding.evidence_file.name, "evidence_sha256": finding.evidence_file.sha256}
    return known | ({"sentence": finding.explained(facts_of(call), now=now).sentence} if finding.is_open else {})


def _same(row: object, *names: str) -> dict[str, Any]:
    return {name: _text(getattr(row, name)) for name in names}


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return ledger.timestamp(value)
    return value if value is None or isinstance(value, (bool, int)) else str(value)
