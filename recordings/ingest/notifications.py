"""Graph's calling notifications (Graph: commsNotification) to rows."""

from datetime import datetime

from django.db import transaction

from recordings import operations
from recordings.choices import AttemptOutcome, CallState, OperationStatus, Source
from recordings.graph.wire import GraphCall, GraphOperation, Notification
from recordings.ingest.calls import Said, locked_call, locked_or_new_call, take_over, told
from recordings.ingest.deliveries import is_first
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
        if message_id and not is_first(source=SOURCE, message_id=message_id, body=body, now=now):
            return False
        actor = Actor.objects.graph()
        for call_id in sorted({notification.call_id for notification in notifications}):
            locked_call(call_id)  # in one order, so that two messages never wait for each other in a ring
        for notification in notifications:
            _ingest(notification, tenant_id=tenant_id, actor=actor, now=now)
    return True


def _ingest(notification: Notification, *, tenant_id: str, actor: Actor, now: datetime) -> None:
    if notification.operation:
        _ingest_operation(notification.call_id, notification.operation, tenant_id=tenant_id, actor=actor, now=now)
        return
    call = _call_for(notification, tenant_id=tenant_id, now=now)
    if call is None:
        return
    ended = notification.kind == "call" and notification.change_type == "deleted"
    state = CallState.TERMINATED.value if ended else None
    if notification.call:
        merge(call, notification.call)
        state = state or notification.call.state
    # Graph speaks of a leg it still has, unless it says that the leg is over.
    said = Said(now, Source.GRAPH, actor=actor, state=state, gone=None if ended else False)
    take_over(call, said, now=now)


def _call_for(notification: Notification, *, tenant_id: str, now: datetime) -> Call | None:
    """The call spoken of. Only what Graph says of the call itself makes a new row, never a roster."""
    call = locked_call(notification.call_id)
    if call is None and notification.kind == "call":
        call = locked_or_new_call(notification.call_id, tenant_id=tenant_id, now=now)
    return call if call and call.tenant_id == tenant_id.lower() else None


def merge(call: Call, patch: GraphCall) -> None:
    """Take over what a sparse patch says; what it leaves out stays."""
    known = {
        "call_chain_id": patch.call_chain_id,
        "scenario_id": patch.scenario_id,
        "direction": patch.direction,
        "subject": patch.subject,
        # Only where nobody knew: an invitation that arrives late does not undo Graph's own refusal (8506).
        "is_policy_call": patch.is_policy_call if call.is_policy_call is None else None,
        "recorded_user_id": patch.recorded_user.id if patch.recorded_user else None,
        "recorded_user_name": patch.recorded_user.display_name if patch.recorded_user else None,
        "organizer_id": patch.organizer.id if patch.organizer else None,
        "organizer_name": patch.organizer.display_name if patch.organizer else None,
        "result_code": patch.result.code if patch.result else None,
        "result_subcode": patch.result.subcode if patch.result else None,
        "result_message": patch.result.message if patch.result else None,
    }
    for name, value in known.items():
        if value is not None and value != "":
            setattr(call, name, fitted(name, value))


def fitted(name: str, value: object) -> object:
    """Texts from outside, cut to the column: a long subject is no reason to lose the message."""
    limit = getattr(Call._meta.get_field(name), "max_length", None)
    return value[:limit] if isinstance(value, str) and limit else value


def _ingest_operation(call_id: str, word: GraphOperation, *, tenant_id: str, actor: Actor, now: datetime) -> None:
    """Settle our operation; client context first, id second (Graph: participant-invite shows an empty id)."""
    call = locked_call(call_id or _call_id_of(word))
    if call is None or call.tenant_id != tenant_id.lower():
        return
    operation = _operation_of(call, word)
    if operation:
        take_operation(call, operation, word, actor=actor, now=now)
    take_over(call, Said(now, Source.GRAPH, actor=actor), now=now)


def _call_id_of(word: GraphOperation) -> str:
    """The call of a notification whose address is unusable, as in one of Graph's own examples: by our context."""
    if not word.client_context:
        return ""
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
