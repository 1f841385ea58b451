"""What may be sent: invariants 7 and 8, as far as the call itself decides them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from recordings.choices import (
    CALL_STATE_RANK,
    SENDABLE_STATUSES,
    BulkStanding,
    CallState,
    CaptureState,
    RecordingStatus,
    Source,
)
from recordings.rules.facts import CallFacts, Graces, is_before_established, known_state


class Permit(StrEnum):
    """What invariant 8 says of one wish."""

    ALLOWED = "allowed"
    NEEDS_APPROVAL = "needsApproval"
    REFUSED = "refused"


_PERMITS = {BulkStanding.CAN_ACT: Permit.ALLOWED, BulkStanding.NEEDS_APPROVAL: Permit.NEEDS_APPROVAL}


@dataclass(frozen=True)
class Ruling:
    """Where a wish stands, with the reason in plain words."""

    standing: BulkStanding
    why: str = ""

    @property
    def permit(self) -> Permit:
        return _PERMITS.get(self.standing, Permit.REFUSED)

    @property
    def attest(self) -> bool:
        """Whether an attestation is the way left."""
        return self.standing == BulkStanding.ATTEST_ONLY


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
        return Ruling(BulkStanding.NEEDS_APPROVAL, "Every correction here needs a second person.")
    if wish == RecordingStatus.FAILED:
        return Ruling(BulkStanding.CAN_ACT)
    if require_approval == "recording" and wish == RecordingStatus.RECORDING:
        return Ruling(BulkStanding.NEEDS_APPROVAL, "Telling Teams recording needs a second person here.")
    if fresh_claim(facts, now=now, graces=graces) in _PROOF[wish]:
        return Ruling(BulkStanding.CAN_ACT)
    why = (
        "The recorder has not said in the last minute what it is doing, so a second person must approve, with evidence."
    )
    return Ruling(BulkStanding.NEEDS_APPROVAL, why)


def fresh_claim(facts: CallFacts, *, now: datetime, graces: Graces) -> str:
    """The recorder's word on this leg if it is at most `graces.claim_fresh` old, else an empty string."""
    if facts.capture_at is None or facts.capture_state == CaptureState.UNKNOWN:
        return ""
    return facts.capture_state if now - facts.capture_at <= graces.claim_fresh else ""


def _refusal(wish: str, facts: CallFacts, *, now: datetime, graces: Graces) -> Ruling | None:
    if wish not in SENDABLE_STATUSES:
        return Ruling(BulkStanding.NOT_POSSIBLE, f"“{wish}” is not a status that can be told to Teams.")
    if facts.over_at:
        how = "ended" if facts.ended_at else "was no longer found at Graph"
        why = f"The call {how} at {facts.over_at:%H:%M:%S} UTC, so Teams cannot be told any more."
        return Ruling(BulkStanding.ATTEST_ONLY, why)
    return _not_now(facts) or _already(wish, facts) or _against(wish, fresh_claim(facts, now=now, graces=graces))


def takes_status(facts: CallFacts) -> bool:
    """Whether the leg, as far as it is known, takes any status at this moment."""
    return facts.is_live and _not_now(facts) is None


def _not_now(facts: CallFacts) -> Ruling | None:
    """Why the leg takes no status at this moment; None if it does.

    All of Microsoft's samples wait for `established` (Graph: updateRecordingStatus needs a joined call).
    """
    rank = CALL_STATE_RANK[known_state(facts)]
    why = ""
    if rank >= CALL_STATE_RANK[CallState.TERMINATING]:
        why = "The call is ending, so Teams cannot be told any more."
    elif is_before_established(facts):
        why = "The call is not established yet. Try again once people are talking."
    elif facts.is_policy_call is False:
        why = "Graph said this is not a compliance-recording call, so it takes no status."
    return Ruling(BulkStanding.NOT_POSSIBLE, why) if why else None


def _already(wish: str, facts: CallFacts) -> Ruling | None:
    """Graph's own word that Teams was told so; a recorder's account of it is none."""
    if facts.recording_status != wish or facts.recording_status_source != Source.GRAPH:
        return None
    when = f" at {facts.recording_status_at:%H:%M:%S} UTC" if facts.recording_status_at else ""
    return Ruling(BulkStanding.ALREADY_RIGHT, f"Graph already confirmed this status{when}.")


def _against(wish: str, claim: str) -> Ruling | None:
    """Why the recorder's fresh word stands against the wish (invariant 8); None if it does not."""
    why = ""
    if wish == RecordingStatus.NOT_RECORDING and claim == CaptureState.CAPTURING:
        why = "The recorder says it is capturing. Stop the recorder first."
    if wish == RecordingStatus.RECORDING and claim in _PROOF[RecordingStatus.NOT_RECORDING]:
        why = "The recorder says it is not capturing. Start the recorder first."
    return Ruling(BulkStanding.AGAINST_RECORDER, why) if why else None
