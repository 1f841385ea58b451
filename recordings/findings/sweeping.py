"""The sweep takes subjects whose moment has come, opens what is due and closes what no longer holds.

Nothing scans the calls: `due_after` was written when the facts came in.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet

from recordings import conf, ledger, rules
from recordings.choices import LedgerAction
from recordings.findings.closing import resolution_of
from recordings.ingest import (
    close_blind_spot,
    facts_of,
    next_moment,
    open_blind_spot,
    reschedule,
    reschedule_recorder,
    reschedule_tenant,
    settled_rules,
)
from recordings.models import Actor, Call, Finding, Recorder, Tenant
from recordings.passes import each

ACTOR_NAME = "sweep"
READ_AT_ONCE = 1000

type Subject = Call | Recorder | Tenant


def sweep(now: datetime, *, limit: int = 500) -> int:
    """Handle at most `limit` subjects of each kind whose moment has come (aware UTC), each in its own transaction.

    Answers how many there were. A subject that another worker holds is left to it.
    """
    calls = list(Call.objects.due(now).values_list("graph_id", flat=True)[:limit])
    each(calls, lambda graph_id: sweep_call(graph_id, now=now, wait=False))
    recorders = list(Recorder.objects.filter(due_after__lte=now).values_list("pk", flat=True)[:limit])
    each(recorders, lambda pk: sweep_recorder(pk, now=now))
    tenants = list(Tenant.objects.filter(due_after__lte=now).values_list("pk", flat=True)[:limit])
    each(tenants, lambda pk: sweep_tenant(pk, now=now))
    return len(calls) + len(recorders) + len(tenants)


def sweep_call(graph_id: str, *, now: datetime, wait: bool = True) -> None:
    """Open what is due on one call and close what no longer holds. Without `wait`, not if somebody holds its row."""
    with transaction.atomic():
        call = _locked(Call.objects.filter(graph_id=graph_id), wait=wait)
        if call is None or call.due_after is None or call.due_after > now:
            return
        known = list(Finding.objects.filter(call=call).order_by("since_at", "pk"))
        _judge(call, facts_of(call), known, now=now)
        reschedule(call, now=now)


def sweep_recorder(pk: int, *, now: datetime) -> None:
    """The same for a recorder; while it is silent, there is a blind spot."""
    with transaction.atomic():
        recorder = _locked(Recorder.objects.filter(pk=pk), wait=False)
        if recorder is None or recorder.due_after is None or recorder.due_after > now:
            return
        _judge(recorder, recorder.facts(), list(recorder.finding_set.order_by("since_at", "pk")), now=now)
        if recorder.finding_set.open().exists():
            open_blind_spot(recorder, now=now)
        else:
            close_blind_spot(recorder, until=recorder.last_word_at or now, now=now)
        reschedule_recorder(recorder, now=now)


def sweep_tenant(pk: int, *, now: datetime) -> None:
    """The same for a tenant."""
    with transaction.atomic():
        tenant = _locked(Tenant.objects.filter(pk=pk), wait=False)
        if tenant is None or tenant.due_after is None or tenant.due_after > now:
            return
        _judge(tenant, tenant.facts(), list(tenant.finding_set.order_by("since_at", "pk")), now=now)
        reschedule_tenant(tenant, now=now)


def _locked[Row: (Call, Recorder, Tenant)](rows: QuerySet[Row], *, wait: bool) -> Row | None:
    """The one row, locked. SQLite has one writer at a time, so that there is nothing to skip."""
    skips = not wait and connection.features.has_select_for_update_skip_locked
    return rows.select_for_update(skip_locked=skips).first()


def _judge(subject: Subject, facts: rules.Facts, known: list[Finding], *, now: datetime) -> None:
    holding = {v.rule.value: v for v in rules.verdicts(facts, graces=conf.graces()) if not v.is_over(now)}
    actor = Actor.objects.job(ACTOR_NAME)
    for finding in known:
        if finding.is_open and finding.rule not in holding:
            _recover(finding, actor=actor, now=now)
    for verdict in _news(holding.values(), known, now=now):
        _open(subject, verdict, known, actor=actor, now=now)


def _news(holding: Iterable[rules.Verdict], known: list[Finding], *, now: datetime) -> Iterator[rules.Verdict]:
    """Verdicts that are due and have no open finding, unless a person closed this very condition."""
    open_rules, settled = {finding.rule for finding in known if finding.is_open}, settled_rules(known)
    for verdict in holding:
        if verdict.rule not in open_rules and verdict.is_due(now) and not rules.is_settled(verdict, settled):
            yield verdict


def _open(subject: Subject, verdict: rules.Verdict, known: list[Finding], *, actor: Actor, now: datetime) -> None:
    """A new finding, or, where the same one was closed a short while ago, that one again."""
    finding = _lately_closed(verdict, known, now=now)
    if finding is None:
        action, was, finding = LedgerAction.FINDING_OPENED, "", Finding(rule=verdict.rule, opened_at=now)
        setattr(finding, type(subject).__name__.lower(), subject)
    else:
        action, was = LedgerAction.FINDING_REOPENED, finding.resolution
        finding.reopened_at, finding.resolved_at, finding.resolved_by, finding.resolution = now, None, None, ""
        finding.acknowledged_at, finding.acknowledged_by, finding.wakes_after = None, None, None
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


def _lately_closed(verdict: rules.Verdict, known: list[Finding], *, now: datetime) -> Finding | None:
    """The finding of this rule that was closed so lately that it is the same trouble. Evidence is never taken back."""
    again = [
        finding
        for finding in known
        if finding.rule == verdict.rule
        and finding.resolved_at
        and now - finding.resolved_at <= conf.reopen_within()
        and not finding.evidence
    ]
    return again[-1] if again else None


def _recover(finding: Finding, *, actor: Actor, now: datetime) -> None:
    """Close a finding whose condition is gone, and say whose word ended it."""
    finding.resolved_at, finding.resolution, finding.resolved_by = now, resolution_of(finding), actor
    finding.save()
    ledger.record(LedgerAction.FINDING_RESOLVED, actor=actor, now=now, finding=finding, resolution=finding.resolution)


def recompute(now: datetime) -> Iterator[int]:
    """After a change of the rules or their graces: the next moment of every call anew (aware UTC), in batches.

    Yields how many calls were read so far. Only a call whose moment differs is written; the sweep does the rest.
    """
    read, last = 0, 0
    while rows := list(Call.objects.filter(pk__gt=last).order_by("pk").values_list("pk", "graph_id")[:READ_AT_ONCE]):
        each(rows, lambda row: _recompute_call(row[1], now=now))
        read, last = read + len(rows), rows[-1][0]
        yield read
    for recorder in Recorder.objects.all():
        reschedule_recorder(recorder, now=now)
    for tenant in Tenant.objects.all():
        reschedule_tenant(tenant, now=now)


def _recompute_call(graph_id: str, *, now: datetime) -> None:
    with transaction.atomic():
        call = _locked(Call.objects.filter(graph_id=graph_id), wait=True)
        if call is None:
            return
        due = next_moment(facts_of(call), list(Finding.objects.filter(call=call)), now=now)
        if due != call.due_after:
            reschedule(call, now=now)
