"""The ledger: every step leaves an entry, in the transaction of the step itself."""

from recordings.ledger.canonical import NotCanonical, canonical, timestamp
from recordings.ledger.entries import References, Value, append, body_of, entry_of, record
from recordings.ledger.places import places_of
from recordings.ledger.readers import note_call_read, note_evidence_taken, note_history_read
from recordings.ledger.receipts import (
    Standing,
    Witnessed,
    end_turn,
    seals_to_hand,
    take_turn,
    witnessed,
    witnessed_until,
)
from recordings.ledger.witnesses import BadWitness, WitnessAddress, witness_addresses

__all__ = [
    "BadWitness",
    "NotCanonical",
    "References",
    "Standing",
    "Value",
    "WitnessAddress",
    "Witnessed",
    "append",
    "body_of",
    "canonical",
    "end_turn",
    "entry_of",
    "note_call_read",
    "note_evidence_taken",
    "note_history_read",
    "places_of",
    "record",
    "seals_to_hand",
    "take_turn",
    "timestamp",
    "witness_addresses",
    "witnessed",
    "witnessed_until",
]
