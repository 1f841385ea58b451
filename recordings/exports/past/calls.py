"""Calls as of a moment: what the changes in the ledger tell, and nothing that is kept of today only."""

from collections.abc import Sequence
from datetime import datetime

from recordings.exports import known
from recordings.exports.known import Step
from recordings.exports.past.folding import Facts, Kind, past_sheet, told
from recordings.exports.sheet import Column, Sheet

_COLUMNS = (
    Column("call_id", "Microsoft Graph's id of the call: one leg of the recorder bot.", lambda call: call.graph_id),
    told("call_chain_id", "Graph's id that all legs of one conversation share."),
    told("tenant_id", "The Microsoft Entra tenant of the call."),
    told("capture_state", "Captured: what the recorder said it was doing."),
    told("capture_since", "Captured: since when it had said so."),
    told("recording_status", "Told: the status Teams was last told, with success."),
    told("recording_status_since", "Told: since when."),
    told("recording_status_source", "Told: by whose word: graph (to us), recorder (to it, by its account) or import."),
    told("call_state", "Evidence: Graph's state of the call."),
    told("established_at", "Evidence: when the call was established."),
    told("ended_at", "Evidence: when the call ended."),
    told("gone_at", "Evidence: since when Graph had not found the call, though nobody reported its end."),
    told("open_findings", "Codes of the findings that were open, with spaces between; empty if none."),
)


def calls_as_of(at: datetime) -> Sheet:
    return past_sheet("calls", _COLUMNS, kind=Kind("call", lambda call: str(call.graph_id), _told), at=at)


def _told(steps: Sequence[Step]) -> Facts:
    stood = known.call_of(steps)
    open_rules = sorted(finding.rule for finding in known.findings_of(steps) if finding.is_open)
    return {
        "call_chain_id": steps[-1].text("call_chain_id"),
        "tenant_id": steps[-1].text("tenant_id"),
        "capture_state": stood.capture.value,
        "capture_since": stood.capture.at,
        "recording_status": stood.told.value,
        "recording_status_since": stood.told.at,
        "recording_status_source": stood.told.source,
        "call_state": stood.state.value,
        "established_at": stood.established_at,
        "ended_at": stood.ended_at,
        "gone_at": stood.gone_at,
        "open_findings": " ".join(open_rules),
    }
