"""Rules about the status itself: what is captured, what Teams was told, and whether Teams takes a status at all."""

from datetime import datetime

from recordings.choices import CaptureState, RecordingStatus, Rule, Severity, Source
from recordings.rules.facts import CallFacts, Graces, is_before_established
from recordings.rules.heard import changes
from recordings.rules.ruling import takes_status
from recordings.rules.verdict import Explained, Verdict, clock, duration, latest

NOT_CAPTURING = (CaptureState.PAUSED, CaptureState.STOPPED, CaptureState.FAILED)
_OTHERWISE = (RecordingStatus.NOT_RECORDING, RecordingStatus.FAILED)


def capturing_untold(facts: CallFacts, graces: Graces) -> Verdict | None:
    """R1: media may not be kept before `recording` was told with success (Graph: updateRecordingStatus).

    The end of the call does not heal it: people were recorded without a notice.
    """
    if facts.capture_state != CaptureState.CAPTURING:
        return None
    if facts.recording_status == RecordingStatus.RECORDING or facts.recording_status in _OTHERWISE:
        return None
    if facts.capture_changed_at is None:
        return None
    due = facts.capture_changed_at + graces.before_start
    return Verdict(Rule.CAPTURING_UNTOLD, Severity.CRITICAL, facts.capture_changed_at, due)


def say_capturing_untold(facts: CallFacts, verdict: Verdict, now: datetime) -> Explained:
    lasted = duration((facts.over_at or now) - verdict.since)
    ended = f", until the call ended at {clock(facts.over_at)}" if facts.over_at else ""
    return Explained(
        f"The recorder has been capturing for {lasted}{ended}; Teams was never told.",
        "Whether the people on the call saw a notice from another recorder.",
        _cannot_tell(facts) or "Tell Teams recording while the recorder says it is capturing, or stop the recorder.",
        graph_can_act=True,
    )


def told_otherwise(facts: CallFacts, graces: Graces) -> Verdict | None:
    """R3: Teams was told `notRecording` or `failed`, and capture goes on (Graph: updateRecordingStatus, remarks).

    A recorder that has said nothing since contradicts nobody: of a dead one's leg `failed` is the truth (R9).
    """
    if facts.capture_state != CaptureState.CAPTURING or facts.recording_status not in _OTHERWISE:
        return None
    word_at = _last_word_at(facts)
    if facts.told_changed_at and word_at and word_at < facts.told_changed_at:
        return None
    since = latest(facts.capture_changed_at, _otherwise_since(facts))
    if since is None:
        return None
    return Verdict(Rule.TOLD_OTHERWISE, Severity.CRITICAL, since, since + graces.told_otherwise)


def _otherwise_since(facts: CallFacts) -> datetime | None:
    """Since when Teams has been told anything but `recording`: from `notRecording` to `failed` nothing is put right."""
    last = max((word for word in facts.told if word.value not in _OTHERWISE), default=None)
    since = min((word.at for word in facts.told if last is None or word > last), default=None)
    return since or facts.told_changed_at


def _last_word_at(facts: CallFacts) -> datetime | None:
    """When the recorder last spoke. What it says of the end of a call that we told of is no word on its capture."""
    is_ours = facts.recording_status_source == Source.GRAPH
    return facts.capture_at if is_ours and not facts.is_live else facts.recorder_word_at


def say_told_otherwise(facts: CallFacts, verdict: Verdict, now: datetime) -> Explained:
    told = "not recording" if facts.recording_status == RecordingStatus.NOT_RECORDING else "failed"
    since = latest(verdict.since, facts.told_changed_at) or verdict.since
    lasted = duration((facts.over_at or now) - since)
    return Explained(
        f"Teams was told {told} at {clock(facts.told_changed_at)}; the recorder has been capturing for {lasted} since.",
        "Whether the recorder means to capture: its capture may have begun again by itself.",
        _cannot_tell(facts) or "Tell Teams recording while the recorder says it is capturing, or stop the recorder.",
        graph_can_act=True,
    )


def _cannot_tell(facts: CallFacts) -> str:
    """What to do where Teams takes no status at this moment; empty where it does."""
    if not facts.is_live:
        return "The call is over, so Teams cannot be told any more. Attest what happened, with evidence."
    if facts.is_policy_call is False:
        return "Stop the recorder: Microsoft takes no status for this call. Then check the recording policy."
    if takes_status(facts):
        return ""
    if is_before_established(facts):
        return "Stop the recorder, or tell Teams once the call is established: before that it takes no status."
    return "The call is ending, so Teams cannot be told any more. Once it is over, attest what happened, with evidence."


def told_not_capturing(facts: CallFacts, graces: Graces) -> Verdict | None:
    """R2: `notRecording` must follow once capture has stopped (Graph: updateRecordingStatus, remarks)."""
    if not facts.is_live or facts.capture_state not in NOT_CAPTURING:
        return None
    if facts.recording_status != RecordingStatus.RECORDING:
        return None
    since = latest(facts.not_capturing_since or facts.capture_changed_at, facts.told_changed_at)
    if since is None:
        return None
    return Verdict(Rule.TOLD_NOT_CAPTURING, Severity.HIGH, since, since + graces.before_stop)


def say_told_not_capturing(facts: CallFacts, verdict: Verdict, now: datetime) -> Explained:
    how = {CaptureState.PAUSED: "capture is paused", CaptureState.FAILED: "capture failed"}
    words = next((word for state, word in how.items() if state == facts.capture_state), "capture stopped")
    return Explained(
        f"Teams shows recording; the recorder says {words} for {duration(now - verdict.since)}.",
        "Whether the recorder will start again by itself.",
        _cannot_tell(facts) or "Tell Teams not recording, or failed if capture broke down.",
        graph_can_act=True,
    )


def told_after_end(facts: CallFacts, graces: Graces) -> Verdict | None:
    """R7: Graph answers 404/8522 for an ended leg, so only an attestation can close this one."""
    if facts.over_at is None or facts.recording_status != RecordingStatus.RECORDING:
        return None
    return Verdict(Rule.TOLD_AFTER_END, Severity.HIGH, facts.over_at, facts.over_at + graces.after_end)


def say_told_after_end(facts: CallFacts, verdict: Verdict, now: datetime) -> Explained:
    how = "ended" if facts.ended_at else "was no longer found at Microsoft"
    told = f"told recording for {duration(now - facts.told_changed_at)}" if facts.told_changed_at else "told recording"
    return Explained(
        f"Teams was {told}; the call {how} {duration(now - verdict.since)} ago.",
        "Whether the recorder stopped in time: nobody told Teams so.",
        "The call is over, so Teams cannot be told any more. Attest what happened, with evidence.",
    )


def status_refused(facts: CallFacts, graces: Graces) -> Verdict | None:
    """R11: Graph answers 8506 where the bot did not come by a recording policy; no status can ever be set.

    That nothing may be captured there either is for R1 to say, which is critical.
    """
    if facts.status_refused_at is None or not facts.is_live:
        return None
    due = facts.status_refused_at + graces.refused
    return Verdict(Rule.STATUS_REFUSED, Severity.MEDIUM, facts.status_refused_at, due)


def say_status_refused(facts: CallFacts, verdict: Verdict, now: datetime) -> Explained:
    return Explained(
        f"{duration(now - verdict.since)} ago Microsoft answered that this is not a compliance-recording call (8506).",
        "Why the recorder is on this call: it did not come by a recording policy.",
        "Stop the recorder on this call, and have the user's recording policy checked. Do not try a status again.",
    )


def flapping(facts: CallFacts, graces: Graces) -> Verdict | None:
    """R17: more changes of the told status than a call has reasons for; a known sample flips it by a timer (S10)."""
    moments = changes(facts.told)
    width = graces.flapping_changes
    bursts = [
        (first, last)
        for first, last in zip(moments, moments[width:], strict=False)
        if last - first <= graces.flapping_window
    ]
    if not bursts or not facts.is_live:
        return None
    first, last = bursts[-1]
    return Verdict(Rule.FLAPPING, Severity.MEDIUM, first, last, ends_after=last + graces.flapping_window)


def say_flapping(facts: CallFacts, verdict: Verdict, now: datetime) -> Explained:
    count = sum(moment >= verdict.since for moment in changes(facts.told))
    return Explained(
        f"What Teams is told has changed {count} times since {clock(verdict.since)}.",
        "Whether anybody on the call meant it: each change may be announced to the people there.",
        "Look at the recorder first: it may switch by a timer, as Microsoft's sample does. Do not correct in between.",
        graph_can_act=True,
    )
