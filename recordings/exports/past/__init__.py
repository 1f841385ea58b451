"""Calls, corrections and findings as they stood at a moment, worked out anew from what the ledger had by then."""

from recordings.exports.past.calls import calls_as_of
from recordings.exports.past.findings import findings_as_of
from recordings.exports.past.operations import operations_as_of

PAST = {"calls": calls_as_of, "operations": operations_as_of, "findings": findings_as_of}

__all__ = ["PAST"]
