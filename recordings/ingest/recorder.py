"""A recorder's events to rows. A token speaks only for its own recorder, tenants and calls."""

from datetime import datetime

from django.db import transaction

from recordings.choices import CallState, CaptureState, Source
from recordings.graph.wire import GraphCall
from recordings.graph.wire.operations import parse_result
from recordings.ingest.calls import Said, locked_call, locked_or_new_call, take_over
from recordings.ingest.cloudevents import Event, claims
from recordings.ingest.deliveries import is_first
from recordings.ingest.notifications import merge
from recordings.ingest.watch import heard_recorder
from recordings.models import Actor, Call, Recorder

_CAPTURE = {
    "onrecord.capture.started": CaptureState.CAPTURING,
    "onrecord.capture.stopped": CaptureState.STOPPED,
    "onrecord.capture.failed": CaptureState.FAILED,
}


class NotYours(Exception):
    """The token does not speak for this tenant or call. Nothing was stored."""


def ingest_event(event: Event, *, recorder: Recorder, body: bytes, now: datetime) -> bool:
    """Take in one event of `recorder`, all of it or nothing; False if it is a double. Raises NotYours."""
    with transaction.atomic():
        if not is_first(source=f"recorder/{recorder.pk}", message_id=event.identity, body=body, now=now):
            return False
        heard_recorder(recorder, now=now)
        actor = Actor.objects.recorder(recorder)
        if event.type == "onrecord.heartbeat":
            _beat(event, recorder=recorder, actor=actor, now=now)
        else:
            _tell(event, recorder=recorder, actor=actor, now=now)
    return True


def _beat(event: Event, *, recorder: Recorder, actor: Actor, now: datetime) -> None:
    """A claim for each call it names. Calls are locked in one order, so that two heartbeats never wait in a ring."""
    for call_id, capture_state in sorted(claims(event)):
        call = locked_call(call_id)
        if call is None:
            continue
        _check_owner(call, recorder)
        # Whoever makes a claim answers for the leg from then on: nobody else's claim can permit a correction.
        call.recorder = recorder
        said = Said(event.at, Source.RECORDER, actor=actor, capture_state=capture_state, gone=False, is_heartbeat=True)
        take_over(call, said, now=now)


def _tell(event: Event, *, recorder: Recorder, actor: Actor, now: datetime) -> None:
    call = _call_for(event, recorder=recorder, now=now)
    _check_owner(call, recorder)
    call.recorder = recorder
    if event.type == "onrecord.call.joined":
        merge(call, _joined_call(event))
    if event.type == "onrecord.call.ended":
        merge(call, _ended_call(event))
    capture = _CAPTURE.get(event.type)
    said = Said(
        event.at,
        Source.RECORDER,
        actor=actor,
        state=_state(event),
        capture_state=capture.value if capture else None,
        recording_status=_told(event),
        gone=None if event.type == "onrecord.call.ended" else False,
        reason=event.text("reason"),
        graph_operation_id=_operation_id(event),
    )
    take_over(call, said, now=now)


def _call_for(event: Event, *, recorder: Recorder, now: datetime) -> Call:
    """The call an event speaks of. Its tenant comes with `call.joined`; without one it must be the recorder's only."""
    call = locked_call(event.call_id)
    if call:
        return call
    tenant_id = event.text("tenantId") or (recorder.tenants[0] if len(recorder.tenants) == 1 else "")
    if not recorder.speaks_for(tenant_id):
        raise NotYours(f"This token does not speak for the tenant of call {event.call_id}.")
    return locked_or_new_call(event.call_id, tenant_id=tenant_id, now=now)


def _check_owner(call: Call, recorder: Recorder) -> None:
    if not recorder.speaks_for(call.tenant_id):
        raise NotYours(f"This token does not speak for the tenant of call {call.graph_id}.")
    if call.recorder_id not in (None, recorder.pk):
        raise NotYours(f"Call {call.graph_id} belongs to another recorder.")


def _joined_call(event: Event) -> GraphCall:
    """A joined event in the shape of Graph's call, so that one merge serves both."""
    policy = event.data.get("isPolicyCall")
    return GraphCall(
        id=event.call_id,
        direction=event.text("direction") or None,
        subject=event.text("subject") or None,
        call_chain_id=event.text("callChainId") or None,
        scenario_id=event.text("scenarioId") or None,
        recorded_user=event.person("recordedUser"),
        organizer=event.person("organizer"),
        is_policy_call=policy if isinstance(policy, bool) else None,
    )


def _ended_call(event: Event) -> GraphCall:
    return GraphCall(id=event.call_id, result=parse_result(event.data, "data"))


def _state(event: Event) -> str | None:
    if event.type == "onrecord.call.ended":
        return str(CallState.TERMINATED)
    return event.state if event.type == "onrecord.call.joined" else None


def _told(event: Event) -> str | None:
    """What the recorder says Graph confirmed to it; an operation that is not completed confirms nothing.

    Graph's null status is not final either (Graph: commsOperation).
    """
    if event.type != "onrecord.status.told":
        return None
    if event.data.get("operation") is not None and str(event.part("operation").get("status")).lower() != "completed":
        return None
    return event.text("status")


def _operation_id(event: Event) -> str:
    """The operation that Graph answered to the recorder, for who looks it up at Microsoft."""
    named = event.part("operation").get("id") if event.type == "onrecord.status.told" else None
    return named[:128] if isinstance(named, str) else ""
