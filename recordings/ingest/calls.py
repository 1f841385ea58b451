"""From what was said to the call's row: observe, keep each change, set the moment of the next verdict."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from django.db.models import JSONField

from recordings import ledger, rules
from recordings.choices import CallState, LedgerAction, Source
from recordings.graph.wire import GraphCall
from recordings.ingest.moments import next_moments
from recordings.ingest.observing import Change, Observation, learn_result, observe
from recordings.ingest.probes import next_probe
from recordings.models import (
    Actor,
    ByKey,
    Call,
    LedgerEntry,
    Operation,
    StatusChange,
)

HEARD_LATE = "Heard late: it changes nothing that stands."
AFTER_HEARD_LATE = "It was a change, as is known now: what stood before it was heard late."
FAR_AWAY = datetime.max.replace(tzinfo=UTC)


def locked_call(graph_id: str) -> Call | None:
    """The call's row, locked until the transaction ends. Calls are locked before their operations."""
    return Call.objects.select_for_update().filter(graph_id=graph_id).first()


def locked_or_new_call(graph_id: str, *, tenant_id: str, now: datetime) -> Call:
    Call.objects.get_or_create(graph_id=graph_id, defaults={"tenant_id": tenant_id.lower(), "created_at": now})
    return Call.objects.select_for_update().get(graph_id=graph_id)


@dataclass(frozen=True)
class Said(Observation):
    """An observation with who made it, why, and the operation it names."""

    actor: Actor = field(kw_only=True)
    reason: str = ""
    graph_operation_id: str = ""


def take_over(call: Call, said: Said, *, now: datetime, operation: Operation | None = None) -> tuple[StatusChange, ...]:
    """Take in what was said, and save the call, whose row is locked."""
    rows = take_in(call, said, now=now, operation=operation)
    reschedule(call, now=now)
    return rows


def take_in(call: Call, said: Said, *, now: datetime, operation: Operation | None = None) -> tuple[StatusChange, ...]:
    """What was said of one call: see `take_in_all`."""
    return take_in_all([(call, said, operation)], now=now)


def take_in_all(said: Iterable[tuple[Call, Said, Operation | None]], *, now: datetime) -> tuple[StatusChange, ...]:
    """Observe what was said, and keep every change with its ledger entry. Whoever holds the calls saves them."""
    kept = [
        (_row(call, change, word, now=now, operation=operation), word)
        for call, word, operation in said
        for change in observe(call, word)
    ]
    rows = tuple(row for row, _ in kept)
    StatusChange.objects.bulk_copy(rows)
    ledger.append([_entry(row, word) for row, word in kept])
    return rows


def _row(call: Call, change: Change, said: Said, *, now: datetime, operation: Operation | None) -> StatusChange:
    return StatusChange(
        call=call,
        field=change.field,
        old=change.old[:32],
        new=change.new[:32],
        source=change.source,
        actor=said.actor if change.source == said.source else _actor_of(change, said),
        reason=_reason(change, said)[:1024],
        operation=operation,
        occurred_at=change.at,
        recorded_at=now,
    )


def _actor_of(change: Change, said: Said) -> Actor:
    """Graph's own word stays Graph's, though another one's brought it to light."""
    return Actor.objects.graph() if change.source == Source.GRAPH else said.actor


def _reason(change: Change, said: Said) -> str:
    if not change.is_late:
        return said.reason
    return f"{said.reason} {HEARD_LATE if change.at == said.at else AFTER_HEARD_LATE}".strip()


def _entry(row: StatusChange, said: Said) -> LedgerEntry:
    operation = row.operation
    return ledger.entry_of(
        LedgerAction.STATUS_CHANGED,
        actor=row.actor,
        now=row.recorded_at,
        occurred_at=row.occurred_at,
        about=ledger.References(row.call, operation),
        facts={
            "change": row.pk,
            "field": row.field,
            "old": row.old,
            "new": row.new,
            "source": row.source,
            "reason": row.reason,
            "graph_operation_id": said.graph_operation_id or (operation.graph_operation_id if operation else ""),
        },
    )


def reschedule(call: Call, *, now: datetime) -> None:
    """Write the next moments at which the sweep and the sync must look at this call, and save it."""
    _schedule((call,), now=now)
    call.save()


def reschedule_all(calls: Collection[Call], *, now: datetime) -> None:
    """The same for many calls at once: as many queries for a thousand as for one."""
    if _ask_for_one_another(calls):
        _save(calls)  # so that they find one another as they are now
    _schedule(calls, now=now)
    _save(calls)


def _ask_for_one_another(calls: Collection[Call]) -> bool:
    """Whether a verdict on one of them may depend on its other legs, which may be among them."""
    over = (call for call in calls if call.call_chain_id and not call.is_live)  # of few, so facts are made for few
    return any(rules.asks_for_siblings(call.facts()) for call in over)


type Columns = dict[str, Any]

_COLUMNS = [column.attname for column in Call._meta.concrete_fields]
_column_values = attrgetter(*_COLUMNS)


def columns_of(call: Call) -> Columns:
    """The call's row as it is, to be held against what becomes of it."""
    return dict(zip(_COLUMNS, _column_values(call), strict=True))


def reschedule_alike(calls: Collection[Call], *, before: Mapping[int, Columns], now: datetime) -> None:
    """As `reschedule_all`, for calls to which the same happens: a statement for each sort of change, not for each call.

    `before` holds what `columns_of` each of them was, by its key.
    """
    if _ask_for_one_another(calls):
        reschedule_all(calls, now=now)
        return
    _schedule(calls, now=now)
    alike: dict[tuple[tuple[str, Any], ...], list[Call]] = defaultdict(list)
    for call in calls:
        old, new = before[call.pk], columns_of(call)
        alike[tuple((name, new[name]) for name in new if name != "heard" and new[name] != old[name])].append(call)
    for changed, some in alike.items():
        columns = {**dict(changed), **_heard_anew(some, before)}
        if columns:
            Call.objects.filter(pk__in=[call.pk for call in some]).update(**columns)


def _heard_anew(calls: Collection[Call], before: Mapping[int, Columns]) -> dict[str, ByKey]:
    """The words behind the facts, which are each call's own."""
    if all(call.heard == before[call.pk]["heard"] for call in calls):
        return {}
    return {"heard": ByKey({call.pk: call.heard for call in calls}, JSONField())}


def _schedule(calls: Collection[Call], *, now: datetime) -> None:
    moments = next_moments(calls, now=now)
    for call in calls:
        call.due_after, call.probe_after = moments[call.pk], next_probe(call)


def _save(calls: Collection[Call]) -> None:
    """Save rows that are there and locked, all in one statement."""
    columns = [field.name for field in Call._meta.concrete_fields if not field.primary_key]
    Call.objects.bulk_create(calls, update_conflicts=True, unique_fields=["id"], update_fields=columns)


def told(call: Call, operation: Operation, *, actor: Actor, now: datetime) -> None:
    """Graph confirmed our correction: from now on this is what Teams was told."""
    sent_at = operation.attempts.order_by("-number").values_list("started_at", flat=True).first()
    said = word_told(call, operation, sent_at=sent_at or now, actor=actor, now=now)
    take_over(call, said, now=now, operation=operation)


def word_told(call: Call, operation: Operation, *, sent_at: datetime, actor: Actor, now: datetime) -> Said:
    """Graph's confirmation of what was sent at `sent_at`.

    One that comes late speaks for the moment of its sending: what was told since then stays.
    """
    overtaken = call.recording_status_at is not None and call.recording_status_at > sent_at
    at = sent_at if overtaken else now
    status = operation.requested_status
    # Its word on an operation is no word on the leg: a call that is gone stays gone.
    return Said(at, Source.GRAPH, actor=actor, recording_status=status, reason=operation.reason)


def note_gone(call: Call, *, now: datetime) -> None:
    """Graph answered 404 to a probe: see `word_gone`."""
    take_over(call, word_gone(actor=Actor.objects.graph(), now=now), now=now)


def word_gone(*, actor: Actor, now: datetime) -> Said:
    """Graph has no such call. That is not an end (invariant 5): corrections stop until a sign of life."""
    return Said(now, Source.GRAPH, actor=actor, gone=True, reason="Graph does not find the call any more")


def note_no_recording_call(call: Call, *, now: datetime) -> None:
    """Graph answered 8506: see `word_no_recording_call`."""
    take_over(call, word_no_recording_call(call, actor=Actor.objects.graph(), now=now), now=now)


def word_no_recording_call(call: Call, *, actor: Actor, now: datetime) -> Said:
    """Graph answered 8506: it takes no status for this leg, whoever asks."""
    why = "Graph said that this is not a compliance-recording call (8506)"
    call.status_refused_at = call.status_refused_at or now
    return Said(now, Source.GRAPH, actor=actor, is_policy_call=False, reason=why)


def note_probe(call: Call, probe: GraphCall, *, now: datetime) -> None:
    """Graph's answer to a GET of the call: a sign of life, or its end."""
    said = Said(now, Source.GRAPH, actor=Actor.objects.graph(), state=probe.state, gone=False)
    if probe.result:
        learn_result(call, said, probe.result, of_end=probe.state == CallState.TERMINATED)
    take_over(call, said, now=now)
