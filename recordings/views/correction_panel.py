"""The correction panel: which statuses Teams can be told of a call now, which not, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from recordings import permissions
from recordings.choices import SENDABLE_STATUSES, CaptureState, Look, OperationStatus, RecordingStatus, Source, look
from recordings.forms import CorrectionForm
from recordings.models import Call, Finding, Operation
from recordings.rules import Permit, Ruling
from recordings.services import corrections

MEANINGS = {
    RecordingStatus.RECORDING: "Teams will show that the call is being recorded.",
    RecordingStatus.NOT_RECORDING: "Teams will show that recording has stopped.",
    RecordingStatus.FAILED: "Teams will show that recording failed.",
}
_LIKELY = {
    CaptureState.CAPTURING.value: RecordingStatus.RECORDING.value,
    CaptureState.STOPPED.value: RecordingStatus.NOT_RECORDING.value,
    CaptureState.FAILED.value: RecordingStatus.FAILED.value,
}


@dataclass(frozen=True)
class Target:
    """One status that could be told. `needs_second` says why another person must approve it.

    It is current only where Microsoft itself confirmed it; on the recorder's account alone it can be told again.
    """

    value: str
    shown: Look
    meaning: str
    is_current: bool
    is_by_account: bool
    refusal: str
    needs_second: str
    is_chosen: bool

    @property
    def is_off(self) -> bool:
        return self.is_current or bool(self.refusal)


@dataclass(frozen=True)
class Note:
    """Why correcting is off, or was refused; and the finding a person can attest instead, if there is one."""

    title: str
    why: str
    finding: Finding | None = None
    operation: Operation | None = None


@dataclass(frozen=True)
class Panel:
    form: CorrectionForm
    targets: Sequence[Target]
    off: Note | None
    refused: Note | None
    waiting: Operation | None


def panel_of(
    call: Call,
    *,
    may_correct: bool,
    findings: Sequence[Finding],
    operations: Sequence[Operation],
    now: datetime,
    form: CorrectionForm | None = None,
    chosen: str = "",
    refused: str = "",
) -> Panel:
    """The panel as it stands now. `form` is one that was sent and came back, `refused` why On Record refused it."""
    live = next((operation for operation in operations if operation.is_live), None)
    waiting = next((one for one in operations if one.status == OperationStatus.AWAITING_APPROVAL), None)
    rulings = {status: corrections.ruling(call, status.value, now=now) for status in SENDABLE_STATUSES}
    likely = _LIKELY.get(call.capture_state, "")
    wanted = chosen or (likely if likely != call.recording_status else "")
    targets = [_target(call, status, ruling, wanted=wanted) for status, ruling in rulings.items()]
    attestable = next((finding for finding in findings if finding.is_open), None) if not call.is_live else None
    off = _off(targets, rulings, may_correct=may_correct, live=live, attestable=attestable)
    note = Note("On Record refused this. Nothing was sent.", refused, attestable) if refused and not off else None
    return Panel(form or CorrectionForm(), targets, off, note, waiting)


def _target(call: Call, status: RecordingStatus, ruling: Ruling, *, wanted: str) -> Target:
    is_told = call.recording_status == status
    is_current = is_told and call.recording_status_source == Source.GRAPH
    refusal = ruling.why if ruling.permit == Permit.REFUSED else ""
    return Target(
        value=status.value,
        shown=look(RecordingStatus, status),
        meaning=MEANINGS[status],
        is_current=is_current,
        is_by_account=is_told and not is_current,
        refusal=refusal,
        needs_second=ruling.why if ruling.permit == Permit.NEEDS_APPROVAL else "",
        is_chosen=status.value == wanted and not is_current and not refusal,
    )


def _off(
    targets: Sequence[Target],
    rulings: dict[RecordingStatus, Ruling],
    *,
    may_correct: bool,
    live: Operation | None,
    attestable: Finding | None,
) -> Note | None:
    """The reason that concerns every status comes first: the call, then what is under way, then the reader's role."""
    refusals = [ruling for ruling in rulings.values() if ruling.permit == Permit.REFUSED]
    over = next((ruling for ruling in refusals if ruling.attest), None)
    if over:
        return Note("What Teams was told of this call can no longer change.", over.why, attestable)
    if all(target.is_off for target in targets):
        return Note("Teams cannot be told anything else now.", refusals[0].why if refusals else "", attestable)
    if live:
        why = "Only one correction of a call can be under way. Wait for its outcome, then look again."
        return Note("A correction of this call is in progress.", why, operation=live)
    if not may_correct:
        why = f"Your role does not include the right to {permissions.CORRECT}. Ask a recording admin to do it."
        return Note("You can look, but not correct.", why)
    return None
