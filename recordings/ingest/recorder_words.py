"""What an event of a recorder says, in the shapes that Graph's words have, too."""

from recordings.choices import CallState, CaptureState, Source
from recordings.graph.wire import GraphCall
from recordings.graph.wire.operations import parse_result
from recordings.ingest.calls import Said
from recordings.ingest.events import Event
from recordings.models import Actor

_CAPTURES = {
    "onrecord.capture.started": CaptureState.CAPTURING,
    "onrecord.capture.paused": CaptureState.PAUSED,
    "onrecord.capture.stopped": CaptureState.STOPPED,
    "onrecord.capture.failed": CaptureState.FAILED,
}


def said_in(event: Event, *, actor: Actor) -> Said:
    """The event's word on the one call it speaks of."""
    capture = _CAPTURES.get(event.type)
    has_ended = event.type == "onrecord.call.ended"
    return Said(
        event.at,
        Source.RECORDER,
        sequence=event.sequence,
        actor=actor,
        state=CallState.TERMINATED.value if has_ended else _state_in(event),
        capture_state=capture.value if capture else None,
        recording_status=_told_in(event),
        gone=None if has_ended else False,
        reason=event.text("reason"),
        graph_operation_id=_operation_id_in(event),
    )


def facts_in(event: Event) -> GraphCall | None:
    """Facts that come with the event, in the shape of Graph's call, so that one merge serves both."""
    if event.type == "onrecord.call.ended":
        return GraphCall(id=event.call_id, result=parse_result(event.data, "data"))
    if event.type != "onrecord.call.joined":
        return None
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


def _state_in(event: Event) -> str | None:
    says_state = event.type in ("onrecord.call.joined", "onrecord.call.stateChanged")
    return event.state if says_state else None


def _told_in(event: Event) -> str | None:
    """What the recorder says Graph confirmed to it; an operation that is not completed confirms nothing.

    Graph's null status is not final either (Graph: commsOperation).
    """
    if event.type != "onrecord.status.told":
        return None
    if event.data.get("operation") is not None and str(event.part("operation").get("status")).lower() != "completed":
        return None
    return event.text("status")


def _operation_id_in(event: Event) -> str:
    """The operation that Graph answered to the recorder, for who looks it up at Microsoft."""
    named = event.part("operation").get("id") if event.type == "onrecord.status.told" else None
    return named[:128] if isinstance(named, str) else ""
