"""From what was said to the call's row: observe, keep each change, set the moment of the next verdict."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from recordings import conf, ledger, rules
from recordings.choices import LedgerAction, Resolution, Source
from recordings.graph.wire import GraphCall
from recordings.models import Actor, Call, Change, Finding, Operation, StatusChange


def locked_call(graph_id: str) -> Call | None:
    """The call's row, locked until the transaction ends. Calls are locked before their operations."""
    return Call.objects.select_for_update().filter(graph_id=graph_id).first()


def locked_or_new_call(graph_id: str, *, tenant_id: str, now: datetime) -> Call:
    Call.objects.get_or_create(graph_id=graph_id, defaults={"tenant_id": tenant_id.lower(), "created_at": now})
    return Call.objects.select_for_update().get(graph_id=graph_id)


@dataclass(frozen=True)
class Said:
    """One word on a call: who said it, for which moment (aware UTC), and what; None is "nothing said of that"."""

    actor: Actor
    source: Source
    at: datetime
    state: str | None = None
    capture_state: str | None = None
    recording_status: str | None = None
    gone: bool | None = False
    is_policy_call: bool | None = None
    reason: str = ""
    graph_operation_id: str = ""


def take_over(call: Call, said: Said, *, now: datetime, operation: Operation | None = None) -> tuple[StatusChange, ...]:
    """Observe what was said, keep every change with its ledger entry, and save the call, whose row is locked."""
    changes = call.observe(
        at=said.at,
        source=said.source,
        state=said.state,
        capture_state=said.capture_state,
        recording_status=said.recording_status,
        gone=said.gone,
        is_policy_call=said.is_policy_call,
    )
    rows = tuple(_keep(call, change, said, now=now, operation=operation) for change in changes)
    reschedule(call, now=now)
    return rows


def _keep(call: Call, change: Change, said: Said, *, now: datetime, operation: Operation | None) -> StatusChange:
    row = StatusChange(
        call=call,
        field=change.field,
        old=change.old[:32],
        new=change.new[:32],
        source=said.source,
        actor=said.actor,
        reason=said.reason[:1024],
        operation=operation,
        occurred_at=said.at,
        recorded_at=now,
    )
    row.save(force_insert=True)
    ledger.record(
        LedgerAction.STATUS_CHANGED,
        actor=said.actor,
        now=now,
        occurred_at=said.at,
        call=call,
        operation=operation,
        change=row.pk,
        field=row.field,
        old=row.old,
        new=row.new,
        source=said.source.value,
        reason=row.reason,
        graph_operation_id=said.graph_operation_id or (operation.graph_operation_id if operation else ""),
    )
    return row


def facts_of(call: Call) -> rules.CallFacts:
    """The call's facts together with its live correction, if it has one."""
    live = Operation.objects.live().filter(call=call).values_list("status", "requested_at", "approved_at").first()
    if live is None:
        return call.facts()
    status, requested_at, approved_at = live
    return call.facts(operation_status=status, operation_since=approved_at or requested_at)


def reschedule(call: Call, *, now: datetime) -> None:
    """Write the next moment at which the sweep must look at this call, and save it."""
    findings = list(Finding.objects.filter(call=call).order_by("since_at"))
    call.due_after = rules.next_due(
        facts_of(call),
        open_rules=frozenset(finding.rule for finding in findings if finding.is_open),
        settled_rules=settled_rules(findings),
        graces=conf.graces(),
        now=now,
    )
    call.save()


def settled_rules(findings: Iterable[Finding]) -> dict[str, datetime]:
    """Rules that a person's word has closed, each with the beginning of the latest condition it closed."""
    return {finding.rule: finding.since_at for finding in findings if finding.resolution == Resolution.ATTESTED}


def told(call: Call, operation: Operation, *, actor: Actor, now: datetime) -> None:
    """Graph confirmed our correction: from now on this is what Teams was told.

    A confirmation that comes late speaks for the moment of its sending: what was told since then stays.
    """
    sent_at = operation.attempts.order_by("-number").values_list("started_at", flat=True).first() or now
    overtaken = call.recording_status_at is not None and call.recording_status_at > sent_at
    at = sent_at if overtaken else now
    status = operation.requested_status
    # Its word on an operation is no word on the leg: a call that is gone stays gone.
    said = Said(actor, Source.GRAPH, at, recording_status=status, gone=None, reason=operation.reason)
    take_over(call, said, now=now, operation=operation)


def note_gone(call: Call, *, now: datetime) -> None:
    """Graph answered 404 to a probe. That is not an end (invariant 5): corrections stop until a sign of life."""
    why = "Graph does not find the call any more"
    take_over(call, Said(Actor.objects.graph(), Source.GRAPH, now, gone=True, reason=why), now=now)


def note_no_recording_call(call: Call, *, now: datetime) -> None:
    """Graph answered 8506: it takes no status for this leg, whoever asks."""
    why = "Graph said that this is not a compliance-recording call (8506)"
    said = Said(Actor.objects.graph(), Source.GRAPH, now, gone=None, is_policy_call=False, reason=why)
    take_over(call, said, now=now)


def note_probe(call: Call, probe: GraphCall, *, now: datetime) -> None:
    """Graph's answer to a GET of the call: a sign of life, or its end."""
    result = probe.result
    if result:
        call.result_code, call.result_subcode = result.code, result.subcode
        call.result_message = (result.message or "")[:1024]
    take_over(call, Said(Actor.objects.graph(), Source.GRAPH, now, state=probe.state), now=now)
