"""Every rule, its condition beside its words; and the moments at which the sweep has to look."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from recordings.choices import Rule
from recordings.rules import beside, corrections, legs, status
from recordings.rules.facts import CallFacts, Facts, Graces, RecorderFacts
from recordings.rules.ruling import takes_status
from recordings.rules.verdict import Explained, Verdict, clock

type Holds = Callable[[Any, Graces], Verdict | None]
type Says = Callable[[Any, Verdict, datetime], Explained]

CALL_RULES: dict[Rule, tuple[Holds, Says]] = {
    Rule.CAPTURING_UNTOLD: (status.capturing_untold, status.say_capturing_untold),
    Rule.TOLD_NOT_CAPTURING: (status.told_not_capturing, status.say_told_not_capturing),
    Rule.TOLD_OTHERWISE: (status.told_otherwise, status.say_told_otherwise),
    Rule.OPERATION_UNSETTLED: (corrections.operation_unsettled, corrections.say_operation_unsettled),
    Rule.OPERATION_FAILED: (corrections.operation_failed, corrections.say_operation_failed),
    Rule.TOLD_AFTER_END: (status.told_after_end, status.say_told_after_end),
    Rule.NO_SIGN_OF_LIFE: (legs.no_sign_of_life, legs.say_no_sign_of_life),
    Rule.ORPHAN_LEG: (legs.orphan_leg, legs.say_orphan_leg),
    Rule.DROPPED: (legs.dropped, legs.say_dropped),
    Rule.STATUS_REFUSED: (status.status_refused, status.say_status_refused),
    Rule.NEVER_ESTABLISHED: (legs.never_established, legs.say_never_established),
    Rule.FLAPPING: (status.flapping, status.say_flapping),
    Rule.OVER_AGE: (legs.over_age, legs.say_over_age),
}
RECORDER_RULES: dict[Rule, tuple[Holds, Says]] = {
    Rule.SILENT_RECORDER: (beside.silent_recorder, beside.say_silent_recorder),
}
TENANT_RULES: dict[Rule, tuple[Holds, Says]] = {
    Rule.TENANT_BLOCKED: (beside.tenant_blocked, beside.say_tenant_blocked),
    Rule.CLOCK_SKEWED: (beside.clock_skewed, beside.say_clock_skewed),
}
ALL_RULES = CALL_RULES | RECORDER_RULES | TENANT_RULES


def verdicts(facts: Facts, *, graces: Graces) -> tuple[Verdict, ...]:
    """Every rule whose condition holds for the subject, with the moment it becomes a finding (aware UTC)."""
    found = (holds(facts, graces) for holds, _ in _rules_for(facts).values())
    return tuple(verdict for verdict in found if verdict)


def _rules_for(facts: Facts) -> dict[Rule, tuple[Holds, Says]]:
    if isinstance(facts, CallFacts):
        return CALL_RULES
    return RECORDER_RULES if isinstance(facts, RecorderFacts) else TENANT_RULES


def next_due(
    facts: Facts,
    *,
    open_rules: frozenset[str],
    settled_rules: Mapping[str, datetime],
    graces: Graces,
    now: datetime,
) -> datetime | None:
    """The next moment at which a verdict opens or closes and is not yet handled; None if there is none (aware UTC).

    `open_rules` have an open finding, whose condition may be gone, or may have begun anew and be within its grace:
    then it is due at once. `settled_rules` were closed by a person while the condition went on, which had held since
    the moment named; they stay closed until it begins anew.
    """
    holding = {v.rule.value: v for v in verdicts(facts, graces=graces) if not v.is_over(now)}
    if open_rules - {rule for rule, verdict in holding.items() if verdict.is_due(now)}:
        return now
    ends = [v.ends_after for rule, v in holding.items() if rule in open_rules and v.ends_after]
    waiting = [v for rule, v in holding.items() if rule not in open_rules and not is_settled(v, settled_rules)]
    return min((*ends, *(verdict.due_after for verdict in waiting)), default=None)


def is_settled(verdict: Verdict, settled_rules: Mapping[str, datetime]) -> bool:
    """Whether a person has closed this very condition: one that began later is a new one."""
    settled = settled_rules.get(verdict.rule.value)
    return settled is not None and verdict.since <= settled


def explain(verdict: Verdict, facts: Facts, *, now: datetime) -> Explained:
    """The words a finding shows for the facts of its subject as they are now (aware UTC)."""
    _, says = ALL_RULES[verdict.rule]
    explained = says(facts, verdict, now)
    if not isinstance(facts, CallFacts):
        return replace(explained, sentence=f"{explained.sentence} Rule {verdict.rule.value}.")
    sentence = f"{explained.sentence} Last sign of life {clock(facts.last_signal_at)}; rule {verdict.rule.value}."
    return replace(explained, sentence=sentence, graph_can_act=explained.graph_can_act and takes_status(facts))
