"""The rows. Ingest, operations, findings and ledger each write their own, and nobody else's."""

from recordings.models.audit import Reading, SettingsNote, Verification, Witness
from recordings.models.bulk import BulkItem, BulkJob
from recordings.models.calls import Call, CallQuerySet, Delivery, FactsBeside, StatusChange
from recordings.models.exports import Export, ExportPart
from recordings.models.findings import EvidenceFile, Finding, FindingQuerySet
from recordings.models.ledger import LeafBatch, LedgerEntry, Node, Receipt, Seal, SealingTurn, SealKey, Unsealed
from recordings.models.many import ByKey
from recordings.models.operations import Attempt, AttemptResult, Operation, OperationQuerySet
from recordings.models.people import Actor, Recorder
from recordings.models.watch import Beat, BlindSpot, BlindSpotQuerySet, ClockSkew, RequestBudget, Tenant

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
    "ClockSkew",
    "Delivery",
    "EvidenceFile",
    "Export",
    "ExportPart",
    "FactsBeside",
    "Finding",
    "FindingQuerySet",
    "LeafBatch",
    "LedgerEntry",
    "Node",
    "Operation",
    "OperationQuerySet",
    "Reading",
    "Receipt",
    "Recorder",
    "RequestBudget",
    "Seal",
    "SealKey",
    "SealingTurn",
    "SettingsNote",
    "StatusChange",
    "Tenant",
    "Unsealed",
    "Verification",
    "Witness",
]
