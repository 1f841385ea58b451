"""The ledger: every step leaves an entry, in the transaction of the step itself."""

from recordings.ledger.canonical import NotCanonical, canonical, timestamp
from recordings.ledger.entries import References, Value, append, body_of, entry_of, record
from recordings.ledger.places import places_of

__all__ = [
    "NotCanonical",
    "References",
    "Value",
    "append",
    "body_of",
    "canonical",
    "entry_of",
    "places_of",
    "record",
    "timestamp",
]
