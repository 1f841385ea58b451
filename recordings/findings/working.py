"""What people do with a finding. Each step changes the row and leaves its ledger entry, in the caller's transaction.

Callers have locked the finding and checked that the step is allowed.
"""

import hashlib
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User

from recordings import conf, ledger, rules
from recordings.choices import LedgerAction, Resolution
from recordings.ingest import facts_of
from recordings.models import Actor, EvidenceFile, Finding


def acknowledge(finding: Finding, *, actor: Actor, now: datetime) -> None:
    finding.acknowledged_at, finding.acknowledged_by = now, actor
    finding.save()
    ledger.record(LedgerAction.FINDING_ACKNOWLEDGED, actor=actor, now=now, finding=finding)


def assign(finding: Finding, *, to: User | None, actor: Actor, now: datetime) -> None:
    """Make `to` answer for the finding; None takes it from whoever had it."""
    finding.assignee = to
    finding.save()
    assignee = Actor.objects.person(to).pk if to else None
    ledger.record(LedgerAction.FINDING_ASSIGNED, actor=actor, now=now, finding=finding, assignee=assignee)


def comment(finding: Finding, *, text: str, actor: Actor, now: datetime) -> None:
    ledger.record(LedgerAction.FINDING_COMMENTED, actor=actor, now=now, finding=finding, reason=text)


def snooze(finding: Finding, *, until: datetime | None, reason: str, actor: Actor, now: datetime) -> None:
    """Put the finding off until a moment (aware UTC); None wakes it."""
    finding.wakes_after = until
    finding.save()
    ledger.record(LedgerAction.FINDING_SNOOZED, actor=actor, now=now, finding=finding, wakes_after=until, reason=reason)


def resolve(
    finding: Finding, *, resolution: Resolution, root_cause: str, reason: str, actor: Actor, now: datetime
) -> None:
    """Close the finding on a person's word, without evidence."""
    _cover_condition(finding)
    finding.resolved_at, finding.resolved_by, finding.resolution = now, actor, resolution
    finding.root_cause, finding.reason, finding.wakes_after = root_cause, reason, None
    finding.save()
    ledger.record(
        LedgerAction.FINDING_RESOLVED,
        actor=actor,
        now=now,
        finding=finding,
        resolution=finding.resolution,
        root_cause=root_cause,
        reason=reason,
    )


def _cover_condition(finding: Finding) -> None:
    """Let a person's word cover the condition as it holds now; facts may have moved its beginning since the opening.

    What is known to have begun later is a new condition, and is found again.
    """
    facts = facts_of(finding.call) if finding.call else finding.facts()
    holding = (verdict.since for verdict in rules.verdicts(facts, graces=conf.graces()) if verdict.rule == finding.rule)
    finding.since_at = max((finding.since_at, *holding))


def explain_cause(finding: Finding, *, root_cause: str, reason: str, actor: Actor, now: datetime) -> None:
    """Name the root cause of a finding that closed by itself; how it closed stays as it was."""
    finding.root_cause, finding.reason = root_cause, reason
    finding.save()
    ledger.record(
        LedgerAction.FINDING_EXPLAINED, actor=actor, now=now, finding=finding, root_cause=root_cause, reason=reason
    )


def keep_file(name: str, content: bytes, *, actor: Actor, now: datetime) -> EvidenceFile:
    """Keep a piece of evidence as it is, with its SHA-256. Callers have checked its size."""
    digest = hashlib.sha256(content).hexdigest()
    file = EvidenceFile(
        name=name, size_bytes=len(content), sha256=digest, content=content, added_by=actor, added_at=now
    )
    file.save(force_insert=True)
    return file


def attest(
    finding: Finding,
    *,
    actor: Actor,
    reason: str,
    root_cause: str,
    evidence: str,
    file: EvidenceFile | None = None,
    job: UUID | None = None,
    now: datetime,
) -> None:
    """A person's word closes the finding, with evidence: a text, a link, or a file; `job` names the bulk job."""
    _cover_condition(finding)
    finding.resolved_at, finding.resolution, finding.resolved_by = now, Resolution.ATTESTED, actor
    finding.reason, finding.root_cause, finding.wakes_after = reason, root_cause, None
    finding.evidence, finding.evidence_file = evidence or (f"File {file.name}" if file else ""), file
    finding.save()
    attested = ledger.entry_of(
        LedgerAction.FINDING_ATTESTED,
        actor=actor,
        now=now,
        about=ledger.References(finding=finding, job=job),
        facts={
            "resolution": finding.resolution,
            "reason": reason,
            "root_cause": root_cause,
            "evidence": finding.evidence,
            "file": file.pk if file else None,
            "file_sha256": file.sha256 if file else None,
        },
    )
    ledger.append([attested])
