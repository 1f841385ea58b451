"""Bulk jobs: where the pre-check sorts a call, and what became of it."""

from recordings.choices.worded import Worded


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
    """What became of one item of a bulk job.

    `waiting`, `working` and `open` keep the job running; `awaitingApproval` changes once more, with its correction.
    """

    WAITING = "waiting", "mute", "o-pending", "Waiting"
    WORKING = "working", "info", "o-running", "Working"
    DONE = "done", "ok", "o-completed", "Done"
    AWAITING_APPROVAL = "awaitingApproval", "warn", "o-awaitingApproval", "Waiting for approval"
    OPEN = "open", "warn", "o-unknown", "Outcome still open"
    FAILED = "failed", "bad", "o-failed", "Failed"
    REFUSED = "refused", "warn", "o-cancelled", "Left out by On Record"
    STOPPED = "stopped", "mute", "o-cancelled", "Stopped before its turn"
