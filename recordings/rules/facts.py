"""What the rules are given: the facts of one leg, how long they wait, and Graph's ranked states (invariant 5)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from recordings.choices import CALL_STATE_RANK, CallState, CaptureState, RecordingStatus


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


def is_established(facts: CallFacts) -> bool:
    return CALL_STATE_RANK.get(known_state(facts), 0) == CALL_STATE_RANK[CallState.ESTABLISHED]


def merged_state(old: str, new: str) -> str:
    """The call state after `new` was heard while `old` stood: a lower rank never replaces a higher one (invariant 5).

    A word Graph invented after this was written ranks with the established ones: it moves, but never ends, a call.
    """
    established = CALL_STATE_RANK[CallState.ESTABLISHED]
    ranks = {state.value: rank for state, rank in CALL_STATE_RANK.items()}
    return new if ranks.get(new, established) >= ranks.get(old, established) else old


def known_state(facts: CallFacts) -> CallState:
    return CallState(facts.state) if facts.state in CallState.values else CallState.ESTABLISHED
