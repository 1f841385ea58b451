"""Rules about the leg itself: whether it lives, who still speaks of it, and how it ended."""

from datetime import datetime

from recordings.choices import CALL_STATE_RANK, CallState, RecordingStatus, Rule, Severity
from recordings.rules.facts import CallFacts, Graces, is_established, known_state
from recordings.rules.verdict import Explained, Verdict, clock, duration

# Ends by which a bot loses a call that people go on with (reference on Graph, section 3, results; S8).
_DROPS = {(408, 8537), (410, 301005)}
# Everybody was removed: an ordinary end, unless other legs of the conversation go on.
REMOVED = (200, 5000)


def no_sign_of_life(facts: CallFacts, graces: Graces) -> Verdict | None:
    """R8: neither Graph nor the recorder has spoken of a leg that nobody said is over (S1, S4)."""
    if not facts.is_live or facts.last_signal_at is None:
        return None
    due = facts.last_signal_at + graces.no_sign
    return Verdict(Rule.NO_SIGN_OF_LIFE, Severity.MEDIUM, facts.last_signal_at, due)


def say_no_sign_of_life(facts: CallFacts, verdict: Verdict, now: datetime) -> Explained:
    return Explained(
        f"Nobody has spoken of this call for {duration(now - verdict.since)}.",
        "Whether the call still goes on. On Record asks Microsoft by itself.",
        "Look at the recorder. If the call is over, see that its end is reported, or close this with its root cause.",
        graph_can_act=facts.is_live,
    )


def orphan_leg(facts: CallFacts, graces: Graces) -> Verdict | None:
    """R9: Graph still has the leg, and its recorder has long been silent about it.

    A leg lingers for up to 45 minutes after its bot died (Graph: keepAlive); we never prolong it.
    """
    if not facts.is_live or not is_established(facts):
        return None
    if facts.recorder_word_at is None or facts.graph_seen_at is None:
        return None
    if facts.graph_seen_at - facts.recorder_word_at < graces.orphan:
        return None
    return Verdict(Rule.ORPHAN_LEG, Severity.HIGH, facts.recorder_word_at, facts.graph_seen_at)


def say_orphan_leg(facts: CallFacts, verdict: Verdict, now: datetime) -> Explained:
    seen, silent = clock(facts.graph_seen_at), duration(now - verdict.since)
    return Explained(
        f"Microsoft still had the call at {seen}; its recorder has not spoken of it for {silent}.",
        "Whether anything is being captured: nobody but the recorder could say so.",
        f"Look at the recorder. {_if_dead(facts)} Do not end the call by hand.",
        graph_can_act=facts.is_policy_call is not False,
    )


def _if_dead(facts: CallFacts) -> str:
    if facts.recording_status == RecordingStatus.FAILED:
        return "Teams was told failed, which is the truth if it is dead."
    if facts.is_policy_call is False:
        return "If it is dead, nobody can be told: Microsoft takes no status for this call."
    return "If it is dead, tell Teams failed, which is the truth."


def dropped(facts: CallFacts, graces: Graces) -> Verdict | None:
    """R10: the leg ended with an error, or was removed, while people talked on (reference on Graph, section 3; S8)."""
    if facts.ended_at is None or facts.established_at is None:
        return None
    result = (facts.result_code, facts.result_subcode)
    goes_on = facts.siblings_over_at is not None and facts.siblings_over_at > facts.ended_at + graces.dropped
    is_error = result in _DROPS or facts.result_code == 500
    if not is_error and not (result == REMOVED and goes_on):
        return None
    return Verdict(Rule.DROPPED, Severity.HIGH, facts.ended_at, facts.ended_at + graces.dropped)


def asks_for_siblings(facts: CallFacts) -> bool:
    """Whether R10 depends on other legs of the conversation."""
    return facts.ended_at is not None and (facts.result_code, facts.result_subcode) == REMOVED


def say_dropped(facts: CallFacts, verdict: Verdict, now: datetime) -> Explained:
    return Explained(
        f"The recorder's leg ended {duration(now - verdict.since)} ago with {facts.result_code}/{facts.result_subcode},"
        " an end by which a recorder loses a call that people go on with.",
        "How long people talked on unrecorded. Microsoft's call record says so two to three hours after the call.",
        "Look whether the recorder was invited again as a new leg. Attest the gap, with evidence.",
    )


def never_established(facts: CallFacts, graces: Graces) -> Verdict | None:
    """R13: a recorder must answer within seconds (Graph: call-answer); a leg that ends before it was established
    with an error never recorded anything (S3)."""
    if facts.established_at is not None or facts.first_signal_at is None or facts.state == CallState.UNKNOWN:
        return None
    if facts.over_at is not None:
        is_error = facts.result_code is not None and facts.result_code >= 400
        since, due = min(facts.first_signal_at, facts.over_at), facts.over_at + graces.dropped
        return Verdict(Rule.NEVER_ESTABLISHED, Severity.MEDIUM, since, due) if is_error else None
    rank = CALL_STATE_RANK[known_state(facts)]
    if rank >= CALL_STATE_RANK[CallState.ESTABLISHED]:
        return None
    is_incoming = rank < CALL_STATE_RANK[CallState.ESTABLISHING]
    due = facts.first_signal_at + (graces.incoming if is_incoming else graces.establishing)
    return Verdict(Rule.NEVER_ESTABLISHED, Severity.MEDIUM, facts.first_signal_at, due)


def say_never_established(facts: CallFacts, verdict: Verdict, now: datetime) -> Explained:
    if facts.over_at:
        return Explained(
            f"The recorder's leg ended with {facts.result_code}/{facts.result_subcode} before it was established.",
            "Whether people talked on unrecorded. Microsoft's call record says so two to three hours after the call.",
            "Check the recorder's media and its answer time. Attest the gap, with evidence.",
        )
    return Explained(
        f"The call has been waiting to be established for {duration(now - verdict.since)}.",
        "Whether the recorder answered: Microsoft gives it five seconds.",
        "Look at the recorder. No status can be told before the call is established.",
    )


def over_age(facts: CallFacts, graces: Graces) -> Verdict | None:
    """R19: a call lasts 24 hours at most (Graph samples, Learnings), so its end was missed."""
    if not facts.is_live or facts.first_signal_at is None:
        return None
    return Verdict(Rule.OVER_AGE, Severity.LOW, facts.first_signal_at, facts.first_signal_at + graces.over_age)


def say_over_age(facts: CallFacts, verdict: Verdict, now: datetime) -> Explained:
    return Explained(
        f"The call has been open for {duration(now - verdict.since)}; a call lasts 24 hours at most.",
        "When it really ended: its end was missed.",
        "See that the recorder reports its end, or close this with its root cause.",
        graph_can_act=facts.is_live,
    )
