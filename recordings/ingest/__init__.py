"""Taking facts in: the only writer of Call and StatusChange."""

from recordings.ingest.calls import (
    facts_of,
    locked_call,
    note_gone,
    note_no_recording_call,
    note_probe,
    reschedule,
    settled_rules,
    told,
)
from recordings.ingest.cloudevents import BadEvent, Event, parse_event
from recordings.ingest.imports import FORMATS, Imported, ImportRefused, import_calls
from recordings.ingest.notifications import ingest_notifications, outcome_of, status_after, take_operation
from recordings.ingest.recorder import NotYours, ingest_event

__all__ = [
    "FORMATS",
    "BadEvent",
    "Event",
    "ImportRefused",
    "Imported",
    "NotYours",
    "facts_of",
    "import_calls",
    "ingest_event",
    "ingest_notifications",
    "locked_call",
    "note_gone",
    "note_no_recording_call",
    "note_probe",
    "outcome_of",
    "parse_event",
    "reschedule",
    "settled_rules",
    "status_after",
    "take_operation",
    "told",
]
