"""Taking facts in: the only writer of Call and StatusChange."""

from recordings.ingest.calls import (
    Said,
    columns_of,
    locked_call,
    note_gone,
    note_no_recording_call,
    note_probe,
    reschedule,
    reschedule_alike,
    reschedule_all,
    take_in_all,
    told,
    word_gone,
    word_no_recording_call,
    word_told,
)
from recordings.ingest.cloudevents import TooManyEvents, parse_events
from recordings.ingest.events import BadEvent, Event
from recordings.ingest.forgetting import Called, called, forget_called
from recordings.ingest.held import locked_calls
from recordings.ingest.imports import FORMATS, Imported, ImportRefused, import_calls
from recordings.ingest.moments import facts_of, next_moment, next_moments, settled_rules
from recordings.ingest.notifications import ingest_notifications, outcome_of, status_after, take_operation
from recordings.ingest.observing import Observation, observe
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
    "Called",
    "Event",
    "ImportRefused",
    "Imported",
    "NotYours",
    "Observation",
    "Said",
    "TooManyEvents",
    "beat",
    "beat_missed",
    "called",
    "close_blind_spot",
    "columns_of",
    "facts_of",
    "forget_called",
    "heard_recorder",
    "import_calls",
    "ingest_events",
    "ingest_notifications",
    "is_beat_due",
    "is_silent",
    "lease_probes",
    "locked_call",
    "locked_calls",
    "next_moment",
    "next_moments",
    "note_blocked",
    "note_gone",
    "note_no_recording_call",
    "note_probe",
    "note_served",
    "observe",
    "open_blind_spot",
    "outcome_of",
    "parse_events",
    "put_off_probes",
    "recorder_facts",
    "reschedule",
    "reschedule_alike",
    "reschedule_all",
    "reschedule_recorder",
    "reschedule_tenant",
    "settled_rules",
    "status_after",
    "take_in_all",
    "take_operation",
    "told",
    "word_gone",
    "word_no_recording_call",
    "word_told",
]
