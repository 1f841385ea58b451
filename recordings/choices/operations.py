"""Where a correction stands, and what one try at the wire came to."""

from recordings.choices.worded import Worded


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


class AttemptOutcome(Worded):
    """What one try at the wire came to. Only `accepted` and `refused` are Graph's own word."""

    ACCEPTED = "accepted", "ok", "o-completed", "Graph answered"
    REFUSED = "refused", "bad", "o-failed", "Graph refused"
    THROTTLED = "throttled", "warn", "o-pending", "Graph asked to wait"
    NOT_SENT = "notSent", "mute", "o-cancelled", "Not sent"
    UNKNOWN = "unknown", "warn", "o-unknown", "Outcome unknown"
