"""The only writer of Operation, Attempt and AttemptResult; one table of legal moves.

Every function runs in the caller's transaction and leaves its ledger entry there. Callers lock the call's row first.
What is done to one is done to many by the same function: one is a batch of one.
"""

from recordings.operations.moves import (
    LEGAL_MOVES,
    NONE,
    Columns,
    IllegalMove,
    OperationInProgress,
    Outcome,
    lease,
    move,
    settle,
    wait,
)
from recordings.operations.tries import (
    HARMLESS,
    Finished,
    finish_attempt,
    finish_attempts,
    may_have_acted,
    start_attempt,
    start_attempts,
)
from recordings.operations.wishes import Wish, approve, client_context_of, create, create_many

__all__ = [
    "HARMLESS",
    "LEGAL_MOVES",
    "NONE",
    "Columns",
    "Finished",
    "IllegalMove",
    "OperationInProgress",
    "Outcome",
    "Wish",
    "approve",
    "client_context_of",
    "create",
    "create_many",
    "finish_attempt",
    "finish_attempts",
    "lease",
    "may_have_acted",
    "move",
    "settle",
    "start_attempt",
    "start_attempts",
    "wait",
]
