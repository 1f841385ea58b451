"""What is stuck, since when it is due, how bad it is; and what may be sent. Facts and now in, verdicts out.

Nothing here reads the clock, the database or the settings. Times are aware UTC; graces are timedeltas.
Rule codes are those of the reference on Graph (R1, R2, R4, R7); each function says what its rule rests on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from recordings.choices import (
    CALL_STATE_RANK,
    LIVE_STATUSES,
    SENDABLE_STATUSES,
    CallState,
    CaptureState,
    RecordingStatus,
    Rule,
    Severity,
    Source,
)


@dataclass(frozen=True)
class Graces:
    """How long a disagreement may last before it is a finding. The defaults of the STUCK_ settings."""

    after_end: timedelta = timedelta(seconds=30)
    before_start: timedelta = timedelta(seconds=30)
    before_stop: timedelta = timedelta(seconds=30)
    operation: timedelta = timedelta(seconds=60)
    claim_fresh: timedelta = timedelta(seconds=60)


@dataclass(frozen=True)
class CallFacts:
    """What is known of one bot leg, the three kept apart: captured, told, evidence."""

    state: str = CallState.UNKNOWN
    capture_state: str = CaptureState.UNKNOWN
    capture_at: datetime | None = None
    capture_changed_at: datetime | None = None
    recording_status: str = RecordingStatus.UNKNOWN
    recording_status_at: datetime | None = None
    recording_status_source: str = ""
    ended_at: datetime | None = None
    gone_at: datetime | None = None
    last_signal_at: datetime | None = None
    is_policy_call: bool | None = None
    operation_status: str = ""
    operation_since: datetime | None = None

    @property
    def over_at(self) -> datetime | None:
        """When the leg ended or was found gone; None while it lives, as far as anybody told us."""
        return self.ended_at or self.gone_at

    @property
    def is_live(self) -> bool:
        return self.over_at is None


@dataclass(frozen=True)
class Verdict:
    """One rule that holds, or will hold at `due_after` if nothing changes."""

    rule: Rule
    severity: Severity
    since: datetime
    due_after: datetime

    def is_due(self, now: datetime) -> bool:
        return self.due_after <= now


@dataclass(frozen=True)
class Explained:
    """What a finding says to people."""

    sentence: str
    not_known: str
    action: str
    graph_can_act: bool


def verdicts(facts: CallFacts, *, graces: Graces) -> tuple[Verdict, ...]:
    """Every rule whose condition holds now, with the moment it becomes a finding (aware UTC)."""
    found = (
        _told_after_end(facts, graces),
        _capturing_untold(facts, graces),
        _told_not_capturing(facts, graces),
        _operation_unsettled(facts, graces),
    )
    return tuple(verdict for verdict in found if verdict)


def _told_after_end(facts: CallFacts, graces: Graces) -> Verdict | None:
    """R7: Graph answers 404/8522 for an ended leg, so only an attestation can close this one."""
    if facts.over_at is None or facts.recording_status != RecordingStatus.RECORDING:
        return None
    return Verdict(Rule.TOLD_AFTER_END, Severity.HIGH, facts.over_at, facts.over_at + graces.after_end)


def _capturing_untold(facts: CallFacts, graces: Graces) -> Verdict | None:
    """R1 and R3: media may not be kept before `recording` was told with success (Graph: updateRecordingStatus)."""
    if not facts.is_live or facts.capture_state != CaptureState.CAPTURING:
        return None
    if facts.recording_status == RecordingStatus.RECORDING:
        return None
    since = _latest(facts.capture_changed_at, facts.recording_status_at)
    if since is None:
        return None
    return Verdict(Rule.CAPTURING_UNTOLD, Severity.CRITICAL, since, since + graces.before_start)


def _told_not_capturing(facts: CallFacts, graces: Graces) -> Verdict | None:
    """R2: `notRecording` must follow once capture has stopped (Graph: updateRecordingStatus, remarks)."""
    if not facts.is_live or facts.capture_state not in (CaptureState.STOPPED, CaptureState.FAILED):
        return None
    if facts.recording_status != RecordingStatus.RECORDING:
        return None
    since = _latest(facts.capture_changed_at, facts.recording_status_at)
    if since is None:
        return None
    return Verdict(Rule.TOLD_NOT_CAPTURING, Severity.HIGH, since, since + graces.before_stop)


def _operation_unsettled(facts: CallFacts, graces: Graces) -> Verdict | None:
    """R4: a null or running operation is answered by a notification later (Graph: commsOperation), or never."""
    if facts.operation_status not in LIVE_STATUSES or facts.operation_since is None:
        return None
    due = facts.operation_since + graces.operation
    return Verdict(Rule.OPERATION_UNSETTLED, Severity.MEDIUM, facts.operation_since, due)


def next_due(
    facts: CallFacts,
    *,
    open_rules: frozenset[str],
    settled_rules: Mapping[str, datetime],
    graces: Graces,
    now: datetime,
) -> datetime | None:
    """The next moment at which a verdict opens or closes and is not yet handled; None if there is none (aware UTC).

    `open_rules` have an open finding, whose condition may be gone: then it is due at once. `settled_rules` were
    closed by a person while the condition went on, which had held since the moment named; they stay closed until it
    begins anew.
    """
    holding = {verdict.rule.value: verdict for verdict in verdicts(facts, graces=graces)}
    if open_rules - holding.keys():
        return now
    waiting = [v for v in holding.values() if v.rule.value not in open_rules and not is_settled(v, settled_rules)]
    return min((verdict.due_after for verdict in waiting), default=None)


def is_settled(verdict: Verdict, settled_rules: Mapping[str, datetime]) -> bool:
    """Whether a person has closed this very condition: one that began later is a new one."""
    settled = settled_rules.get(verdict.rule.value)
    return settled is not None and verdict.since <= settled


def explain(verdict: Verdict, facts: CallFacts, *, now: datetime) -> Explained:
    """The sentence a finding shows, what it does not know, what to do, and whether Graph can still act."""
    lasted = duration(now - verdict.since)
    sign = f"last sign of life {facts.last_signal_at:%H:%M:%S} UTC" if facts.last_signal_at else "no sign of life yet"
    tail = f"{sign}; rule {verdict.rule.value}."
    match verdict.rule:
        case Rule.TOLD_AFTER_END:
            how = "ended" if facts.ended_at else "was no longer found at Graph"
            return Explained(
                f"Teams was told recording; the call {how} {lasted} ago; {tail}",
                "Whether the recorder stopped in time: nobody told Teams so.",
                "The call is over, so Graph cannot be told any more. Attest what happened, with evidence.",
                graph_can_act=False,
            )
        case Rule.CAPTURING_UNTOLD:
            told = _told_words(facts)
            return Explained(
                f"The recorder has been capturing for {lasted}; {told}; {tail}",
                "Whether the people on the call saw a notice from another recorder.",
                "Tell Teams recording while the recorder says it is capturing, or stop the recorder.",
                graph_can_act=True,
            )
        case Rule.TOLD_NOT_CAPTURING:
            return Explained(
                f"Teams shows recording; the recorder says capture stopped {lasted} ago; {tail}",
                "Whether the recorder will start again by itself.",
                "Tell Teams not recording, or failed if capture broke down.",
                graph_can_act=True,
            )
        case _:
            return Explained(
                f"A correction has been waiting for its outcome for {lasted}; {tail}",
                "Whether Graph acted on it. On Record goes on asking.",
                "Wait for the outcome, or close the correction as unresolved with a reason.",
                graph_can_act=facts.is_live,
            )


def _told_words(facts: CallFacts) -> str:
    if facts.recording_status == RecordingStatus.UNKNOWN:
        return "Teams was never told"
    if facts.recording_status == RecordingStatus.NOT_RECORDING:
        return "Teams was told not recording"
    return "Teams was told failed"


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
    RecordingStatus.NOT_RECORDING: (CaptureState.STOPPED, CaptureState.FAILED),
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
    rank = CALL_STATE_RANK[_state(facts)]
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
    if wish == RecordingStatus.RECORDING and claim in (CaptureState.STOPPED, CaptureState.FAILED):
        return "The recorder says it is not capturing. Start the recorder first."
    return ""


def is_established(facts: CallFacts) -> bool:
    return CALL_STATE_RANK.get(_state(facts), 0) == CALL_STATE_RANK[CallState.ESTABLISHED]


def merged_state(old: str, new: str) -> str:
    """The call state after `new` was heard while `old` stood: a lower rank never replaces a higher one (invariant 5).

    A word Graph invented after this was written ranks with the established ones: it moves, but never ends, a call.
    """
    established = CALL_STATE_RANK[CallState.ESTABLISHED]
    ranks = {state.value: rank for state, rank in CALL_STATE_RANK.items()}
    return new if ranks.get(new, established) >= ranks.get(old, established) else old


def duration(length: timedelta) -> str:
    """`length` in words for people: "3 h 10 min", "45 s"; negative lengths count as none."""
    seconds = max(0, int(length.total_seconds()))
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3_600)
    minutes, seconds = divmod(seconds, 60)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {seconds} s" if minutes < 10 else f"{minutes} min"
    return f"{seconds} s"


def _state(facts: CallFacts) -> CallState:
    return CallState(facts.state) if facts.state in CallState.values else CallState.ESTABLISHED


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)
