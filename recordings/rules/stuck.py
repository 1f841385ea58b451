"""What is stuck, since when it is due, how bad it is, and what people are told of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from recordings.choices import LIVE_STATUSES, CaptureState, RecordingStatus, Rule, Severity
from recordings.rules.facts import CallFacts, Graces


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
            takes_status = facts.is_policy_call is not False
            return Explained(
                f"The recorder has been capturing for {lasted}; {told}; {tail}",
                "Whether the people on the call saw a notice from another recorder.",
                "Tell Teams recording while the recorder says it is capturing, or stop the recorder."
                if takes_status
                else "Stop the recorder: Graph takes no status for this call. Then check the recording policy.",
                graph_can_act=takes_status,
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


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)
