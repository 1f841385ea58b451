"""The rows. Ingest, operations, findings and ledger each write their own, and nobody else's."""

from recordings.models.calls import Call, CallQuerySet, Change, Delivery, StatusChange
from recordings.models.findings import Finding, FindingQuerySet
from recordings.models.ledger import Leaf, LedgerEntry, Node, Seal, Unsealed
from recordings.models.operations import Attempt, AttemptResult, Operation, OperationQuerySet
from recordings.models.people import Actor, Recorder

__all__ = [
    "Actor",
    "Attempt",
    "AttemptResult",
    "Call",
    "CallQuerySet",
    "Change",
    "Delivery",
    "Finding",
    "FindingQuerySet",
    "Leaf",
    "LedgerEntry",
    "Node",
    "Operation",
    "OperationQuerySet",
    "Recorder",
    "Seal",
    "StatusChange",
    "Unsealed",
]
