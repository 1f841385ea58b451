"""What the rules are given: the facts of one subject, how long they wait, and Graph's ranked states (invariant 5)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from recordings.choices import CALL_STATE_RANK, CallState, CaptureState, RecordingStatus
from recordings.rules.heard import Word


@dataclass(frozen=True)
class Graces:
    """How long a disagreement may last before it is a finding. The defaults of the STUCK_ settings."""

    after_end: timedelta = timedelta(seconds=30)
    before_start: timedelta = timedelta(seconds=30)
    before_stop: timedelta = timedelta(seconds=30)
    told_otherwise: timedelta = timedelta(seconds=30)
    operation: timedelta = timedelta(seconds=60)
    failed: timedelta = timedelta(seconds=30)
    no_sign: timedelta = timedelta(minutes=15)
    orphan: timedelta = timedelta(minutes=15)
    dropped: timedelta = timedelta(seconds=60)
    refused: timedelta = timedelta(0)
    tenant: timedelta = timedelta(0)
    incoming: timedelta = timedelta(seconds=15)
    establishing: timedelta = timedelta(seconds=60)
    flapping_window: timedelta = timedelta(minutes=10)
    flapping_changes: int = 4
    over_age: timedelta = timedelta(hours=24)
    silent_recorder: timedelta = timedelta(minutes=2)
    claim_fresh: timedelta = timedelta(seconds=60)


@dataclass(frozen=True)
class CallFacts:
    """What is known of one bot leg, the three kept apart: captured, told, evidence.

    `*_changed_at` is since when it has been so, `not_capturing_since` since when it was paused, stopped or failed;
    `failing_since` when the first of the corrections failed that came to nothing in a row, `failed_operation_at` when
    the latest did; `siblings_over_at` until when other legs of the same conversation went on, None if there are none,
    and the end of time while one of them lives.
    """

    state: str = CallState.UNKNOWN
    first_signal_at: datetime | None = None
    established_at: datetime | None = None
    ended_at: datetime | None = None
    gone_at: datetime | None = None
    last_signal_at: datetime | None = None
    graph_seen_at: datetime | None = None
    recorder_word_at: datetime | None = None
    result_code: int | None = None
    result_subcode: int | None = None
    siblings_over_at: datetime | None = None
    is_policy_call: bool | None = None
    status_refused_at: datetime | None = None
    capture_state: str = CaptureState.UNKNOWN
    capture_at: datetime | None = None
    capture_changed_at: datetime | None = None
    not_capturing_since: datetime | None = None
    recording_status: str = RecordingStatus.UNKNOWN
    recording_status_at: datetime | None = None
    recording_status_source: str = ""
    told_changed_at: datetime | None = None
    told: tuple[Word, ...] = ()
    operation_status: str = ""
    operation_since: datetime | None = None
    failing_since: datetime | None = None
    failed_operation_at: datetime | None = None
    failed_operation_wish: str = ""

    @property
    def over_at(self) -> datetime | None:
        """When the leg ended or was found gone; None while it lives, as far as anybody told us."""
        return self.ended_at or self.gone_at

    @property
    def is_live(self) -> bool:
        return self.over_at is None


@dataclass(frozen=True)
class RecorderFacts:
    """What is known of one recorder: when it spoke last, about whatever, and since when we could have heard it."""

    last_word_at: datetime | None = None
    is_disabled: bool = False
    listening_since: datetime | None = None


@dataclass(frozen=True)
class TenantFacts:
    """What is known of one tenant: since when Microsoft refuses every status there, and with which code.

    `clock_skewed_at` is since when our clock and Graph's are apart, `clock_seconds` ours minus Graph's.
    """

    blocked_at: datetime | None = None
    code: str = ""
    message: str = ""
    clock_skewed_at: datetime | None = None
    clock_seconds: float = 0.0


type Facts = CallFacts | RecorderFacts | TenantFacts


_STATES = {state.value: state for state in CallState}


def is_established(facts: CallFacts) -> bool:
    return CALL_STATE_RANK.get(known_state(facts), 0) == CALL_STATE_RANK[CallState.ESTABLISHED]


def is_before_established(facts: CallFacts) -> bool:
    """Whether somebody said that the leg is on its way; nothing heard of its state says nothing."""
    return 0 < CALL_STATE_RANK[known_state(facts)] < CALL_STATE_RANK[CallState.ESTABLISHED]


def known_state(facts: CallFacts) -> CallState:
    return _STATES.get(facts.state, CallState.ESTABLISHED)
