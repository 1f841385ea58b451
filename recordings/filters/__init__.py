"""The filters of the lists; the CSV exports take the same ones, so that people get what they see.

A word that is not understood is an error of its field, never a filter that silently lets everything through.
"""

from recordings.filters.calls import CALL_STATES, CallFilter
from recordings.filters.findings import FindingFilter, in_phase
from recordings.filters.ledger import LedgerFilter
from recordings.filters.operations import OperationFilter
from recordings.filters.words import known_words, words_of

__all__ = [
    "CALL_STATES",
    "CallFilter",
    "FindingFilter",
    "LedgerFilter",
    "OperationFilter",
    "in_phase",
    "known_words",
    "words_of",
]
