"""JSON to frozen dataclasses and back: named fields only, parsed at the border, WireError where something is not so."""

from recordings.graph.wire.calls import GraphCall, parse_call
from recordings.graph.wire.fields import (
    CALL_STATES,
    CHANGE_TYPES,
    DIRECTIONS,
    ID_PATTERN,
    OPERATION_STATUSES,
    RECORDING_STATUSES,
    WireError,
    clean_id,
)
from recordings.graph.wire.notifications import Notification, parse_notifications
from recordings.graph.wire.operations import (
    GraphOperation,
    ResultInfo,
    parse_operation,
    parse_operations,
    recording_status_body,
)
from recordings.graph.wire.people import Participant, Person, parse_participants

__all__ = [
    "CALL_STATES",
    "CHANGE_TYPES",
    "DIRECTIONS",
    "ID_PATTERN",
    "OPERATION_STATUSES",
    "RECORDING_STATUSES",
    "GraphCall",
    "GraphOperation",
    "Notification",
    "Participant",
    "Person",
    "ResultInfo",
    "WireError",
    "clean_id",
    "parse_call",
    "parse_notifications",
    "parse_operation",
    "parse_operations",
    "parse_participants",
    "recording_status_body",
]
