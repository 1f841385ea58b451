"""The sweep takes subjects whose moment has come, opens what is due and closes what no longer holds.

Nothing scans the calls: `due_after` was written when the facts came in.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypedDict

from django.db import connection, transaction
from django.db.models import QuerySet

from recordings import conf, ledger, rules
from recordings.choices import LedgerAction
from recordings.findings.closing import resolution_of
from recordings.ingest import (
    close_blind_spot,
    facts_of,
    is_silent,
    open_blind_spot,
    recorder_facts,
    reschedule,
    reschedule_recorder,
    reschedule_tenant,
    settled_rules,
)
from recordings.models import Actor, Call, Finding, Recorder, Tenant
from recordings.passes import each

ACTOR_NAME = "sweep"


class Subject(TypedDict, total=False):
    """What a finding is about, by the name of its column: one of them."""

    call: Call
    recorder: Recorder
    tenant: Tenant


def sweep(now: datetime, *, limit: int = 500) -> int:
    """Handle at most `limit` subjects of each kind whose moment has come (aware UTC), each in its own transaction.

    Answers how many there were. A subject that another worker holds is left to it.
    """
    calls = list(Call.objects.due(now).values_list("graph_id", flat=True)[:limit])
    each(calls, lambda graph_id: sweep_call(graph_id, now=now, wait=False))
    recorders = _due(Recorder.objects.all(), now=now, limit=limit)
    each(recorders, lambda pk: sweep_recorder(pk, now=now))
    tenants = _due(Tenant.objects.all(), now=now, limit=limit)
    each(tenants, lambda pk: sweep_tenant(pk, now=now))
    return len(calls) + len(recorders) + len(tenants)


def _due[Row: (Recorder, Tenant)](rows: QuerySet[Row], *, now: datetime, limit: int) -> list[int]:
    """The keys of those whose moment has come, the longest waiting first."""
    return list(rows.filter(due_after__lte=now).order_by("due_after").values_list("pk", flat=True)[:limit])


def sweep_call(graph_id: str, *, now: datetime, wait: bool = True) -> None:
    """Open what is due on one call and close what no longer holds. Without `wait`, not if somebody holds its row."""
    with transaction.atomic():
        call = _locked(Call.objects.filter(graph_id=graph_id), wait=wait)
        if call is None or call.due_after is None or call.due_after > now:
            return
        known = list(Finding.objects.filter(call=call).order_by("since_at", "pk"))
        _judge({"call": call}, facts_of(call), known, now=now)
        reschedule(call, now=now)


def sweep_recorder(pk: int, *, now: datetime) -> None:
    """The same for a recorder; while it is silent, there is a blind spot."""
    with transaction.atomic():
        recorder = _locked(Recorder.objects.filter(pk=pk), wait=False)
        if recorder is None or recorder.due_after is None or recorder.due_after > now:
            return
        known = list(recorder.finding_set.order_by("since_at", "pk"))
        _judge({"recorder": recorder}, recorder_facts(recorder, now=now), known, now=now)
        _mark_silence(recorder, now=now)
        reschedule_recorder(recorder, now=now)


def _mark_silence(recorder: Recorder, *, now: datetime) -> None:
    """A blind spot lasts as long as the silence, whatever became of its finding; a disabled one is not awaited."""
    if is_silent(recorder, now=now):
        open_blind_spot(recorder, now=now)
        return
    spoke_at = None if recorder.disabled_at else recorder.last_word_at
    close_blind_spot(recorder, until=spoke_at or now, now=now)


def sweep_tenant(pk: int, *, now: datetime) -> None:
    """The same for a tenant."""
    with transaction.atomic():
        tenant = _locked(Tenant.objects.filter(pk=pk), wait=False)
        if tenant is None or tenant.due_after is None or tenant.due_after > now:
            return
        known = list(tenant.finding_set.order_by("since_at", "pk"))
        _judge({"tenant": tenant}, tenant.facts(), known, now=now)
        reschedule_tenant(tenant, now=now)


def _locked[Row: (Call, Recorder, Tenant)](rows: QuerySet[Row], *, wait: bool) -> Row | None:
    """The one row, locked. SQLite has one writer at a time, so that there is nothing to skip."""
    skips = not wait and connection.features.has_select_for_update_skip_locked
    return rows.select_for_update(skip_locked=skips).first()


def _judge(subject: Subject, facts: rules.Facts, known: list[Finding], *, now: datetime) -> None:
    """Close what is no longer due, also where the condition began anew and is within its grace; open what is."""
    due = {v.rule.value: v for v in rules.verdicts(facts, graces=conf.graces()) if v.is_due(now)}
    actor = Actor.objects.job(ACTOR_NAME)
    for finding in known:
        if finding.is_open and finding.rule not in due:
            _recover(finding, actor=actor, now=now)
    for verdict in _news(due.values(), known):
        _open(subject, verdict, known, actor=actor, now=now)


def _news(due: Iterable[rules.Verdict], known: list[Finding]) -> Iterator[rules.Verdict]:
    """Verdicts that have no open finding, unless a person closed this very condition."""
    open_rules, settled = {finding.rule for finding in known if finding.is_open}, settled_rules(known)
    for verdict in due:
        if verdict.rule not in open_rules and not rules.is_settled(verdict, settled):
            yield verdict


def _open(subject: Subject, verdict: rules.Verdict, known: list[Finding], *, actor: Actor, now: datetime) -> None:
    """A new finding, or, where the same one was closed a short while ago, that one again."""
    finding: Finding | None = _lately_closed(verdict, known, now=now)
    if finding is None:
        action, was, finding = LedgerAction.FINDING_OPENED, "", Finding(**subject, rule=verdict.rule, opened_at=now)
    else:
        action, was = LedgerAction.FINDING_REOPENED, finding.resolution
        _forget_closing(finding, now=now)
    finding.severity, finding.since_at = verdict.severity, verdict.since
    finding.save()
    ledger.record(
        action,
        actor=actor,
        now=now,
        finding=finding,
        severity=finding.severity,
        since_at=finding.since_at,
        resolution_before=was,
    )


def _forget_closing(finding: Finding, *, now: datetime) -> None:
    """It is as new, but for its opening and its assignee; what was said and done before stands in the ledger."""
    finding.reopened_at, finding.resolved_at, finding.resolved_by, finding.resolution = now, None, None, ""
    finding.root_cause, finding.reason = "", ""
    finding.acknowledged_at, finding.acknowledged_by, finding.wakes_after = None, None, None


def _lately_closed(verdict: rules.Verdict, known: list[Finding], *, now: datetime) -> Finding | None:
    """The finding of this rule that was closed so lately that it is the same trouble. Evidence is never taken back."""
    closed = [
        (finding.resolved_at, finding) for finding in known if finding.rule == verdict.rule and finding.resolved_at
    ]
    if not closed:
        return None
    resolved_at, latest = max(closed, key=lambda pair: pair[0])
    is_recent = now - resolved_at <= conf.reopen_within()
    return latest if is_recent and not latest.evidence else None


def _recover(finding: Finding, *, actor: Actor, now: datetime) -> None:
    """Close a finding whose condition is gone, and say whose word ended it."""
    finding.resolved_at, finding.resolution, finding.resolved_by = now, resolution_of(finding), actor
    finding.wakes_after = None
    finding.save()
    ledger.record(
        LedgerAction.FINDING_RESOLVED,
        actor=actor,
        now=now,
        finding=finding,
        resolution=finding.resolution,
        root_cause="",
        reason="",
    )
