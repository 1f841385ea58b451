"""Graph's words, and ours, as choices. Label, tone and icon live beside the value they describe.

Values keep Graph's spelling (`graph.recordingStatus`, `graph.callState`, `graph.operationStatus`). A word
Graph invents later is stored as it came and shown as "Unknown (word)": see `look()`.
"""

from dataclasses import dataclass
from typing import Self

from django.db import models


class Worded(str, models.Choices):
    """A text choice that knows how it looks: `NAME = value, tone, icon, label`."""

    tone: str
    icon: str

    def __new__(cls, value: str, tone: str = "", icon: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.tone = tone
        member.icon = icon
        return member

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class Look:
    """What a template needs to draw one value: the word itself, its label, tone and icon."""

    value: str
    label: str
    tone: str
    icon: str


def look(choices: type[Worded], value: str) -> Look:
    """The look of `value`, also of a word nobody has told us about yet."""
    try:
        member = choices(value)
    except ValueError:
        return Look(value=value, label=f"Unknown ({value})", tone="warn", icon="r-unknown")
    return Look(value=value, label=str(member.label), tone=member.tone, icon=member.icon)


class CallState(Worded):
    INCOMING = "incoming", "info", "c-incoming", "Incoming"
    RINGING = "ringing", "info", "c-incoming", "Ringing"
    ESTABLISHING = "establishing", "info", "c-establishing", "Establishing"
    ESTABLISHED = "established", "info", "c-established", "Established"
    HOLD = "hold", "warn", "c-hold", "On hold"
    TRANSFERRING = "transferring", "flow", "c-transferring", "Transferring"
    TRANSFER_ACCEPTED = "transferAccepted", "flow", "c-transferAccepted", "Transfer accepted"
    REDIRECTING = "redirecting", "flow", "c-redirecting", "Redirecting"
    TERMINATING = "terminating", "mute", "c-terminating", "Terminating"
    TERMINATED = "terminated", "mute", "c-terminated", "Terminated"
    UNKNOWN = "", "mute", "r-unknown", "Not reported"


# Invariant 5: a lower rank never replaces a higher one; inside one rank the last received wins.
CALL_STATE_RANK = {
    CallState.UNKNOWN: 0,
    CallState.INCOMING: 1,
    CallState.RINGING: 1,
    CallState.ESTABLISHING: 2,
    CallState.ESTABLISHED: 3,
    CallState.HOLD: 3,
    CallState.TRANSFERRING: 3,
    CallState.TRANSFER_ACCEPTED: 3,
    CallState.REDIRECTING: 3,
    CallState.TERMINATING: 4,
    CallState.TERMINATED: 5,
}


class CallDirection(Worded):
    INCOMING = "incoming", "mute", "c-incoming", "Incoming"
    OUTGOING = "outgoing", "mute", "c-outgoing", "Outgoing"


class RecordingStatus(Worded):
    """What Teams was told. `unknown` means nobody has told us of any status; we never send it (invariant 7)."""

    UNKNOWN = "unknown", "warn", "r-unknown", "Not told yet"
    NOT_RECORDING = "notRecording", "mute", "r-notRecording", "Not recording"
    RECORDING = "recording", "ok", "r-recording", "Recording"
    FAILED = "failed", "bad", "r-failed", "Failed"


SENDABLE_STATUSES = (RecordingStatus.RECORDING, RecordingStatus.NOT_RECORDING, RecordingStatus.FAILED)


class CaptureState(Worded):
    """What the recorder says it is doing."""

    UNKNOWN = "unknown", "mute", "r-unknown", "Not reported"
    CAPTURING = "capturing", "ok", "r-recording", "Capturing"
    PAUSED = "paused", "warn", "c-hold", "Paused"
    STOPPED = "stopped", "mute", "r-notRecording", "Stopped"
    FAILED = "failed", "bad", "r-failed", "Capture failed"


class OperationStatus(Worded):
    AWAITING_APPROVAL = "awaitingApproval", "warn", "o-awaitingApproval", "Waiting for approval"
    PENDING = "pending", "mute", "o-pending", "Waiting to be sent"
    SENT = "sent", "info", "o-running", "Sent, waiting for the answer"
    NOT_STARTED = "notStarted", "mute", "o-pending", "Not started"
    RUNNING = "running", "info", "o-running", "Running"
    UNKNOWN = "unknown", "warn", "o-unknown", "Unknown"
    COMPLETED = "completed", "ok", "o-completed", "Completed"
    FAILED = "failed", "bad", "o-failed", "Failed"
    DECLINED = "declined", "mute", "o-declined", "Declined"
    EXPIRED = "expired", "mute", "o-expired", "Expired"
    CANCELLED = "cancelled", "mute", "o-cancelled", "Cancelled"
    UNRESOLVED = "unresolved", "warn", "o-unresolved", "Unresolved"


# Perhaps at Graph, perhaps not, and nobody is just sending it: a person may give up on such an outcome.
OPEN_OUTCOMES = (OperationStatus.NOT_STARTED, OperationStatus.RUNNING, OperationStatus.UNKNOWN)
ON_THE_WIRE = (OperationStatus.SENT, *OPEN_OUTCOMES)
# Invariant 4: at most one operation of a call is in one of these.
LIVE_STATUSES = (OperationStatus.PENDING, *ON_THE_WIRE)
FINAL_STATUSES = (
    OperationStatus.COMPLETED,
    OperationStatus.FAILED,
    OperationStatus.DECLINED,
    OperationStatus.EXPIRED,
    OperationStatus.CANCELLED,
    OperationStatus.UNRESOLVED,
)


class Severity(Worded):
    CRITICAL = "critical", "bad", "v-critical", "Critical"
    HIGH = "high", "bad", "v-high", "High"
    MEDIUM = "medium", "warn", "v-medium", "Medium"
    LOW = "low", "mute", "v-low", "Low"


SEVERITY_ORDER = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)


class Rule(Worded):
    """Why a status is stuck. The value is the stable code an auditor quotes; the room rules holds the conditions.

    R1 to R19 are the codes of the reference on Graph; a code that is missing here is no rule of ours. R14, several legs
    of one person, is none either: Graph says that it is no error, so the pages show such legs together.
    """

    CAPTURING_UNTOLD = "R1", "bad", "v-critical", "Capturing, but Teams was not told"
    TOLD_NOT_CAPTURING = "R2", "bad", "v-high", "Told recording, but not capturing"
    TOLD_OTHERWISE = "R3", "bad", "v-critical", "Capturing, but Teams was told otherwise"
    OPERATION_UNSETTLED = "R4", "warn", "v-medium", "Correction not settled"
    OPERATION_FAILED = "R5", "bad", "v-high", "Correction failed, and nothing put it right"
    TOLD_AFTER_END = "R7", "bad", "v-high", "Still told recording after the call ended"
    NO_SIGN_OF_LIFE = "R8", "warn", "v-medium", "No sign of life"
    ORPHAN_LEG = "R9", "bad", "v-high", "The call goes on without its recorder"
    DROPPED = "R10", "bad", "v-high", "Recorder dropped in mid-call"
    STATUS_REFUSED = "R11", "warn", "v-medium", "Microsoft takes no status for this call"
    TENANT_BLOCKED = "R12", "bad", "v-critical", "Microsoft refuses the whole tenant"
    NEVER_ESTABLISHED = "R13", "warn", "v-medium", "Never established"
    FLAPPING = "R17", "warn", "v-medium", "Told status goes back and forth"
    OVER_AGE = "R19", "mute", "v-low", "Older than any call"
    SILENT_RECORDER = "R20", "bad", "v-high", "Recorder has gone silent"


class Subject(Worded):
    """What a finding is about."""

    CALL = "call", "mute", "calls", "Call"
    RECORDER = "recorder", "mute", "r-recording", "Recorder"
    TENANT = "tenant", "mute", "operations", "Tenant"


class Source(Worded):
    """Whose word a fact is."""

    GRAPH = "graph", "info", "operations", "Microsoft Graph"
    RECORDER = "recorder", "mute", "r-recording", "Recorder"
    IMPORT = "import", "mute", "exports", "Import"


class ChangedField(Worded):
    """The three things kept apart everywhere, and the end of the leg."""

    STATE = "state", "info", "c-established", "Call state"
    CAPTURE_STATE = "capture_state", "ok", "r-recording", "Captured"
    RECORDING_STATUS = "recording_status", "ok", "operations", "Told to Teams"
    GONE = "gone", "warn", "warn", "Found at Graph"
    IS_POLICY_CALL = "is_policy_call", "info", "calls", "Compliance-recording call"


CHANGED_FIELD_WORDS: dict[str, type[Worded]] = {
    ChangedField.STATE: CallState,
    ChangedField.CAPTURE_STATE: CaptureState,
    ChangedField.RECORDING_STATUS: RecordingStatus,
}


class ActorKind(Worded):
    PERSON = "person", "mute", "person", "Person"
    RECORDER = "recorder", "mute", "r-recording", "Recorder"
    GRAPH = "graph", "info", "operations", "Microsoft Graph"
    JOB = "job", "mute", "o-running", "On Record"
    SHELL = "shell", "mute", "shell", "Command line"


class Resolution(Worded):
    """How a finding was closed. Counted apart: a confirmation is not an attestation."""

    CONFIRMED_BY_GRAPH = "confirmedByGraph", "ok", "o-completed", "Confirmed by Graph"
    CONFIRMED_BY_RECORDER = "confirmedByRecorder", "ok", "o-completed", "Confirmed by the recorder"
    REFUSED_BY_GRAPH = "refusedByGraph", "warn", "o-failed", "Refused by Graph"
    LEFT_UNRESOLVED = "leftUnresolved", "warn", "o-unresolved", "Outcome left open"
    ATTESTED = "attested", "info", "seal", "Attested by a person"
    SELF_RECOVERED = "selfRecovered", "mute", "o-completed", "Recovered by itself"
    CALL_ENDED = "callEnded", "mute", "c-terminated", "The call ended first"
    FALSE_POSITIVE = "falsePositive", "mute", "o-cancelled", "False positive"
    CLOSED_BY_PERSON = "closedByPerson", "info", "person", "Closed by a person, without evidence"


# A person's word closes a condition that may go on: it stays closed until the condition begins anew.
SETTLED_BY_PERSON = (Resolution.ATTESTED, Resolution.FALSE_POSITIVE, Resolution.CLOSED_BY_PERSON)


class RootCause(Worded):
    RECORDER_CRASH = "recorderCrash", "mute", "warn", "Recorder crashed"
    SERVICE_BEHIND = "serviceBehind", "mute", "warn", "Service was behind"
    MAINTENANCE = "maintenance", "mute", "warn", "Maintenance window"
    NETWORK = "network", "mute", "warn", "Network"
    POLICY_NOT_ASSIGNED = "policyNotAssigned", "mute", "warn", "Policy not assigned"
    TEST_CALL = "testCall", "mute", "warn", "Test call"
    FALSE_POSITIVE = "falsePositive", "mute", "warn", "False positive"
    OTHER = "other", "mute", "warn", "Other (say so in the reason)"


class AttemptOutcome(Worded):
    """What one try at the wire came to. Only `accepted` and `refused` are Graph's own word."""

    ACCEPTED = "accepted", "ok", "o-completed", "Graph answered"
    REFUSED = "refused", "bad", "o-failed", "Graph refused"
    THROTTLED = "throttled", "warn", "o-pending", "Graph asked to wait"
    NOT_SENT = "notSent", "mute", "o-cancelled", "Not sent"
    UNKNOWN = "unknown", "warn", "o-unknown", "Outcome unknown"


class BulkKind(Worded):
    CORRECT = "correct", "info", "operations", "Correction"
    ATTEST = "attest", "info", "seal", "Attestation"


class BulkStanding(Worded):
    """Where the pre-check sorts a call: what a bulk job can do about it."""

    CAN_ACT = "canAct", "ok", "operations", "Microsoft can act"
    NEEDS_APPROVAL = "needsApproval", "warn", "o-awaitingApproval", "Needs approval"
    ALREADY_RIGHT = "alreadyRight", "mute", "o-completed", "Already right"
    IN_PROGRESS = "inProgress", "info", "o-running", "Correction in progress"
    AGAINST_RECORDER = "againstRecorder", "bad", "lock", "Against the recorder's word"
    ATTEST_ONLY = "attestOnly", "mute", "seal", "Ended: attestation only"
    NOT_POSSIBLE = "notPossible", "mute", "o-cancelled", "Not possible now"


class BulkItemStatus(Worded):
    """What became of one item of a bulk job. Everything but `waiting` and `working` is final for the item."""

    WAITING = "waiting", "mute", "o-pending", "Waiting"
    WORKING = "working", "info", "o-running", "Working"
    DONE = "done", "ok", "o-completed", "Done"
    AWAITING_APPROVAL = "awaitingApproval", "warn", "o-awaitingApproval", "Waiting for approval"
    OPEN = "open", "warn", "o-unknown", "Outcome still open"
    FAILED = "failed", "bad", "o-failed", "Failed"
    REFUSED = "refused", "warn", "o-cancelled", "Refused by On Record"
    STOPPED = "stopped", "mute", "o-cancelled", "Stopped before its turn"


class LedgerAction(Worded):
    """Every kind of step the ledger keeps. The label is the event's name in the history export."""

    STATUS_CHANGED = "status.changed", "info", "operations", "Change"
    CORRECTION_REQUESTED = "correction.requested", "info", "operations", "Correction requested"
    CORRECTION_REFUSED = "correction.refused", "warn", "o-cancelled", "Correction refused by On Record"
    CORRECTION_APPROVED = "correction.approved", "ok", "o-completed", "Correction approved"
    CORRECTION_DECLINED = "correction.declined", "mute", "o-declined", "Correction declined"
    CORRECTION_EXPIRED = "correction.expired", "mute", "o-expired", "Approval expired"
    CORRECTION_CANCELLED = "correction.cancelled", "mute", "o-cancelled", "Correction cancelled"
    CORRECTION_SENT = "correction.sent", "info", "operations", "Correction sent"
    CORRECTION_ANSWERED = "correction.answered", "info", "o-completed", "Correction answered"
    CORRECTION_WAITING = "correction.waiting", "info", "o-pending", "Correction waiting"
    CORRECTION_SETTLED = "correction.settled", "ok", "o-completed", "Correction settled"
    CORRECTION_UNRESOLVED = "correction.unresolved", "warn", "o-unresolved", "Correction unresolved"
    FINDING_OPENED = "finding.opened", "bad", "findings", "Finding opened"
    FINDING_REOPENED = "finding.reopened", "bad", "findings", "Finding opened again"
    FINDING_ACKNOWLEDGED = "finding.acknowledged", "info", "findings", "Finding acknowledged"
    FINDING_ASSIGNED = "finding.assigned", "info", "person", "Finding assigned"
    FINDING_COMMENTED = "finding.commented", "mute", "findings", "Comment on a finding"
    FINDING_SNOOZED = "finding.snoozed", "mute", "findings", "Finding put off"
    FINDING_RESOLVED = "finding.resolved", "ok", "findings", "Finding closed"
    FINDING_EXPLAINED = "finding.explained", "info", "findings", "Root cause named"
    FINDING_ATTESTED = "finding.attested", "info", "seal", "Attestation"
    BLIND_SPOT_OPENED = "blindSpot.opened", "warn", "r-unknown", "Blind spot began"
    BLIND_SPOT_CLOSED = "blindSpot.closed", "info", "r-unknown", "Blind spot ended"
    TENANT_BLOCKED = "tenant.blocked", "bad", "operations", "Microsoft refused the tenant"
    TENANT_CLEARED = "tenant.cleared", "ok", "operations", "Microsoft serves the tenant again"
    BULK_STARTED = "bulk.started", "info", "operations", "Bulk job started"
    BULK_STOPPED = "bulk.stopped", "warn", "o-cancelled", "Bulk job stopped"
    BULK_FINISHED = "bulk.finished", "info", "o-completed", "Bulk job finished"
    EXPORT_STARTED = "export.started", "mute", "exports", "Export started"
    EXPORT_FINISHED = "export.finished", "mute", "exports", "Export finished"
    EXPORT_ABORTED = "export.aborted", "warn", "exports", "Export aborted"
    IMPORT_FINISHED = "import.finished", "mute", "exports", "Import finished"
    SIGN_IN = "signin.succeeded", "mute", "person", "Signed in"
    SIGN_IN_FAILED = "signin.failed", "warn", "person", "Sign-in failed"
    ROLE_CHANGED = "role.changed", "mute", "person", "Role changed"
    TOKEN_ISSUED = "token.issued", "mute", "person", "Recorder token issued"


# Every step of a finding, by the sweep or by people.
FINDING_ACTIONS = (
    LedgerAction.FINDING_OPENED,
    LedgerAction.FINDING_REOPENED,
    LedgerAction.FINDING_ACKNOWLEDGED,
    LedgerAction.FINDING_ASSIGNED,
    LedgerAction.FINDING_COMMENTED,
    LedgerAction.FINDING_SNOOZED,
    LedgerAction.FINDING_RESOLVED,
    LedgerAction.FINDING_EXPLAINED,
    LedgerAction.FINDING_ATTESTED,
)

HISTORY_ACTIONS = (
    LedgerAction.STATUS_CHANGED,
    LedgerAction.CORRECTION_REQUESTED,
    LedgerAction.CORRECTION_REFUSED,
    LedgerAction.CORRECTION_APPROVED,
    LedgerAction.CORRECTION_DECLINED,
    LedgerAction.CORRECTION_EXPIRED,
    LedgerAction.CORRECTION_CANCELLED,
    LedgerAction.CORRECTION_SENT,
    LedgerAction.CORRECTION_ANSWERED,
    LedgerAction.CORRECTION_WAITING,
    LedgerAction.CORRECTION_SETTLED,
    LedgerAction.CORRECTION_UNRESOLVED,
    *FINDING_ACTIONS,
)
