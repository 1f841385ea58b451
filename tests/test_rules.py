"""What is stuck and why, since when, how bad. Read beside recordings/rules/: one section a rule, by its code."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings import rules
from recordings.choices import (
    CALL_STATE_RANK,
    LIVE_STATUSES,
    CallState,
    CaptureState,
    OperationStatus,
    RecordingStatus,
    Rule,
    Severity,
    Source,
)
from recordings.rules import CallFacts, Graces, RecorderFacts, TenantFacts, Word

NOW = datetime(2026, 11, 18, 14, 32, 8, tzinfo=UTC)
# Each grace another length, so that no rule can borrow its neighbour's.
GRACES = Graces(
    after_end=timedelta(seconds=10),
    before_start=timedelta(seconds=20),
    before_stop=timedelta(seconds=30),
    told_otherwise=timedelta(seconds=25),
    operation=timedelta(seconds=40),
    failed=timedelta(seconds=35),
    no_sign=timedelta(minutes=15),
    orphan=timedelta(minutes=14),
    dropped=timedelta(seconds=61),
    refused=timedelta(seconds=3),
    tenant=timedelta(seconds=4),
    incoming=timedelta(seconds=16),
    establishing=timedelta(seconds=62),
    flapping_window=timedelta(minutes=10),
    flapping_changes=4,
    over_age=timedelta(hours=23),
    silent_recorder=timedelta(seconds=90),
)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


# A call that is as it should be: talking, captured, told. Were nobody to speak of it again, it would be stuck later.
GOOD = CallFacts(
    state="established",
    first_signal_at=ago(605),
    established_at=ago(600),
    capture_state="capturing",
    capture_at=ago(5),
    capture_changed_at=ago(600),
    recording_status="recording",
    recording_status_at=ago(5),
    recording_status_source="recorder",
    told_changed_at=ago(599),
    told=(Word(ago(599), 1, 1, "recording"), Word(ago(5), 1, 2, "recording")),
    last_signal_at=ago(5),
    recorder_word_at=ago(5),
    graph_seen_at=ago(30),
    is_policy_call=True,
)
ENDED = replace(GOOD, state="terminated", ended_at=ago(100), capture_state="stopped", recording_status="notRecording")
RECORDER = RecorderFacts(last_word_at=ago(100))
# Told something else every ten seconds: five changes after the first word.
FLAPPING = replace(
    GOOD, told=tuple(Word(ago(100 - n * 10), 1, n, "recording" if n % 2 else "failed") for n in range(6))
)
TENANT = TenantFacts(blocked_at=ago(100), code="7504", message="Consent is missing.")


def held(facts: rules.Facts) -> set[str]:
    """The codes of the rules that are findings now."""
    return {verdict.rule.value for verdict in rules.verdicts(facts, graces=GRACES) if verdict.is_due(NOW)}


def verdict_of(rule: Rule, facts: rules.Facts) -> rules.Verdict | None:
    return next((verdict for verdict in rules.verdicts(facts, graces=GRACES) if verdict.rule == rule), None)


def said_of(rule: Rule, facts: rules.Facts) -> rules.Explained:
    verdict = verdict_of(rule, facts)
    assert verdict, f"{rule} does not hold"
    return rules.explain(verdict, facts, now=NOW)


def test_a_call_that_is_captured_and_told_is_not_stuck() -> None:
    assert held(GOOD) == set()


def test_a_call_that_ended_as_it_should_is_not_stuck_and_never_will_be() -> None:
    assert rules.verdicts(ENDED, graces=GRACES) == ()


def test_of_a_subject_of_which_nobody_said_anything_nothing_is_found() -> None:
    assert [rules.verdicts(nothing, graces=GRACES) for nothing in (CallFacts(), RecorderFacts(), TenantFacts())] == [
        (),
        (),
        (),
    ]


# One situation a rule: its facts, how bad it is, since when, and after which grace it is a finding.
SITUATIONS: dict[Rule, tuple[rules.Facts, Severity, datetime, timedelta]] = {
    Rule.CAPTURING_UNTOLD: (
        replace(GOOD, recording_status="unknown", recording_status_at=None, told_changed_at=None, told=()),
        Severity.CRITICAL,
        ago(600),
        timedelta(seconds=20),
    ),
    Rule.TOLD_NOT_CAPTURING: (
        replace(GOOD, capture_state="stopped", capture_changed_at=ago(95)),
        Severity.HIGH,
        ago(95),
        timedelta(seconds=30),
    ),
    Rule.TOLD_OTHERWISE: (
        replace(GOOD, recording_status="notRecording", told_changed_at=ago(40)),
        Severity.CRITICAL,
        ago(40),
        timedelta(seconds=25),
    ),
    Rule.OPERATION_UNSETTLED: (
        replace(GOOD, operation_status="running", operation_since=ago(70)),
        Severity.MEDIUM,
        ago(70),
        timedelta(seconds=40),
    ),
    Rule.OPERATION_FAILED: (
        replace(GOOD, failed_operation_at=ago(50), failed_operation_wish="failed", recording_status_at=ago(51)),
        Severity.HIGH,
        ago(50),
        timedelta(seconds=35),
    ),
    Rule.TOLD_AFTER_END: (
        replace(ENDED, recording_status="recording", ended_at=ago(10_680), told_changed_at=ago(11_400)),
        Severity.HIGH,
        ago(10_680),
        timedelta(seconds=10),
    ),
    Rule.NO_SIGN_OF_LIFE: (
        replace(GOOD, last_signal_at=ago(1000), recorder_word_at=ago(1000), graph_seen_at=None),
        Severity.MEDIUM,
        ago(1000),
        timedelta(minutes=15),
    ),
    Rule.ORPHAN_LEG: (
        replace(GOOD, recorder_word_at=ago(900), graph_seen_at=ago(60)),
        Severity.HIGH,
        ago(900),
        timedelta(minutes=14),
    ),
    Rule.DROPPED: (
        replace(ENDED, result_code=408, result_subcode=8537),
        Severity.HIGH,
        ago(100),
        timedelta(seconds=61),
    ),
    Rule.STATUS_REFUSED: (
        replace(GOOD, capture_state="stopped", recording_status="unknown", status_refused_at=ago(9)),
        Severity.MEDIUM,
        ago(9),
        timedelta(seconds=3),
    ),
    Rule.TENANT_BLOCKED: (TENANT, Severity.CRITICAL, ago(100), timedelta(seconds=4)),
    Rule.NEVER_ESTABLISHED: (
        CallFacts(state="incoming", first_signal_at=ago(17), last_signal_at=ago(17)),
        Severity.MEDIUM,
        ago(17),
        timedelta(seconds=16),
    ),
    Rule.FLAPPING: (FLAPPING, Severity.MEDIUM, ago(90), timedelta(seconds=40)),
    Rule.OVER_AGE: (
        replace(GOOD, first_signal_at=ago(24 * 3600)),
        Severity.LOW,
        ago(24 * 3600),
        timedelta(hours=23),
    ),
    Rule.SILENT_RECORDER: (RECORDER, Severity.HIGH, ago(100), timedelta(seconds=90)),
    Rule.CLOCK_SKEWED: (TenantFacts(clock_skewed_at=ago(9), clock_seconds=-7.4), Severity.MEDIUM, ago(9), timedelta(0)),
}


def test_every_rule_has_its_situation_here() -> None:
    assert set(SITUATIONS) == set(Rule)


@pytest.mark.parametrize("rule", Rule)
def test_each_rule_says_how_bad_it_is_since_when_and_when_its_own_grace_is_over(rule: Rule) -> None:
    facts, severity, since, grace = SITUATIONS[rule]
    verdict = verdict_of(rule, facts)

    assert verdict
    assert (verdict.severity, verdict.since) == (severity, since)
    if rule != Rule.ORPHAN_LEG:  # due with Graph's word that the leg lives, which no grace tells beforehand
        assert verdict.due_after == since + grace
    assert not verdict.is_due(verdict.due_after - timedelta(microseconds=1))
    assert verdict.is_due(verdict.due_after)


@pytest.mark.parametrize("rule", Rule)
def test_each_situation_is_found_by_its_own_rule_and_by_no_other(rule: Rule) -> None:
    assert held(SITUATIONS[rule][0]) == {rule.value}


@pytest.mark.parametrize("rule", Rule)
def test_each_rule_says_what_it_does_not_know_and_what_to_do(rule: Rule) -> None:
    said = said_of(rule, SITUATIONS[rule][0])

    assert said.sentence.endswith(f"ule {rule.value}.")
    assert said.not_known.endswith(".")
    assert said.action.endswith(".")


# -- R1: capturing, and Teams was never told


def test_r1_says_since_when_capture_goes_on_and_what_to_do() -> None:
    said = said_of(Rule.CAPTURING_UNTOLD, SITUATIONS[Rule.CAPTURING_UNTOLD][0])

    assert said.sentence == (
        "The recorder has been capturing for 10 min; Teams was never told. Last sign of life 14:32:03 UTC; rule R1."
    )
    assert "stop the recorder" in said.action
    assert said.graph_can_act


@pytest.mark.parametrize("capture", ["unknown", "paused", "stopped", "failed"])
def test_r1_does_not_hold_where_nothing_is_captured(capture: str) -> None:
    facts, *_ = SITUATIONS[Rule.CAPTURING_UNTOLD]
    assert isinstance(facts, CallFacts)

    assert held(replace(facts, capture_state=capture)) == set()


def test_r1_is_not_healed_by_the_end_of_the_call_and_then_only_attested() -> None:
    facts, *_ = SITUATIONS[Rule.CAPTURING_UNTOLD]
    assert isinstance(facts, CallFacts)
    over = replace(facts, state="terminated", ended_at=ago(60))

    assert held(over) == {"R1"}
    said = said_of(Rule.CAPTURING_UNTOLD, over)
    assert "capturing for 9 min 0 s, until the call ended at 14:31:08 UTC" in said.sentence
    assert "Attest" in said.action
    assert not said.graph_can_act


def test_r1_says_that_graph_takes_no_status_where_it_said_so() -> None:
    facts, *_ = SITUATIONS[Rule.CAPTURING_UNTOLD]
    assert isinstance(facts, CallFacts)
    said = said_of(Rule.CAPTURING_UNTOLD, replace(facts, is_policy_call=False))

    assert said.action.startswith("Stop the recorder")
    assert not said.graph_can_act


# -- R2: told recording, and not capturing


@pytest.mark.parametrize(
    ("capture", "words"),
    [("stopped", "capture stopped"), ("paused", "capture is paused"), ("failed", "capture failed")],
)
def test_r2_holds_while_nothing_is_captured_and_recording_still_stands(capture: str, words: str) -> None:
    facts = replace(GOOD, capture_state=capture, capture_changed_at=ago(95))

    assert held(facts) == {"R2"}
    assert f"says {words} for 1 min 35 s." in said_of(Rule.TOLD_NOT_CAPTURING, facts).sentence
    assert held(replace(facts, recording_status="notRecording")) == set()


def test_r2_counts_from_the_later_of_the_two_words() -> None:
    verdict = verdict_of(Rule.TOLD_NOT_CAPTURING, replace(GOOD, capture_state="stopped", told_changed_at=ago(20)))

    assert verdict
    assert verdict.since == ago(20)


def test_r2_ends_with_the_call_where_r7_begins() -> None:
    assert held(replace(GOOD, capture_state="stopped", state="terminated", ended_at=ago(50))) == {"R7"}


# -- R3: capturing, and Teams was told otherwise


@pytest.mark.parametrize(("status", "words"), [("notRecording", "not recording"), ("failed", "failed")])
def test_r3_names_what_teams_was_told_instead(status: str, words: str) -> None:
    facts = replace(GOOD, recording_status=status, told_changed_at=ago(95))

    assert held(facts) == {"R3"}
    assert said_of(Rule.TOLD_OTHERWISE, facts).sentence.startswith(
        f"Teams was told {words} at 14:30:33 UTC; the recorder has been capturing for 1 min 35 s since."
    )


def test_r3_counts_from_when_capture_began_again() -> None:
    verdict = verdict_of(
        Rule.TOLD_OTHERWISE,
        replace(GOOD, recording_status="failed", told_changed_at=ago(95), capture_changed_at=ago(50)),
    )

    assert verdict
    assert verdict.since == ago(50)


def test_r3_leaves_alone_what_was_told_of_a_recorder_that_has_been_silent_since() -> None:
    told_of_the_dead = replace(
        GOOD, recording_status="failed", told_changed_at=ago(95), recorder_word_at=ago(900), graph_seen_at=ago(10)
    )

    assert held(told_of_the_dead) == {"R9"}
    assert held(replace(told_of_the_dead, recorder_word_at=ago(5))) == {"R3"}, "it is alive, and captures"


def test_r3_does_not_follow_from_a_dead_recorders_report_that_the_call_has_ended() -> None:
    told_of_the_dead = replace(
        GOOD,
        recording_status="failed",
        recording_status_source="graph",
        told_changed_at=ago(95),
        capture_at=ago(900),
        recorder_word_at=ago(50),
        ended_at=ago(60),
        state="terminated",
    )

    assert "R3" not in held(told_of_the_dead)
    assert "R3" in held(replace(told_of_the_dead, capture_at=ago(90))), "it captured when it had been told"
    assert "R3" in held(replace(told_of_the_dead, ended_at=None)), "it speaks again"


# -- what can be told at this moment

LEFT_TO_TELL = {
    "R1": replace(GOOD, recording_status="unknown"),
    "R2": replace(GOOD, capture_state="stopped", capture_changed_at=ago(99)),
    "R3": replace(GOOD, recording_status="notRecording"),
}


@pytest.mark.parametrize("rule", LEFT_TO_TELL)
@pytest.mark.parametrize(
    ("hindrance", "advice"),
    [
        ({"state": "establishing"}, "once the call is established"),
        ({"state": "terminating"}, "Once it is over, attest"),
        ({"is_policy_call": False}, "Microsoft takes no status"),
    ],
)
def test_no_rule_advises_to_tell_what_teams_does_not_take(rule: str, hindrance: dict[str, Any], advice: str) -> None:
    facts = replace(LEFT_TO_TELL[rule], **hindrance)

    assert said_of(Rule(rule), LEFT_TO_TELL[rule]).graph_can_act
    assert not said_of(Rule(rule), facts).graph_can_act
    assert advice in said_of(Rule(rule), facts).action


def test_no_rule_about_a_living_leg_advises_to_attest_it() -> None:
    """An attestation is refused while the call goes on."""
    silent, old = replace(GOOD, last_signal_at=ago(1000)), replace(GOOD, first_signal_at=ago(30 * 3600))

    for said in (said_of(Rule.NO_SIGN_OF_LIFE, silent), said_of(Rule.OVER_AGE, old)):
        assert "attest" not in said.action.lower()
        assert "root cause" in said.action


# -- R4 and R5: our own corrections


def test_r4_holds_for_every_live_status_and_no_other() -> None:
    found = {
        status for status in OperationStatus if held(replace(GOOD, operation_status=status, operation_since=ago(99)))
    }

    assert found == set(LIVE_STATUSES)
    assert held(replace(GOOD, operation_status="running", operation_since=None)) == set()


def test_r4_can_be_closed_and_says_whether_graph_can_still_act() -> None:
    facts = replace(GOOD, operation_status="unknown", operation_since=ago(70))

    said = said_of(Rule.OPERATION_UNSETTLED, facts)
    assert said.sentence.startswith("A correction has been waiting for its outcome for 1 min 10 s.")
    assert "unresolved" in said.action
    assert said.graph_can_act
    assert not said_of(Rule.OPERATION_UNSETTLED, replace(facts, ended_at=ago(5))).graph_can_act


def test_r5_is_healed_by_whatever_teams_is_told_afterwards_and_ends_with_the_call() -> None:
    facts = replace(GOOD, failed_operation_at=ago(50), recording_status_at=ago(51))

    assert held(facts) == {"R5"}
    assert held(replace(facts, recording_status_at=ago(49))) == set()
    assert "R5" not in held(replace(facts, ended_at=ago(40)))


def test_r5_is_not_healed_by_another_try_until_that_one_succeeds() -> None:
    facts = replace(GOOD, failing_since=ago(90), failed_operation_at=ago(90), recording_status_at=ago(99))
    trying = replace(facts, operation_status="sent", operation_since=ago(5))

    assert held(trying) == {"R5"}
    assert held(replace(trying, operation_since=ago(70))) == {"R4"}  # tried again before anybody had to look
    assert held(replace(facts, failed_operation_at=ago(1))) == {"R5"}


def test_r5_counts_from_the_failures_after_the_last_word_to_teams() -> None:
    facts = replace(GOOD, failing_since=ago(90), failed_operation_at=ago(20), recording_status_at=ago(60))

    assert held(facts) == set()
    assert held(replace(facts, failed_operation_at=ago(40))) == {"R5"}


# -- R7: told recording after the end


def test_r7_says_how_long_ago_the_call_ended_and_that_only_an_attestation_is_left() -> None:
    said = said_of(Rule.TOLD_AFTER_END, SITUATIONS[Rule.TOLD_AFTER_END][0])

    assert said.sentence == (
        "Teams was told recording for 3 h 10 min; the call ended 2 h 58 min ago."
        " Last sign of life 14:32:03 UTC; rule R7."
    )
    assert "Attest" in said.action
    assert not said.graph_can_act


@pytest.mark.parametrize("status", ["notRecording", "failed", "unknown"])
def test_r7_holds_only_while_recording_is_the_last_thing_told(status: str) -> None:
    assert held(replace(ENDED, recording_status=status)) == set()


def test_r7_counts_a_call_found_gone_as_over_too_and_the_end_before_it() -> None:
    gone = replace(GOOD, gone_at=ago(60))
    found, ended = (
        verdict_of(Rule.TOLD_AFTER_END, gone),
        verdict_of(Rule.TOLD_AFTER_END, replace(gone, ended_at=ago(50))),
    )

    assert found
    assert ended
    assert (found.since, ended.since) == (ago(60), ago(50))
    assert "was no longer found at Microsoft 1 min 0 s ago" in said_of(Rule.TOLD_AFTER_END, gone).sentence


# -- R8 and R9: who still speaks of the leg


def test_r8_is_about_living_legs_of_which_somebody_once_spoke() -> None:
    silent = replace(GOOD, last_signal_at=ago(1000))

    assert held(silent) == {"R8"}
    assert "R8" not in held(replace(silent, gone_at=ago(10)))
    assert held(replace(silent, last_signal_at=None)) == set()


def test_r9_needs_graphs_word_that_the_leg_lives_and_the_recorders_silence_about_it() -> None:
    orphan = replace(GOOD, recorder_word_at=ago(900), graph_seen_at=ago(60))

    assert held(orphan) == {"R9"}
    assert held(replace(orphan, graph_seen_at=ago(61))) == set(), "Graph's word is not late enough to say so"
    assert held(replace(orphan, graph_seen_at=None)) == set()
    assert held(replace(orphan, recorder_word_at=None)) == set(), "no recorder of ours has this leg"
    assert held(replace(orphan, recorder_word_at=ago(5))) == set()
    assert "tell Teams failed" in said_of(Rule.ORPHAN_LEG, orphan).action
    told = replace(orphan, recording_status="failed", told_changed_at=ago(50))
    assert "Teams was told failed" in said_of(Rule.ORPHAN_LEG, told).action


def test_r9_waits_until_the_leg_is_established() -> None:
    facts = replace(GOOD, state="establishing", recorder_word_at=ago(900), graph_seen_at=ago(60))

    assert "R9" not in held(facts)


# -- R10: the recorder was dropped in mid-call


@pytest.mark.parametrize("result", [(408, 8537), (410, 301005), (500, 1999), (500, None)])
def test_r10_holds_for_the_ends_by_which_a_recorder_loses_a_call(result: tuple[int, int | None]) -> None:
    facts = replace(ENDED, result_code=result[0], result_subcode=result[1])

    assert held(facts) == {"R10"}
    assert "Attest" in said_of(Rule.DROPPED, facts).action


@pytest.mark.parametrize("result", [(200, 7015), (0, 0), (487, 10003), (408, 1), (None, None)])
def test_r10_does_not_hold_for_an_ordinary_end(result: tuple[int | None, int | None]) -> None:
    assert held(replace(ENDED, result_code=result[0], result_subcode=result[1])) == set()


def test_r10_takes_a_removal_for_a_drop_only_while_other_legs_of_the_conversation_go_on() -> None:
    removed = replace(ENDED, result_code=200, result_subcode=5000)
    last = ago(100) + GRACES.dropped

    assert rules.asks_for_siblings(removed)
    assert held(removed) == set()
    assert held(replace(removed, siblings_over_at=last)) == set(), "all of them ended together"
    assert held(replace(removed, siblings_over_at=last + timedelta(seconds=1))) == {"R10"}
    assert held(replace(removed, siblings_over_at=datetime.max.replace(tzinfo=UTC))) == {"R10"}


def test_r10_is_about_mid_call_so_a_leg_that_was_never_established_is_r13s() -> None:
    assert held(replace(ENDED, established_at=None, result_code=500, result_subcode=7106)) == {"R13"}


# -- R11: Graph takes no status for this call


def test_r11_ends_with_the_call_and_leaves_it_to_r1_that_nothing_may_be_captured_there() -> None:
    facts, *_ = SITUATIONS[Rule.CAPTURING_UNTOLD]
    assert isinstance(facts, CallFacts)
    capturing = replace(facts, status_refused_at=ago(9), is_policy_call=False)

    assert held(capturing) == {"R1", "R11"}
    assert held(replace(capturing, ended_at=ago(1))) == {"R1"}
    assert not said_of(Rule.STATUS_REFUSED, capturing).graph_can_act


# -- R12: Microsoft refuses the whole tenant


def test_r12_quotes_the_code_and_holds_until_microsoft_serves_the_tenant_again() -> None:
    said = said_of(Rule.TENANT_BLOCKED, TENANT)

    assert said.sentence == (
        "Microsoft has refused our app in this tenant for 1 min 40 s (7504): Consent is missing. Rule R12."
    )
    assert held(replace(TENANT, blocked_at=None)) == set()
    unusable = said_of(Rule.TENANT_BLOCKED, replace(TENANT, code="configuration"))
    assert unusable.sentence.startswith("Our own credential has not been usable in this tenant for 1 min 40 s")


# -- R13: never established


def test_r13_gives_an_incoming_call_less_time_than_one_that_is_being_established() -> None:
    ringing = CallFacts(state="incoming", first_signal_at=ago(17), last_signal_at=ago(1))

    assert held(ringing) == {"R13"}
    assert held(replace(ringing, state="ringing")) == {"R13"}
    assert held(replace(ringing, state="establishing")) == set()
    assert held(replace(ringing, state="establishing", first_signal_at=ago(62))) == {"R13"}
    assert held(replace(ringing, established_at=ago(1), state="established")) == set()


def test_r13_stays_where_the_leg_ended_with_an_error_before_it_was_established() -> None:
    failed = CallFacts(
        state="terminated", first_signal_at=ago(170), ended_at=ago(99), result_code=500, result_subcode=7106
    )

    assert held(failed) == {"R13"}
    assert "500/7106" in said_of(Rule.NEVER_ESTABLISHED, failed).sentence
    assert held(replace(failed, result_code=200, result_subcode=0)) == set(), "hung up before anybody answered"


# -- R14: several legs of one person are no error


def test_r14_is_no_rule_since_graph_says_that_it_is_no_error() -> None:
    assert "R14" not in Rule.values
    assert held(replace(GOOD, siblings_over_at=datetime.max.replace(tzinfo=UTC))) == set()


# -- R17: flapping


def test_r17_holds_for_a_burst_and_ends_by_itself_when_its_window_has_passed() -> None:
    verdict = verdict_of(Rule.FLAPPING, FLAPPING)

    assert verdict
    assert verdict.ends_after == ago(50) + GRACES.flapping_window
    assert not verdict.is_due(ago(50) + GRACES.flapping_window)
    assert "has changed 5 times since 14:30:38 UTC" in said_of(Rule.FLAPPING, FLAPPING).sentence


def test_r17_counts_changes_not_repetitions_and_only_close_ones() -> None:
    repeated = tuple(Word(ago(n), 1, 0, "recording") for n in range(20))
    slow = tuple(Word(ago(n * 200), 1, 0, "recording" if n % 2 else "failed") for n in range(6))

    assert held(replace(GOOD, told=repeated)) == set()
    assert held(replace(GOOD, told=slow)) == set()


# -- R19 and R20


def test_r19_is_about_legs_nobody_ended() -> None:
    old = replace(GOOD, first_signal_at=ago(30 * 3600))

    assert held(old) == {"R19"}
    assert held(replace(old, recording_status="notRecording", capture_state="stopped", ended_at=ago(1))) == set()


def test_r20_is_about_a_recorder_that_once_spoke_and_is_still_in_use() -> None:
    assert said_of(Rule.SILENT_RECORDER, RECORDER).sentence == (
        "The recorder has said nothing for 1 min 40 s; its last word came at 14:30:28 UTC. Rule R20."
    )
    assert held(replace(RECORDER, is_disabled=True)) == set()
    assert held(replace(RECORDER, listening_since=ago(89))) == set(), "we could not have heard it"
    assert held(RecorderFacts()) == set()


# -- several at once


def test_one_call_can_break_several_rules_at_once() -> None:
    facts = replace(
        GOOD, capture_state="stopped", capture_changed_at=ago(95), operation_status="unknown", operation_since=ago(90)
    )

    assert held(facts) == {"R2", "R4"}


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


def due(facts: rules.Facts, *, opened: str = "", settled: dict[str, datetime] | None = None) -> datetime | None:
    return rules.next_due(
        facts,
        open_rules=frozenset(opened.split()),
        settled_rules=settled or {},
        graces=GRACES,
        now=NOW,
    )


STUCK_AT_THE_END = replace(ENDED, recording_status="recording")


def test_the_next_moment_is_the_earliest_at_which_a_rule_becomes_a_finding() -> None:
    stopped = replace(GOOD, capture_state="stopped", capture_changed_at=ago(95))
    both = replace(stopped, operation_status="sent", operation_since=ago(2))

    assert due(GOOD) == ago(5) + GRACES.no_sign, "a call of which nobody speaks any more"
    assert due(ENDED) is None
    assert due(both) == ago(95) + GRACES.before_stop
    assert due(both, opened="R2") == ago(2) + GRACES.operation


def test_an_open_finding_whose_reason_is_gone_is_due_at_once() -> None:
    assert due(GOOD, opened="R1") == NOW
    assert due(STUCK_AT_THE_END, opened="R7 R2") == NOW


def test_an_open_finding_whose_reason_began_anew_a_moment_ago_is_due_at_once() -> None:
    """A sign of life ends a silence, and is the beginning of the next one."""
    assert due(GOOD, opened="R8") == NOW
    assert due(replace(GOOD, last_signal_at=ago(3600)), opened="R8") != NOW


def test_a_condition_that_ends_by_itself_is_looked_at_when_it_does() -> None:
    verdict = verdict_of(Rule.FLAPPING, FLAPPING)

    assert verdict
    assert due(FLAPPING, opened="R17") == verdict.ends_after
    later = rules.next_due(
        FLAPPING, open_rules=frozenset({"R17"}), settled_rules={}, graces=GRACES, now=NOW + timedelta(hours=1)
    )
    assert later == NOW + timedelta(hours=1)


def test_what_is_open_or_was_settled_by_a_person_is_not_due_again() -> None:
    assert due(STUCK_AT_THE_END, opened="R7") is None
    assert due(STUCK_AT_THE_END, settled={"R7": ago(100)}) is None


def test_a_condition_that_began_anew_after_a_person_closed_the_old_one_is_due_again() -> None:
    assert due(STUCK_AT_THE_END, settled={"R7": ago(101)}) == ago(100) + GRACES.after_end


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


# -- whatever the facts are

moments = st.datetimes(
    min_value=NOW.replace(tzinfo=None, year=1971),
    max_value=NOW.replace(tzinfo=None, year=2400),
    timezones=st.just(UTC),
)
maybe = st.none() | moments
codes = st.none() | st.sampled_from([0, 200, 408, 410, 500, 5000, 8537, 301005, 1999]) | st.integers()
facts_of_any_call = st.builds(
    CallFacts,
    state=st.sampled_from(CallState.values) | st.text(max_size=32),
    first_signal_at=maybe,
    established_at=maybe,
    ended_at=maybe,
    gone_at=maybe,
    last_signal_at=maybe,
    graph_seen_at=maybe,
    recorder_word_at=maybe,
    result_code=codes,
    result_subcode=codes,
    siblings_over_at=maybe | st.just(datetime.max.replace(tzinfo=UTC)),
    is_policy_call=st.none() | st.booleans(),
    status_refused_at=maybe,
    capture_state=st.sampled_from(CaptureState.values) | st.text(max_size=16),
    capture_at=maybe,
    capture_changed_at=maybe,
    not_capturing_since=maybe,
    recording_status=st.sampled_from(RecordingStatus.values) | st.text(max_size=32),
    recording_status_at=maybe,
    recording_status_source=st.sampled_from(["", *Source.values]),
    told_changed_at=maybe,
    told=st.lists(st.builds(Word, at=moments, value=st.sampled_from(RecordingStatus.values)), max_size=9).map(tuple),
    operation_status=st.sampled_from(["", *OperationStatus.values]) | st.text(max_size=32),
    operation_since=maybe,
    failing_since=maybe,
    failed_operation_at=maybe,
    failed_operation_wish=st.sampled_from(["", *RecordingStatus.values]) | st.text(max_size=9),
)
facts_of_any_subject: st.SearchStrategy[Any] = st.one_of(
    facts_of_any_call,
    st.builds(RecorderFacts, last_word_at=maybe, is_disabled=st.booleans()),
    st.builds(TenantFacts, blocked_at=maybe, code=st.text(max_size=9), message=st.text(max_size=9)),
)


@given(facts_of_any_subject, st.sets(st.sampled_from(Rule.values)), moments)
def test_no_facts_crash_a_rule(facts: rules.Facts, opened: set[str], now: datetime) -> None:
    for verdict in rules.verdicts(facts, graces=GRACES):
        said = rules.explain(verdict, facts, now=now)
        assert f"ule {verdict.rule.value}." in said.sentence
        assert verdict.due_after > verdict.since
    rules.next_due(facts, open_rules=frozenset(opened), settled_rules={}, graces=GRACES, now=now)


@given(facts_of_any_call, moments)
def test_a_moment_that_is_written_is_one_at_which_something_opens_or_closes(facts: CallFacts, now: datetime) -> None:
    """What the sweep is told to look at, it finds: otherwise it would look again for ever."""
    moment = rules.next_due(facts, open_rules=frozenset(), settled_rules={}, graces=GRACES, now=now)
    if moment is None:
        return
    later = max(moment, now)
    opened = {v.rule.value for v in rules.verdicts(facts, graces=GRACES) if v.is_due(later)}
    assert opened
    after = rules.next_due(facts, open_rules=frozenset(opened), settled_rules={}, graces=GRACES, now=later)
    assert after is None or after > later
