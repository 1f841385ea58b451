"""The ledger: every step leaves an entry, in the transaction of the step itself."""

from recordings.ledger.access import AccessReport, access_on
from recordings.ledger.canonical import NotCanonical, Unreadable, canonical, timestamp
from recordings.ledger.checkpoint import BadCheckpoint, Checkpoint, SignedCheckpoint
from recordings.ledger.entries import References, Value, append, body_of, entry_of, facts_in, record
from recordings.ledger.keys import NoSigningKey, SigningKey, signing_key
from recordings.ledger.notes import BadNote, parse_note, sign_note, verifier_key
from recordings.ledger.places import places_of
from recordings.ledger.proofs import (
    TreeBroken,
    consistency_proof,
    inclusion_proof,
    nodes_of_ranges,
    proofs_of,
    range_nodes,
    ranges_of,
    root_at,
)
from recordings.ledger.readers import (
    note_call_printed,
    note_call_read,
    note_evidence_taken,
    note_finding_read,
    note_history_read,
)
from recordings.ledger.readings import forget_readings
from recordings.ledger.receipts import (
    Standing,
    Witnessed,
    end_turn,
    seals_to_hand,
    take_turn,
    witnessed,
    witnessed_until,
)
from recordings.ledger.sealing import CannotSeal, newest_seal, seal, seal_due
from recordings.ledger.settings_note import note_settings
from recordings.ledger.verifying import (
    Interrupted,
    NothingKept,
    kept_at,
    kept_in,
    newest_unfinished,
    newest_verdict,
    request_verification,
    standing_alarm,
    verify_due,
    verify_now,
)
from recordings.ledger.witnesses import BadWitness, WitnessAddress, is_off_host, witness_addresses

__all__ = [
    "AccessReport",
    "BadCheckpoint",
    "BadNote",
    "BadWitness",
    "CannotSeal",
    "Checkpoint",
    "Interrupted",
    "NoSigningKey",
    "NotCanonical",
    "NothingKept",
    "References",
    "SignedCheckpoint",
    "SigningKey",
    "Standing",
    "TreeBroken",
    "Unreadable",
    "Value",
    "WitnessAddress",
    "Witnessed",
    "access_on",
    "append",
    "body_of",
    "canonical",
    "consistency_proof",
    "end_turn",
    "entry_of",
    "facts_in",
    "forget_readings",
    "inclusion_proof",
    "is_off_host",
    "kept_at",
    "kept_in",
    "newest_seal",
    "newest_unfinished",
    "newest_verdict",
    "nodes_of_ranges",
    "note_call_printed",
    "note_call_read",
    "note_evidence_taken",
    "note_finding_read",
    "note_history_read",
    "note_settings",
    "parse_note",
    "places_of",
    "proofs_of",
    "range_nodes",
    "ranges_of",
    "record",
    "request_verification",
    "root_at",
    "seal",
    "seal_due",
    "seals_to_hand",
    "sign_note",
    "signing_key",
    "standing_alarm",
    "take_turn",
    "timestamp",
    "verifier_key",
    "verify_due",
    "verify_now",
    "witness_addresses",
    "witnessed",
    "witnessed_until",
]
