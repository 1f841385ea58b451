"""What is stuck and why, since when, how bad; and what may be told to Teams. Read beside recordings/rules/."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recordings import rules
from recordings.choices import (
    CALL_STATE_RANK,
    LIVE_STATUSES,
    SENDABLE_STATUSES,
    CallState,
    CaptureState,
    OperationStatus,
    RecordingStatus,
    Rule,
    Severity,
    Source,
)
from recordings.rules import CallFacts, Graces, Permit

NOW = datetime(2026, 11, 18, 14, 32, 8, tzinfo=UTC)
GRACES = Graces(
    after_end=timedelta(seconds=10),
    before_start=timedelta(seconds=20),
    before_stop=timedelta(seconds=30),
    operation=timedelta(seconds=40),
    claim_fresh=timedelta(seconds=60),
)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def verdict_of(facts: CallFacts) -> rules.Verdict:
    (verdict,) = rules.verdicts(facts, graces=GRACES)
    return verdict


def sentence_of(facts: CallFacts) -> rules.Explained:
    return rules.explain(verdict_of(facts), facts, now=NOW)


# A call that is as it should be: talking, captured, told.
GOOD = CallFacts(
    state="established",
    capture_state="capturing",
    capture_at=ago(5),
    capture_changed_at=ago(600),
    recording_status="recording",
    recording_status_at=ago(599),
    recording_status_source="recorder",
    last_signal_at=ago(5),
    is_policy_call=True,
)
ENDED_WHILE_TOLD = replace(GOOD, state="terminated", capture_state="stopped", ended_at=ago(11_400))
CAPTURING_UNTOLD = replace(GOOD, recording_status="unknown", recording_status_at=None, recording_status_source="")
STOPPED_WHILE_TOLD = replace(GOOD, capture_state="stopped", capture_changed_at=ago(95))
UNSETTLED = replace(GOOD, operation_status="running", operation_since=ago(70))


# -- the rules


def test_a_call_that_is_captured_and_told_is_not_stuck() -> None:
    assert rules.verdicts(GOOD, graces=GRACES) == ()


def test_a_call_of_which_nobody_said_anything_is_not_stuck() -> None:
    assert rules.verdicts(CallFacts(), graces=GRACES) == ()


@pytest.mark.parametrize(
    ("facts", "rule", "severity", "since", "grace"),
    [
        (ENDED_WHILE_TOLD, Rule.TOLD_AFTER_END, Severity.HIGH, ago(11_400), 10),
        (CAPTURING_UNTOLD, Rule.CAPTURING_UNTOLD, Severity.CRITICAL, ago(600), 20),
        (STOPPED_WHILE_TOLD, Rule.TOLD_NOT_CAPTURING, Severity.HIGH, ago(95), 30),
        (UNSETTLED, Rule.OPERATION_UNSETTLED, Severity.MEDIUM, ago(70), 40),
    ],
)
def test_each_rule_says_how_bad_it_is_since_when_and_when_its_own_grace_is_over(
    facts: CallFacts, rule: Rule, severity: Severity, since: datetime, grace: int
) -> None:
    due = since + timedelta(seconds=grace)

    assert verdict_of(facts) == rules.Verdict(rule, severity, since, due)
    assert not verdict_of(facts).is_due(due - timedelta(microseconds=1))
    assert verdict_of(facts).is_due(due)


@pytest.mark.parametrize("status", ["notRecording", "failed", "unknown"])
def test_r7_holds_only_while_recording_is_the_last_thing_told(status: str) -> None:
    assert rules.verdicts(replace(ENDED_WHILE_TOLD, recording_status=status), graces=GRACES) == ()


def test_r7_counts_a_call_found_gone_as_over_too_and_the_end_before_it() -> None:
    gone = replace(GOOD, gone_at=ago(60))

    assert verdict_of(gone).since == ago(60)
    assert verdict_of(replace(gone, ended_at=ago(50))).since == ago(50)


@pytest.mark.parametrize("status", ["unknown", "notRecording", "failed"])
def test_r1_holds_while_media_is_captured_and_recording_was_not_told(status: str) -> None:
    told_later = replace(CAPTURING_UNTOLD, recording_status=status, recording_status_at=ago(40))

    assert verdict_of(told_later).rule == Rule.CAPTURING_UNTOLD
    assert verdict_of(told_later).since == ago(40), "the grace starts with the later of the two words"


@pytest.mark.parametrize("capture", ["unknown", "stopped", "failed"])
def test_r1_does_not_hold_where_nothing_is_captured(capture: str) -> None:
    assert rules.verdicts(replace(CAPTURING_UNTOLD, capture_state=capture), graces=GRACES) == ()


@pytest.mark.parametrize("capture", ["stopped", "failed"])
def test_r2_holds_while_capture_is_over_and_recording_still_stands(capture: str) -> None:
    facts = replace(STOPPED_WHILE_TOLD, capture_state=capture)

    assert verdict_of(facts).rule == Rule.TOLD_NOT_CAPTURING
    assert rules.verdicts(replace(facts, recording_status="notRecording"), graces=GRACES) == ()
    assert verdict_of(replace(facts, recording_status_at=ago(30))).since == ago(30)


@pytest.mark.parametrize("over", [{"ended_at": ago(100)}, {"gone_at": ago(100)}])
@pytest.mark.parametrize("facts", [CAPTURING_UNTOLD, STOPPED_WHILE_TOLD])
def test_r1_and_r2_speak_of_living_legs_only(facts: CallFacts, over: dict[str, Any]) -> None:
    held = {verdict.rule for verdict in rules.verdicts(replace(facts, **over), graces=GRACES)}

    assert not held & {Rule.CAPTURING_UNTOLD, Rule.TOLD_NOT_CAPTURING}


@pytest.mark.parametrize("facts", [CAPTURING_UNTOLD, STOPPED_WHILE_TOLD])
def test_r1_and_r2_wait_for_a_moment_to_count_from(facts: CallFacts) -> None:
    timeless = replace(facts, capture_changed_at=None, recording_status_at=None)

    assert rules.verdicts(timeless, graces=GRACES) == ()


def test_r4_holds_for_every_live_status_and_no_other() -> None:
    held = {
        status
        for status in OperationStatus
        if rules.verdicts(replace(GOOD, operation_status=status, operation_since=ago(1)), graces=GRACES)
    }

    assert held == set(LIVE_STATUSES)
    assert rules.verdicts(replace(UNSETTLED, operation_since=None), graces=GRACES) == ()


def test_one_call_can_break_several_rules_at_once() -> None:
    facts = replace(STOPPED_WHILE_TOLD, operation_status="unknown", operation_since=ago(9))

    assert [verdict.rule.value for verdict in rules.verdicts(facts, graces=GRACES)] == ["R2", "R4"]


# -- the sentences


def test_r7_says_how_long_ago_the_call_ended_and_that_only_an_attestation_is_left() -> None:
    said = sentence_of(ENDED_WHILE_TOLD)

    assert said.sentence == (
        "Teams was told recording; the call ended 3 h 10 min ago; last sign of life 14:32:03 UTC; rule R7."
    )
    assert "Attest" in said.action
    assert not said.graph_can_act
    assert "was no longer found at Graph 1 min 0 s ago" in sentence_of(replace(GOOD, gone_at=ago(60))).sentence


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("unknown", "Teams was never told"),
        ("notRecording", "Teams was told not recording"),
        ("failed", "Teams was told failed"),
    ],
)
def test_r1_says_how_long_capture_goes_on_and_what_teams_was_told_instead(status: str, words: str) -> None:
    said = sentence_of(replace(CAPTURING_UNTOLD, recording_status=status, last_signal_at=None))

    assert said.sentence == f"The recorder has been capturing for 10 min; {words}; no sign of life yet; rule R1."
    assert "stop the recorder" in said.action
    assert said.graph_can_act


def test_r2_says_how_long_capture_has_been_over_and_what_to_tell() -> None:
    said = sentence_of(STOPPED_WHILE_TOLD)

    assert said.sentence.startswith("Teams shows recording; the recorder says capture stopped 1 min 35 s ago; ")
    assert "not recording" in said.action
    assert said.graph_can_act


def test_r4_says_how_long_the_outcome_is_awaited_and_that_it_can_be_closed() -> None:
    said = sentence_of(UNSETTLED)

    assert said.sentence.startswith("A correction has been waiting for its outcome for 1 min 10 s; ")
    assert "unresolved" in said.action
    assert said.graph_can_act
    over = replace(UNSETTLED, ended_at=ago(5), recording_status="failed")
    assert not sentence_of(over).graph_can_act


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (0.9, "0 s"),
        (45, "45 s"),
        (60, "1 min 0 s"),
        (599, "9 min 59 s"),
        (600, "10 min"),
        (3_599, "59 min"),
        (3_600, "1 h 0 min"),
        (11_400, "3 h 10 min"),
        (86_399, "23 h 59 min"),
        (86_400, "1 d 0 h"),
        (1_000_000, "11 d 13 h"),
    ],
)
def test_a_duration_is_said_in_two_units_at_most(seconds: float, words: str) -> None:
    assert rules.duration(timedelta(seconds=seconds)) == words


# -- the moment the sweep must look again


def due(facts: CallFacts, *, opened: str = "", settled: dict[str, datetime] | None = None) -> datetime | None:
    return rules.next_due(
        facts,
        open_rules=frozenset(opened.split()),
        settled_rules=settled or {},
        graces=GRACES,
        now=NOW,
    )


def test_the_next_moment_is_the_earliest_at_which_a_rule_becomes_a_finding() -> None:
    both = replace(STOPPED_WHILE_TOLD, operation_status="sent", operation_since=ago(2))

    assert due(GOOD) is None
    assert due(STOPPED_WHILE_TOLD) == ago(95) + GRACES.before_stop
    assert due(both) == ago(95) + GRACES.before_stop
    assert due(both, opened="R2") == ago(2) + GRACES.operation


def test_an_open_finding_whose_reason_is_gone_is_due_at_once() -> None:
    assert due(GOOD, opened="R1") == NOW
    assert due(STOPPED_WHILE_TOLD, opened="R1 R2") == NOW


def test_what_is_open_or_was_settled_by_a_person_is_not_due_again() -> None:
    assert due(ENDED_WHILE_TOLD, opened="R7") is None
    (verdict,) = rules.verdicts(ENDED_WHILE_TOLD, graces=GRACES)
    assert due(ENDED_WHILE_TOLD, settled={"R7": verdict.since}) is None


def test_a_condition_that_began_anew_after_a_person_closed_the_old_one_is_due_again() -> None:
    (verdict,) = rules.verdicts(ENDED_WHILE_TOLD, graces=GRACES)
    assert due(ENDED_WHILE_TOLD, settled={"R7": verdict.since - timedelta(seconds=1)}) == verdict.due_after


# -- the call's state (invariant 5)

BRACES = ["established", "hold", "transferring", "transferAccepted", "redirecting"]


def heard(*words: str) -> str:
    state = ""
    for word in words:
        state = rules.merged_state(state, word)
    return state


def test_a_lower_state_never_replaces_a_higher_one() -> None:
    for old in CallState:
        for new in CallState:
            moved = CALL_STATE_RANK[new] >= CALL_STATE_RANK[old]
            assert rules.merged_state(old.value, new.value) == (new.value if moved else old.value)


def test_states_of_one_rank_follow_each_other_as_they_come() -> None:
    assert {rules.merged_state(old, new) for old in BRACES for new in BRACES} == set(BRACES)
    assert heard("established", "hold", "established") == "established"


def test_a_word_invented_later_moves_a_call_but_never_ends_or_revives_it() -> None:
    assert heard("establishing", "parked") == "parked"
    assert heard("parked", "established") == "established"
    assert heard("parked", "establishing") == "parked"
    assert heard("terminating", "parked") == "terminating"
    assert heard("parked", "terminated", "parked") == "terminated"


@given(st.permutations(["incoming", "establishing", "established", "terminating", "terminated"]))
def test_the_same_words_in_any_order_end_in_the_same_state(words: list[str]) -> None:
    assert heard(*words) == "terminated"
    assert heard(*(word for word in words if word != "terminated")) == "terminating"


@given(st.lists(st.sampled_from([*CallState.values, "parked"]), max_size=8), st.lists(st.text(max_size=9), max_size=5))
def test_ended_is_absorbing(before: list[str], after: list[str]) -> None:
    assert heard(*before, "terminated", *after) == "terminated"


# -- invariant 8: what may be told to Teams

CLAIMS: dict[str, dict[str, Any]] = {
    "capturing": {"capture_state": "capturing", "capture_at": ago(60)},
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
        "stopped": (NO, NO, NO),
        "failed": (NO, NO, NO),
        "stale capturing": (ASK, ASK, ASK),
        "stale stopped": (ASK, ASK, ASK),
        "none": (ASK, ASK, ASK),
    },
    "notRecording": {
        "capturing": (NO, NO, NO),
        "stopped": (YES, YES, ASK),
        "failed": (YES, YES, ASK),
        "stale capturing": (ASK, ASK, ASK),
        "stale stopped": (ASK, ASK, ASK),
        "none": (ASK, ASK, ASK),
    },
    "failed": {
        "capturing": (YES, YES, ASK),
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


@given(facts_of_any_kind, st.sets(st.sampled_from(Rule.values)), moments)
def test_no_facts_crash_a_rule(facts: CallFacts, opened: set[str], now: datetime) -> None:
    for verdict in rules.verdicts(facts, graces=GRACES):
        said = rules.explain(verdict, facts, now=now)
        assert f"rule {verdict.rule.value}." in said.sentence
        assert verdict.due_after > verdict.since
    rules.next_due(facts, open_rules=frozenset(opened), settled_rules={}, graces=GRACES, now=now)


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
        assert claim in ("stopped", "failed")


@given(wishes, facts_of_any_kind, moments, st.booleans(), policies)
def test_nothing_is_ever_permitted_once_the_leg_is_over(
    wish: str, facts: CallFacts, over_at: datetime, is_gone: bool, policy: str
) -> None:
    over = replace(facts, gone_at=over_at) if is_gone else replace(facts, ended_at=over_at)

    assert ruling(wish, over, policy).permit == NO
