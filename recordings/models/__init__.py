"""The rows. Ingest, operations, findings and ledger each write their own, and nobody else's."""

from recordings.models.bulk import BulkItem, BulkJob
from recordings.models.calls import Call, CallQuerySet, Delivery, FactsBeside, StatusChange
from recordings.models.findings import EvidenceFile, Finding, FindingQuerySet
from recordings.models.ledger import Leaf, LedgerEntry, Node, Seal, Unsealed
from recordings.models.many import ByKey
from recordings.models.operations import Attempt, AttemptResult, Operation, OperationQuerySet
from recordings.models.people import Actor, Recorder
from recordings.models.watch import Beat, BlindSpot, BlindSpotQuerySet, RequestBudget, Tenant

__all__ = [
    "Actor",
    "Attempt",
    "AttemptResult",
    "Beat",
    "BlindSpot",
    "BlindSpotQuerySet",
    "BulkItem",
    "BulkJob",
    "ByKey",
    "Call",
    "CallQuerySet",
    "Delivery",
    "EvidenceFile",
    "FactsBeside",
    "Finding",
    "FindingQuerySet",
    "Leaf",
    "LedgerEntry",
    "Node",
    "Operation",
    "OperationQuerySet",
    "Recorder",
    "RequestBudget",
    "Seal",
    "StatusChange",
    "Tenant",
    "Unsealed",
]
