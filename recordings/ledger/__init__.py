"""The ledger: every step leaves an entry, in the transaction of the step itself."""

from recordings.ledger.canonical import NotCanonical, canonical, timestamp
from recordings.ledger.entries import Value, body_of, record

__all__ = ["NotCanonical", "Value", "body_of", "canonical", "record", "timestamp"]
