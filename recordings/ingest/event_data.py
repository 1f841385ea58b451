"""What each type of event needs in its `data`, so that nothing can fail once rows are being written."""

import json
from collections.abc import Callable
from dataclasses import replace

from recordings.choices import CallState, CaptureState, RecordingStatus
from recordings.graph.wire import Notification, WireError, parse_notifications
from recordings.graph.wire.operations import parse_result
from recordings.ingest.events import BadEvent, Event, call_id_of

MAX_HEARTBEAT_CALLS = 1000
_CAPTURES = (CaptureState.CAPTURING, CaptureState.PAUSED, CaptureState.STOPPED, CaptureState.FAILED)
_TOLD = (RecordingStatus.RECORDING, RecordingStatus.NOT_RECORDING, RecordingStatus.FAILED)


def checked(event: Event) -> Event:
    """The event with what its type carries. Raises BadEvent."""
    event.text("reason")
    return _CHECKS[event.type](event)


def _joined(event: Event) -> Event:
    if not event.text("tenantId"):
        raise BadEvent("data.tenantId is missing.")
    for name in ("state", "subject", "direction", "callChainId", "scenarioId"):
        event.text(name)
    event.person("recordedUser"), event.person("organizer")
    return _not_terminated(event)


def _state_changed(event: Event) -> Event:
    if not event.state:
        raise BadEvent("data.state is missing: say the call's state in Graph's word, for example established.")
    event.text("tenantId")
    return _not_terminated(event)


def _not_terminated(event: Event) -> Event:
    """Only the end event ends a call: it carries how (invariant 5)."""
    if event.state == CallState.TERMINATED:
        kind = event.type.removeprefix("onrecord.")
        raise BadEvent(f"data.state cannot be terminated in {kind}. Send onrecord.call.ended.")
    return event


def _ended(event: Event) -> Event:
    event.text("tenantId")
    try:
        parse_result(event.data, "data")
    except WireError as error:
        raise BadEvent(f"{error}.") from error
    return event


def _capture(event: Event) -> Event:
    event.text("tenantId")
    return event


def _status_told(event: Event) -> Event:
    if event.text("status") not in _TOLD:
        raise BadEvent("data.status must be recording, notRecording or failed.")
    event.part("operation"), event.text("tenantId")
    return event


def _heartbeat(event: Event) -> Event:
    calls = event.data.get("calls", [])
    if not isinstance(calls, list) or len(calls) > MAX_HEARTBEAT_CALLS:
        raise BadEvent(f"data.calls must be a list of at most {MAX_HEARTBEAT_CALLS} calls.")
    return replace(event, claims=tuple(_claim(number, item) for number, item in enumerate(calls)))


def _claim(number: int, item: object) -> tuple[str, str]:
    """The id of a call and what the recorder does there."""
    if not isinstance(item, dict):
        raise BadEvent(f"data.calls[{number}] must be an object.")
    state = item.get("captureState")
    if state not in _CAPTURES:
        raise BadEvent(f"data.calls[{number}].captureState must be capturing, paused, stopped or failed.")
    return call_id_of(item.get("id"), f"data.calls[{number}].id"), str(state)


def _graph_notification(event: Event) -> Event:
    """Graph's post as the recorder got it. Its token leaves `data` here, and is kept nowhere (invariant 9)."""
    authorization = event.data.get("authorization") or ""
    if not isinstance(authorization, str):
        raise BadEvent("data.authorization must be a text: the Authorization header that came with the notification.")
    if len(event.text("messageId")) > 128:
        raise BadEvent("data.messageId is longer than 128 characters.")
    data = {name: value for name, value in event.data.items() if name != "authorization"}
    return replace(event, data=data, notifications=_notifications(event), authorization=authorization)


def _notifications(event: Event) -> tuple[Notification, ...]:
    body = event.data.get("body")
    if not isinstance(body, str) or not body:
        raise BadEvent("data.body is missing: the body of Graph's request, as a text, exactly as it came.")
    try:
        return parse_notifications(json.loads(body))
    except WireError as error:
        raise BadEvent(f"data.body: {error}.") from error
    except (ValueError, RecursionError) as error:
        raise BadEvent("data.body is not JSON.") from error


_CHECKS: dict[str, Callable[[Event], Event]] = {
    "onrecord.call.joined": _joined,
    "onrecord.call.stateChanged": _state_changed,
    "onrecord.call.ended": _ended,
    "onrecord.capture.started": _capture,
    "onrecord.capture.paused": _capture,
    "onrecord.capture.stopped": _capture,
    "onrecord.capture.failed": _capture,
    "onrecord.status.told": _status_told,
    "onrecord.heartbeat": _heartbeat,
    "onrecord.graph.notification": _graph_notification,
}
TYPES = tuple(_CHECKS)
# These speak of no single call, so that they need no subject.
ABOUT_NO_CALL = ("onrecord.heartbeat", "onrecord.graph.notification")
