"""What may be told to Teams (invariants 7 and 8). Read beside recordings/rules/ruling.py."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recordings import rules
from recordings.choices import SENDABLE_STATUSES, CallState, CaptureState, OperationStatus, RecordingStatus, Source
from recordings.rules import CallFacts, Graces, Permit

NOW = datetime(2026, 11, 18, 14, 32, 8, tzinfo=UTC)
GRACES = Graces(claim_fresh=timedelta(seconds=60))


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


CLAIMS: dict[str, dict[str, Any]] = {
    "capturing": {"capture_state": "capturing", "capture_at": ago(60)},
    "paused": {"capture_state": "paused", "capture_at": ago(60)},
    "stopped": {"capture_state": "stopped", "capture_at": ago(60)},
    "failed": {"capture_state": "failed", "capture_at": ago(60)},
    "stale capturing": {"capture_state": "capturing", "capture_at": ago(60.000001)},
    "stale stopped": {"capture_state": "stopped", "capture_at": ago(60.000001)},
    "none": {"capture_state": "unknown", "capture_at": None},
}
YES, ASK, NO = Permit.ALLOWED, Permit.NEEDS_APPROVAL, Permit.REFUSED
# The recorder's word, then REQUIRE_APPROVAL = unproven, recording, always.
TABLE: dict[str, dict[str, tuple[Permit, Permit, Permit]]] = {
    "recording": {
        "capturing": (YES, ASK, ASK),
        "paused": (NO, NO, NO),
        "stopped": (NO, NO, NO),
        "failed": (NO, NO, NO),
        "stale capturing": (ASK, ASK, ASK),
        "stale stopped": (ASK, ASK, ASK),
        "none": (ASK, ASK, ASK),
    },
    "notRecording": {
        "capturing": (NO, NO, NO),
        "paused": (YES, YES, ASK),
        "stopped": (YES, YES, ASK),
        "failed": (YES, YES, ASK),
        "stale capturing": (ASK, ASK, ASK),
        "stale stopped": (ASK, ASK, ASK),
        "none": (ASK, ASK, ASK),
    },
    "failed": {
        "capturing": (YES, YES, ASK),
        "paused": (YES, YES, ASK),
        "stopped": (YES, YES, ASK),
        "failed": (YES, YES, ASK),
        "stale capturing": (YES, YES, ASK),
        "stale stopped": (YES, YES, ASK),
        "none": (YES, YES, ASK),
    },
}
POLICIES = ("unproven", "recording", "always")
CELLS = [
    (wish, claim, policy, permit)
    for wish, rows in TABLE.items()
    for claim, permits in rows.items()
    for policy, permit in zip(POLICIES, permits, strict=True)
]
LIVING = CallFacts(state="established", is_policy_call=True)


def ruling(wish: str, facts: CallFacts, policy: str = "unproven") -> rules.Ruling:
    return rules.rule_on(wish, facts, now=NOW, graces=GRACES, require_approval=policy)


def test_the_table_has_every_wish_that_may_be_sent_and_every_word_of_a_recorder() -> None:
    assert set(TABLE) == {status.value for status in SENDABLE_STATUSES}
    assert {CLAIMS[claim]["capture_state"] for claim in CLAIMS} == set(CaptureState.values)


@pytest.mark.parametrize(("wish", "claim", "policy", "permit"), CELLS)
@pytest.mark.parametrize("state", ["established", "hold", "transferring", "", "parked"])
@pytest.mark.parametrize("is_policy_call", [True, None])
def test_invariant_8_cell_by_cell(
    wish: str, claim: str, policy: str, permit: Permit, state: str, is_policy_call: bool | None
) -> None:
    facts = replace(LIVING, state=state, is_policy_call=is_policy_call, **CLAIMS[claim])
    found = ruling(wish, facts, policy)

    assert found.permit == permit
    assert bool(found.why) == (permit != YES), "what is not allowed has a reason"
    assert not found.attest


@pytest.mark.parametrize(("wish", "claim", "policy"), [cell[:3] for cell in CELLS])
@pytest.mark.parametrize(
    ("facts", "why", "attest"),
    [
        ({"ended_at": ago(9), "state": "terminated"}, "The call ended at 14:31:59 UTC", True),
        ({"gone_at": ago(9)}, "was no longer found at Graph at 14:31:59 UTC", True),
        ({"state": "terminating"}, "The call is ending", False),
        ({"state": "terminated"}, "The call is ending", False),
        ({"state": "incoming"}, "not established yet", False),
        ({"state": "ringing"}, "not established yet", False),
        ({"state": "establishing"}, "not established yet", False),
        ({"is_policy_call": False}, "not a compliance-recording call", False),
    ],
)
def test_no_word_of_anybody_opens_a_leg_that_takes_no_status(
    wish: str, claim: str, policy: str, facts: dict[str, Any], why: str, attest: bool
) -> None:
    found = ruling(wish, replace(LIVING, **CLAIMS[claim], **facts), policy)

    assert found.permit == NO
    assert why in found.why
    assert found.attest == attest


@pytest.mark.parametrize("wish", ["unknown", "unknownFutureValue", "", "Recording", "paused"])
def test_only_graphs_three_documented_words_are_ever_sent(wish: str) -> None:
    assert ruling(wish, replace(LIVING, **CLAIMS["capturing"])).permit == NO


@pytest.mark.parametrize(
    ("wish", "claim"), [("recording", "capturing"), ("notRecording", "stopped"), ("failed", "none")]
)
def test_what_graph_confirmed_already_is_not_told_again_but_what_the_recorder_told_is(wish: str, claim: str) -> None:
    told = replace(LIVING, **CLAIMS[claim], recording_status=wish, recording_status_at=ago(30))

    assert ruling(wish, replace(told, recording_status_source="recorder")).permit == YES
    by_graph = ruling(wish, replace(told, recording_status_source="graph"))
    assert (by_graph.permit, by_graph.why) == (NO, "Graph already confirmed this status at 14:31:38 UTC.")


def test_each_refusal_says_what_to_do_first() -> None:
    assert ruling("notRecording", replace(LIVING, **CLAIMS["capturing"])).why == (
        "The recorder says it is capturing. Stop the recorder first."
    )
    assert ruling("recording", replace(LIVING, **CLAIMS["stopped"])).why == (
        "The recorder says it is not capturing. Start the recorder first."
    )
    assert "second person must approve" in ruling("recording", LIVING).why


def test_a_claim_is_fresh_to_the_last_microsecond_of_its_minute() -> None:
    facts = replace(LIVING, **CLAIMS["capturing"])

    assert rules.fresh_claim(facts, now=NOW, graces=GRACES) == "capturing"
    assert rules.fresh_claim(facts, now=NOW + timedelta(microseconds=1), graces=GRACES) == ""


# -- whatever the facts are

moments = st.datetimes(
    min_value=NOW.replace(tzinfo=None, year=1),
    max_value=NOW.replace(tzinfo=None, year=2400),
    timezones=st.just(UTC),
)
near = st.integers(-120, 120).map(ago)
facts_of_any_kind = st.builds(
    CallFacts,
    state=st.sampled_from(CallState.values) | st.text(max_size=32),
    capture_state=st.sampled_from(CaptureState.values) | st.text(max_size=16),
    capture_at=st.none() | near | moments,
    capture_changed_at=st.none() | moments,
    recording_status=st.sampled_from(RecordingStatus.values) | st.text(max_size=32),
    recording_status_at=st.none() | moments,
    recording_status_source=st.sampled_from(["", *Source.values]),
    ended_at=st.none() | moments,
    gone_at=st.none() | moments,
    last_signal_at=st.none() | moments,
    is_policy_call=st.none() | st.booleans(),
    operation_status=st.sampled_from(["", *OperationStatus.values]) | st.text(max_size=32),
    operation_since=st.none() | moments,
)
living_facts = facts_of_any_kind.map(lambda facts: replace(facts, ended_at=None, gone_at=None))
wishes = st.sampled_from(RecordingStatus.values) | st.text(max_size=32)
policies = st.sampled_from(POLICIES)


@given(wishes, facts_of_any_kind, policies)
@example("failed", replace(LIVING, recording_status="failed", recording_status_source="graph"), "unproven")
def test_no_facts_crash_a_ruling_and_a_refusal_always_says_why(wish: str, facts: CallFacts, policy: str) -> None:
    found = ruling(wish, facts, policy)

    assert bool(found.why) == (found.permit != YES)


@given(living_facts, st.integers(0, 60), policies)
def test_not_recording_is_never_permitted_against_a_fresh_claim_of_capture(
    facts: CallFacts, age: int, policy: str
) -> None:
    capturing = replace(facts, capture_state="capturing", capture_at=ago(age))

    assert ruling("notRecording", capturing, policy).permit == NO


@given(living_facts, policies)
def test_without_a_second_person_a_status_needs_the_fresh_word_that_it_is_true(facts: CallFacts, policy: str) -> None:
    claim = rules.fresh_claim(facts, now=NOW, graces=GRACES)

    if ruling("recording", facts, policy).permit == YES:
        assert claim == "capturing"
    if ruling("notRecording", facts, policy).permit == YES:
        assert claim in ("paused", "stopped", "failed")


@given(wishes, facts_of_any_kind, moments, st.booleans(), policies)
def test_nothing_is_ever_permitted_once_the_leg_is_over(
    wish: str, facts: CallFacts, over_at: datetime, is_gone: bool, policy: str
) -> None:
    over = replace(facts, gone_at=over_at) if is_gone else replace(facts, ended_at=over_at)

    assert ruling(wish, over, policy).permit == NO
