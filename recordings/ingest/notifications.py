"""Graph's calling notifications (Graph: commsNotification) to rows."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from recordings import operations
from recordings.choices import AttemptOutcome, CallState, OperationStatus, Source
from recordings.graph.wire import GraphCall, GraphOperation, Notification
from recordings.ingest.calls import Said, take_in, told
from recordings.ingest.deliveries import first_of
from recordings.ingest.held import HeldCalls, hold_calls
from recordings.ingest.observing import Observation, learn, learn_result
from recordings.models import Actor, Call, Operation

SOURCE = "graph"


def ingest_notifications(
    notifications: tuple[Notification, ...], *, tenant_id: str, message_id: str, body: bytes, now: datetime
) -> bool:
    """Take in one authenticated message of Graph for `tenant_id`, all of it or nothing.

    False if the message is a double (same X-Microsoft-Skype-Message-ID). Without an id every message is looked at:
    one that says nothing new changes nothing (invariant 5).
    """
    with transaction.atomic():
        if message_id and not first_of([message_id], source=SOURCE, body=body, now=now):
            return False
        held = hold_calls(
            ids_of(notifications),
            making=dict.fromkeys(made_by(notifications), tenant_id),
            chains=chains_of(notifications),
            ending=ended_by(notifications),
            now=now,
        )
        take_notifications(notifications, held, tenant_id=tenant_id, at=now, now=now)
        held.put_back(now=now)
    return True


def ids_of(notifications: Iterable[Notification]) -> set[str]:
    return {call_id for each in notifications if (call_id := _call_id_of(each))}


def made_by(notifications: Iterable[Notification]) -> set[str]:
    """Only what Graph says of the call itself makes a new row, never a roster."""
    return {each.call_id for each in notifications if each.kind == "call"}


def chains_of(notifications: Iterable[Notification]) -> set[str]:
    return {each.call.call_chain_id for each in notifications if each.call and each.call.call_chain_id}


def ended_by(notifications: Iterable[Notification]) -> set[str]:
    """The calls that they say are over."""
    return {each.call_id for each in notifications if _is_end(each)}


def _is_end(notification: Notification) -> bool:
    is_over = notification.call is not None and notification.call.state == CallState.TERMINATED
    return notification.kind == "call" and (notification.change_type == "deleted" or is_over)


def take_notifications(
    notifications: Iterable[Notification], held: HeldCalls, *, tenant_id: str, at: datetime, now: datetime
) -> None:
    """Graph's own word on calls of `tenant_id` for the moment `at`; whoever holds the calls saves them.

    Of several of one message the later ones are the later words.
    """
    actor = Actor.objects.graph()
    for number, notification in enumerate(notifications):
        call = held.get(_call_id_of(notification))
        if call is None or call.tenant_id != tenant_id.lower():
            continue
        said = Said(at, Source.GRAPH, sequence=number, actor=actor)
        if notification.operation:
            _take_operation(call, notification.operation, said, now=now)
            held.note_settled(call.graph_id)
        else:
            take_in(call, said_of_call(call, notification, said), now=now)


def said_of_call(call: Call, notification: Notification, said: Said) -> Said:
    """What a notification about a call says, in the words of whoever says it; its facts are merged."""
    ended = notification.kind == "call" and notification.change_type == "deleted"
    state = CallState.TERMINATED.value if ended else None
    if notification.call:
        state = state or notification.call.state
    # Who speaks of a leg still has it, unless it says that the leg is over.
    whole = replace(said, state=state, gone=None if ended else False)
    if notification.call:
        merge(call, notification.call, whole)
    return whole


def merge(call: Call, patch: GraphCall, said: Observation) -> None:
    """Take over what a sparse patch says; what it leaves out stays."""
    user, organizer = patch.recorded_user, patch.organizer
    said_of = {
        "call_chain_id": patch.call_chain_id,
        "scenario_id": patch.scenario_id,
        "direction": patch.direction,
        "subject": patch.subject,
        # An invitation that arrives late does not undo Graph's own refusal (8506).
        "is_policy_call": patch.is_policy_call if call.status_refused_at is None else None,
        "recorded_user_id": user.id if user else None,
        "recorded_user_name": user.display_name if user else None,
        "organizer_id": organizer.id if organizer else None,
        "organizer_name": organizer.display_name if organizer else None,
    }
    learn(call, said, {name: fitted(name, value) for name, value in said_of.items()})
    if patch.result:
        learn_result(call, said, patch.result, of_end=said.state == CallState.TERMINATED)


def fitted(name: str, value: object) -> object:
    """Texts from outside, cut to the column: a long subject is no reason to lose the message."""
    limit = getattr(Call._meta.get_field(name), "max_length", None)
    return value[:limit] if isinstance(value, str) and limit else value


def _take_operation(call: Call, word: GraphOperation, said: Said, *, now: datetime) -> None:
    """Settle our operation; client context first, id second (Graph: participant-invite shows an empty id)."""
    operation = _operation_of(call, word)
    if operation:
        take_operation(call, operation, word, actor=said.actor, now=now)
    take_in(call, said, now=now)


def _call_id_of(notification: Notification) -> str:
    """The call it is about; where its address is unusable, as in one of Graph's own examples, by our context."""
    word = notification.operation
    if notification.call_id or not (word and word.client_context):
        return notification.call_id
    ours = Operation.objects.filter(client_context=word.client_context)
    return ours.values_list("call__graph_id", flat=True).first() or ""


def _operation_of(call: Call, word: GraphOperation) -> Operation | None:
    ours = Operation.objects.filter(call=call)
    if word.client_context:
        return ours.filter(client_context=word.client_context).first()
    return ours.filter(graph_operation_id=word.id).first() if word.id else None


def take_operation(call: Call, operation: Operation, word: GraphOperation, *, actor: Actor, now: datetime) -> None:
    """Graph's word on one of our operations, from a notification, an answer or a GET; the call's row is locked."""
    to = status_after(word.status)
    if operations.settle(operation, outcome_of(word), to=to, actor=actor, now=now) and to == OperationStatus.COMPLETED:
        told(call, operation, actor=actor, now=now)


def status_after(graph_status: str) -> OperationStatus:
    """Our status for Graph's word; an empty or new one is not final (Graph: commsOperation)."""
    known = {
        "completed": OperationStatus.COMPLETED,
        "failed": OperationStatus.FAILED,
        "running": OperationStatus.RUNNING,
    }
    return known.get(graph_status.lower(), OperationStatus.NOT_STARTED)


def outcome_of(word: GraphOperation) -> operations.Outcome:
    """Graph's word as an outcome; what only a request has, such as its id, is for the caller to add."""
    result = word.result
    return operations.Outcome(
        AttemptOutcome.ACCEPTED,
        code=str(result.code) if result and result.code is not None else "",
        subcode=str(result.subcode) if result and result.subcode is not None else "",
        message=result.message if result else "",
        graph_operation_id=word.id or "",
        graph_status=word.status,
    )
