"""Findings as of a moment: open or closed, how, and who took care of them, by their steps in the ledger."""

from collections.abc import Sequence
from datetime import datetime

from recordings.choices import LedgerAction
from recordings.exports import known
from recordings.exports.known import KnownFinding, Step
from recordings.exports.past.folding import Facts, Kind, past_sheet, told
from recordings.exports.sheet import Column, Sheet
from recordings.models import Actor

_COLUMNS = (
    Column("finding_id", "On Record's id of the finding; ids grow with time.", lambda finding: finding.pk),
    told("rule", "The code of its rule."),
    told("rule_name", "The rule in words."),
    told("severity", "How bad it was."),
    told("subject", "What it is about: call, recorder or tenant."),
    told("subject_name", "The id or name of what it is about."),
    told("call_chain_id", "Graph's id that all legs share."),
    told("since_at", "Since when the trouble lasted, as it was said when the finding opened, the last time by then."),
    told("opened_at", "When On Record opened the finding."),
    told("reopened_at", "When it was opened again, the last time by then."),
    told("acknowledged_at", "When a person took note of it."),
    told("acknowledged_by", "The name that person had then."),
    told("assignee", "To whom it was assigned: the name that person had then."),
    told("put_off_until", "Until when it was put off."),
    told("resolved_at", "When it was closed; empty while it was open."),
    told("resolved_by", "The name of who closed it."),
    told("resolution", "How it was closed, as a code; the classes are kept apart."),
    told("root_cause", "The cause a person had named, as a code."),
    told("reason", "The reason that was given for how it was closed, or for its cause."),
    told("evidence", "What an attestation named as evidence."),
    told("evidence_sha256", "For an attestation with a file: the SHA-256 of the file."),
)
_WITH_CAUSE = (LedgerAction.FINDING_RESOLVED, LedgerAction.FINDING_ATTESTED, LedgerAction.FINDING_EXPLAINED)


def findings_as_of(at: datetime) -> Sheet:
    return past_sheet("findings", _COLUMNS, kind=Kind("finding", lambda one: str(one.pk), _told), at=at)


def _told(steps: Sequence[Step]) -> Facts:
    one = next(iter(known.findings_of(steps)), None)
    if one is None:
        return {}
    first = one.steps[0]
    return {
        "rule": one.rule,
        "rule_name": one.rule_look.label,
        "severity": one.opening.text("severity"),
        "subject": first.text("subject"),
        "subject_name": first.text(first.text("subject")),
        "call_chain_id": one.steps[-1].text("call_chain_id"),
        "since_at": one.since_at,
        "opened_at": first.recorded_at,
        "reopened_at": one.opening.recorded_at if one.opening is not first else None,
        "acknowledged_at": one.acknowledged.recorded_at if one.acknowledged else None,
        "acknowledged_by": one.acknowledged.who if one.acknowledged else None,
        "assignee": _assignee(one),
        "put_off_until": _put_off_until(one),
        **_closing(one),
    }


def _assignee(one: KnownFinding) -> str | None:
    """The last word; opening a finding again leaves it with whom it was. Assigning is rare, so each asks."""
    assigned = [step for step in one.steps if step.action == LedgerAction.FINDING_ASSIGNED]
    number = assigned[-1].number("assignee") if assigned else None
    return Actor.objects.values_list("label", flat=True).get(pk=number) if number else None


def _put_off_until(one: KnownFinding) -> datetime | None:
    put_off = [step for step in one.since_opening if step.action == LedgerAction.FINDING_SNOOZED]
    return put_off[-1].at("wakes_after") if put_off and one.is_open else None


def _closing(one: KnownFinding) -> Facts:
    """How it was closed; a cause can be named after that."""
    closing = one.closing
    if closing is None:
        return {}
    named = [step for step in one.since_opening if step.action in _WITH_CAUSE][-1]
    return {
        "resolved_at": closing.recorded_at,
        "resolved_by": closing.who,
        "resolution": closing.text("resolution"),
        "root_cause": named.text("root_cause"),
        "reason": named.text("reason"),
        "evidence": closing.text("evidence"),
        "evidence_sha256": closing.text("file_sha256"),
    }
