"""Rules about our own corrections: one that has no outcome yet, and one that failed with nothing put right since."""

from datetime import datetime

from recordings.choices import LIVE_STATUSES, RecordingStatus, Rule, Severity
from recordings.rules.facts import CallFacts, Graces
from recordings.rules.verdict import Explained, Verdict, duration


def operation_unsettled(facts: CallFacts, graces: Graces) -> Verdict | None:
    """R4: a null or running operation is answered by a notification later (Graph: commsOperation), or never."""
    if facts.operation_status not in LIVE_STATUSES or facts.operation_since is None:
        return None
    due = facts.operation_since + graces.operation
    return Verdict(Rule.OPERATION_UNSETTLED, Severity.MEDIUM, facts.operation_since, due)


def say_operation_unsettled(facts: CallFacts, verdict: Verdict, now: datetime) -> Explained:
    return Explained(
        f"A correction has been waiting for its outcome for {duration(now - verdict.since)}.",
        "Whether Microsoft acted on it. On Record goes on asking.",
        "Wait for the outcome, or close the correction as unresolved with a reason.",
        graph_can_act=facts.is_live,
    )


def operation_failed(facts: CallFacts, graces: Graces) -> Verdict | None:
    """R5: the latest correction failed or stayed unresolved, and Teams was told nothing since (S7).

    Another try puts nothing right until it succeeds; one that is under way before the grace is over puts it off.
    """
    failed_at, told_at = facts.failed_operation_at, facts.recording_status_at
    if failed_at is None or not facts.is_live or (told_at and told_at > failed_at):
        return None
    first = facts.failing_since or failed_at
    due = (failed_at if told_at and told_at > first else first) + graces.failed
    if facts.operation_since and facts.operation_since < due:
        return None
    return Verdict(Rule.OPERATION_FAILED, Severity.HIGH, failed_at, due)


def say_operation_failed(facts: CallFacts, verdict: Verdict, now: datetime) -> Explained:
    known = facts.failed_operation_wish in RecordingStatus.values
    wish = f" to {RecordingStatus(facts.failed_operation_wish).label.lower()}" if known else ""
    return Explained(
        f"A correction{wish} came to nothing {duration(now - verdict.since)} ago, and Teams was told nothing since.",
        "Whether the people on the call see a status that is true.",
        "Open the correction: it says whether trying again can work, and what to do if it cannot.",
        graph_can_act=facts.is_policy_call is not False,
    )
