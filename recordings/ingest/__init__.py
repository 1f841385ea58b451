"""Taking facts in: the only writer of Call and StatusChange."""

from recordings.ingest.calls import (
    facts_of,
    locked_call,
    next_moment,
    note_gone,
    note_no_recording_call,
    note_probe,
    reschedule,
    settled_rules,
    told,
)
from recordings.ingest.cloudevents import TooManyEvents, parse_events
from recordings.ingest.events import BadEvent, Event
from recordings.ingest.imports import FORMATS, Imported, ImportRefused, import_calls
from recordings.ingest.notifications import ingest_notifications, outcome_of, status_after, take_operation
from recordings.ingest.probes import lease_probes, put_off_probes
from recordings.ingest.recorder import NotYours, ingest_events
from recordings.ingest.watch import (
    beat,
    beat_missed,
    close_blind_spot,
    heard_recorder,
    is_beat_due,
    is_silent,
    note_blocked,
    note_served,
    open_blind_spot,
    recorder_facts,
    reschedule_recorder,
    reschedule_tenant,
)

__all__ = [
    "FORMATS",
    "BadEvent",
    "Event",
    "ImportRefused",
    "Imported",
    "NotYours",
    "TooManyEvents",
    "beat",
    "beat_missed",
    "close_blind_spot",
    "facts_of",
    "heard_recorder",
    "import_calls",
    "ingest_events",
    "ingest_notifications",
    "is_beat_due",
    "is_silent",
    "lease_probes",
    "locked_call",
    "next_moment",
    "note_blocked",
    "note_gone",
    "note_no_recording_call",
    "note_probe",
    "note_served",
    "open_blind_spot",
    "outcome_of",
    "parse_events",
    "put_off_probes",
    "recorder_facts",
    "reschedule",
    "reschedule_recorder",
    "reschedule_tenant",
    "settled_rules",
    "status_after",
    "take_operation",
    "told",
]
