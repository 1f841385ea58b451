"""What may be sent: invariants 7 and 8, as far as the call itself decides them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from recordings.choices import CALL_STATE_RANK, SENDABLE_STATUSES, CallState, CaptureState, RecordingStatus, Source
from recordings.rules.facts import CallFacts, Graces, known_state


class Permit(StrEnum):
    """What invariant 8 says of one wish."""

    ALLOWED = "allowed"
    NEEDS_APPROVAL = "needsApproval"
    REFUSED = "refused"


@dataclass(frozen=True)
class Ruling:
    """A permit with its reason in plain words. `attest` says that an attestation is the way left."""

    permit: Permit
    why: str = ""
    attest: bool = False


# What a recorder must have said in the last minute for a wish to need no second person.
_PROOF: dict[str, tuple[str, ...]] = {
    RecordingStatus.RECORDING: (CaptureState.CAPTURING,),
    RecordingStatus.NOT_RECORDING: (CaptureState.PAUSED, CaptureState.STOPPED, CaptureState.FAILED),
}


def rule_on(
    wish: str, facts: CallFacts, *, now: datetime, graces: Graces, require_approval: str = "unproven"
) -> Ruling:
    """Whether `wish` may be told to Teams now: invariants 4, 7 and 8 as far as the call itself decides them."""
    refusal = _refusal(wish, facts, now=now, graces=graces)
    if refusal:
        return refusal
    if require_approval == "always":
        return Ruling(Permit.NEEDS_APPROVAL, "Every correction here needs a second person.")
    if wish == RecordingStatus.FAILED:
        return Ruling(Permit.ALLOWED)
    if require_approval == "recording" and wish == RecordingStatus.RECORDING:
        return Ruling(Permit.NEEDS_APPROVAL, "Telling Teams recording needs a second person here.")
    if fresh_claim(facts, now=now, graces=graces) in _PROOF[wish]:
        return Ruling(Permit.ALLOWED)
    why = (
        "The recorder has not said in the last minute what it is doing, so a second person must approve, with evidence."
    )
    return Ruling(Permit.NEEDS_APPROVAL, why)


def fresh_claim(facts: CallFacts, *, now: datetime, graces: Graces) -> str:
    """The recorder's word on this leg if it is at most `graces.claim_fresh` old, else an empty string."""
    if facts.capture_at is None or facts.capture_state == CaptureState.UNKNOWN:
        return ""
    return facts.capture_state if now - facts.capture_at <= graces.claim_fresh else ""


def _refusal(wish: str, facts: CallFacts, *, now: datetime, graces: Graces) -> Ruling | None:
    if wish not in SENDABLE_STATUSES:
        return Ruling(Permit.REFUSED, f"“{wish}” is not a status that can be told to Teams.")
    if facts.over_at:
        how = "ended" if facts.ended_at else "was no longer found at Graph"
        why = f"The call {how} at {facts.over_at:%H:%M:%S} UTC, so Teams cannot be told any more."
        return Ruling(Permit.REFUSED, why, attest=True)
    why = _not_now(wish, facts) or _against_recorder(wish, fresh_claim(facts, now=now, graces=graces))
    return Ruling(Permit.REFUSED, why) if why else None


def _not_now(wish: str, facts: CallFacts) -> str:
    """Why the leg takes no such status at this moment; empty if it does.

    All of Microsoft's samples wait for `established` (Graph: updateRecordingStatus needs a joined call).
    """
    rank = CALL_STATE_RANK[known_state(facts)]
    if rank >= CALL_STATE_RANK[CallState.TERMINATING]:
        return "The call is ending, so Teams cannot be told any more."
    if 0 < rank < CALL_STATE_RANK[CallState.ESTABLISHED]:
        return "The call is not established yet. Try again once people are talking."
    if facts.is_policy_call is False:
        return "Graph said this is not a compliance-recording call, so it takes no status."
    if facts.recording_status == wish and facts.recording_status_source == Source.GRAPH:
        when = f" at {facts.recording_status_at:%H:%M:%S} UTC" if facts.recording_status_at else ""
        return f"Graph already confirmed this status{when}."
    return ""


def _against_recorder(wish: str, claim: str) -> str:
    """Why the recorder's fresh word stands against the wish (invariant 8); empty if it does not."""
    if wish == RecordingStatus.NOT_RECORDING and claim == CaptureState.CAPTURING:
        return "The recorder says it is capturing. Stop the recorder first."
    if wish == RecordingStatus.RECORDING and claim in _PROOF[RecordingStatus.NOT_RECORDING]:
        return "The recorder says it is not capturing. Start the recorder first."
    return ""
