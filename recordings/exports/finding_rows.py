"""Findings as they stand at the moment of the export; their steps are the history's matter."""

from typing import Any

from django.db.models import QuerySet

from recordings.exports.sheet import Column, Sheet
from recordings.exports.states import same


def _findings(findings: QuerySet[Any]) -> QuerySet[Any]:
    related = ("call", "recorder", "tenant", "assignee", "acknowledged_by", "resolved_by", "evidence_file")
    return findings.select_related(*related).defer("evidence_file__content")


FINDINGS = Sheet(
    name="findings",
    columns=(
        same("On Record's id of the finding; ids grow with time.", "finding_id", "pk"),
        same("The code of its rule.", "rule"),
        Column("rule_name", "The rule in words.", lambda f: f.rule_look.label),
        same("How bad it is.", "severity"),
        same("What it is about: call, recorder or tenant.", "subject"),
        same("The id or name of what it is about.", "subject_name"),
        Column("call_chain_id", "Graph's id that all legs share.", lambda f: f.call.call_chain_id if f.call else None),
        same("Since when the trouble lasts, or lasted.", "since_at"),
        same("When On Record opened the finding.", "opened_at"),
        same("When it was opened again.", "reopened_at"),
        same("When a person took note of it.", "acknowledged_at"),
        Column("acknowledged_by", "The name that person had then.", lambda f: _label(f.acknowledged_by)),
        Column("assignee", "To whom it is assigned.", lambda f: f.assignee.get_username() if f.assignee else None),
        same("Until when it is put off.", "put_off_until", "wakes_after"),
        same("When it was closed; empty while it is open.", "resolved_at"),
        Column("resolved_by", "The name of who closed it.", lambda f: _label(f.resolved_by)),
        same("How it was closed, as a code; the classes are kept apart.", "resolution"),
        same("The cause a person named, as a code.", "root_cause"),
        same("The reason that was given.", "reason"),
        same("What an attestation names as evidence.", "evidence"),
        Column(
            "evidence_sha256",
            "For an attestation with a file: the SHA-256 of the file.",
            lambda f: f.evidence_file.sha256 if f.evidence_file else None,
        ),
    ),
    with_related=_findings,
)


def _label(actor: Any) -> str | None:
    return str(actor.label) if actor else None
