"""Open and close findings. The sweep takes calls whose moment has come; nothing scans the calls."""

from datetime import datetime

from django.db import transaction

from recordings import conf, ledger, rules
from recordings.choices import LedgerAction, OperationStatus, Resolution, Rule, Source
from recordings.ingest import facts_of, locked_call, reschedule, settled_rules
from recordings.models import Actor, Call, Finding, Operation
from recordings.passes import each

ACTOR_NAME = "sweep"


def sweep(now: datetime, *, limit: int = 500) -> int:
    """Handle at most `limit` calls whose moment has come, each in its own transaction; how many were handled."""
    due = list(Call.objects.due(now).values_list("graph_id", flat=True)[:limit])
    each(due, lambda graph_id: sweep_call(graph_id, now=now))
    return len(due)


def sweep_call(graph_id: str, *, now: datetime) -> None:
    """Open what is due on one call and close what no longer holds."""
    with transaction.atomic():
        call = locked_call(graph_id)
        if call is None or call.due_after is None or call.due_after > now:
            return
        facts = facts_of(call)
        holding = {v.rule.value: v for v in rules.verdicts(facts, graces=conf.graces())}
        actor = Actor.objects.job(ACTOR_NAME)
        known = list(call.finding_set.order_by("since_at"))
        for finding in known:
            if finding.is_open and finding.rule not in holding:
                _recover(finding, actor=actor, now=now)
        open_rules = {finding.rule for finding in known if finding.is_open}
        for verdict in holding.values():
            is_new = verdict.rule not in open_rules and not rules.is_settled(verdict, settled_rules(known))
            if is_new and verdict.is_due(now):
                _open(call, verdict, actor=actor, now=now)
        reschedule(call, now=now)


def _open(call: Call, verdict: rules.Verdict, *, actor: Actor, now: datetime) -> None:
    finding = Finding.objects.create(
        call=call, rule=verdict.rule, severity=verdict.severity, since_at=verdict.since, opened_at=now
    )
    ledger.record(
        LedgerAction.FINDING_OPENED,
        actor=actor,
        now=now,
        finding=finding,
        severity=finding.severity,
        since_at=finding.since_at,
    )


def _recover(finding: Finding, *, actor: Actor, now: datetime) -> None:
    """Close a finding whose condition is gone, and say whose word ended it."""
    finding.resolved_at, finding.resolution, finding.resolved_by = now, _resolution_of(finding), actor
    finding.save()
    ledger.record(LedgerAction.FINDING_RESOLVED, actor=actor, now=now, finding=finding, resolution=finding.resolution)


def _resolution_of(finding: Finding) -> Resolution:
    """Graph's word where one of our corrections was confirmed since; the recorder's where it told Teams itself."""
    if finding.rule == Rule.OPERATION_UNSETTLED:
        return _resolution_of_correction(finding)
    completed = Operation.objects.filter(
        call=finding.call_id, status=OperationStatus.COMPLETED, finished_at__gte=finding.since_at
    )
    if completed.exists():
        return Resolution.CONFIRMED_BY_GRAPH
    call = finding.call
    told_since = call.recording_status_at is not None and call.recording_status_at >= finding.since_at
    if told_since and call.recording_status_source == Source.RECORDER:
        return Resolution.CONFIRMED_BY_RECORDER
    return Resolution.SELF_RECOVERED


def _resolution_of_correction(finding: Finding) -> Resolution:
    """How the correction ended that had not settled: the latest one that was under way since."""
    ended = Operation.objects.filter(call=finding.call_id, finished_at__gte=finding.since_at)
    status = ended.order_by("-finished_at").values_list("status", flat=True).first()
    known = {
        OperationStatus.COMPLETED.value: Resolution.CONFIRMED_BY_GRAPH,
        OperationStatus.FAILED.value: Resolution.REFUSED_BY_GRAPH,
        OperationStatus.UNRESOLVED.value: Resolution.LEFT_UNRESOLVED,
    }
    return known.get(status or "", Resolution.SELF_RECOVERED)


def attest(finding: Finding, *, actor: Actor, reason: str, root_cause: str, evidence: str, now: datetime) -> None:
    """A person's word closes the finding; callers have checked that nothing else can."""
    finding.resolved_at, finding.resolution, finding.resolved_by = now, Resolution.ATTESTED, actor
    finding.reason, finding.root_cause, finding.evidence = reason, root_cause, evidence
    finding.save()
    ledger.record(
        LedgerAction.FINDING_ATTESTED,
        actor=actor,
        now=now,
        finding=finding,
        resolution=finding.resolution,
        reason=reason,
        root_cause=root_cause,
        evidence=evidence,
    )
