"""Graph's words, and ours, as choices. Label, tone and icon live beside the value they describe.

Values keep Graph's spelling (`graph.recordingStatus`, `graph.callState`, `graph.operationStatus`). A word
Graph invents later is stored as it came and shown as "Unknown (word)": see `look()`.
"""

from recordings.choices.bulk import BulkItemStatus, BulkKind, BulkStanding
from recordings.choices.calls import (
    CALL_STATE_RANK,
    CHANGED_FIELD_WORDS,
    SENDABLE_STATUSES,
    CallDirection,
    CallState,
    CaptureState,
    ChangedField,
    RecordingStatus,
    Source,
)
from recordings.choices.evidence import Alarm, ExportFormat, ExportSheet, ExportStatus, VerificationStatus
from recordings.choices.findings import (
    SETTLED_BY_PERSON,
    SEVERITY_ORDER,
    Resolution,
    RootCause,
    Rule,
    Severity,
    Subject,
)
from recordings.choices.ledger import FINDING_ACTIONS, HISTORY_ACTIONS, ActorKind, LedgerAction
from recordings.choices.operations import (
    FINAL_STATUSES,
    LIVE_STATUSES,
    ON_THE_WIRE,
    OPEN_OUTCOMES,
    AttemptOutcome,
    OperationStatus,
)
from recordings.choices.worded import Look, Worded, look

__all__ = [
    "CALL_STATE_RANK",
    "CHANGED_FIELD_WORDS",
    "FINAL_STATUSES",
    "FINDING_ACTIONS",
    "HISTORY_ACTIONS",
    "LIVE_STATUSES",
    "ON_THE_WIRE",
    "OPEN_OUTCOMES",
    "SENDABLE_STATUSES",
    "SETTLED_BY_PERSON",
    "SEVERITY_ORDER",
    "ActorKind",
    "Alarm",
    "AttemptOutcome",
    "BulkItemStatus",
    "BulkKind",
    "BulkStanding",
    "CallDirection",
    "CallState",
    "CaptureState",
    "ChangedField",
    "ExportFormat",
    "ExportSheet",
    "ExportStatus",
    "LedgerAction",
    "Look",
    "OperationStatus",
    "RecordingStatus",
    "Resolution",
    "RootCause",
    "Rule",
    "Severity",
    "Source",
    "Subject",
    "VerificationStatus",
    "Worded",
    "look",
]
