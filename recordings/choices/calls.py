"""Graph's words for a call, and the three things kept apart: captured, told, evidence."""

from recordings.choices.worded import Worded


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
