"""From what is known of a subject to the next moment at which the sweep must look at it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

from recordings import conf, rules
from recordings.choices import LIVE_STATUSES, SETTLED_BY_PERSON, OperationStatus
from recordings.models import Call, FactsBeside, Finding, Operation

FAR_AWAY = datetime.max.replace(tzinfo=UTC)
_DECIDED = (*LIVE_STATUSES, OperationStatus.COMPLETED, OperationStatus.FAILED, OperationStatus.UNRESOLVED)


def facts_of(call: Call) -> rules.CallFacts:
    """The call's facts together with those of its corrections, and of the other legs where they matter."""
    return _facts_of_all((call,))[call.pk]


def _facts_of_all(calls: Collection[Call]) -> dict[int, rules.CallFacts]:
    decided: dict[int, list[Operation]] = defaultdict(list)
    for operation in Operation.objects.filter(call__in=calls, status__in=_DECIDED).order_by("id"):
        decided[operation.call_id].append(operation)
    facts = {call.pk: call.facts(**_of_corrections(decided[call.pk])) for call in calls}
    ends = _siblings_over_at([call for call in calls if call.call_chain_id and rules.asks_for_siblings(facts[call.pk])])
    return facts | {pk: replace(facts[pk], siblings_over_at=over_at) for pk, over_at in ends.items()}


def _of_corrections(decided: Sequence[Operation]) -> FactsBeside:
    """What the rules need of the corrections, oldest first: the live one, and those that came to nothing in a row."""
    found: FactsBeside = {}
    for operation in decided:
        if operation.status == OperationStatus.COMPLETED:
            found = {}
        elif operation.is_live:
            found["operation_status"] = operation.status
            found["operation_since"] = operation.approved_at or operation.requested_at
        else:
            found.setdefault("failing_since", operation.finished_at)
            found["failed_operation_at"] = operation.finished_at
            found["failed_operation_wish"] = operation.requested_status
    return found


def _siblings_over_at(calls: Collection[Call]) -> dict[int, datetime | None]:
    """Until when the other legs of each conversation went on; the end of time while one of them lives."""
    if not calls:
        return {}
    legs: dict[tuple[str, str], list[tuple[int, datetime]]] = defaultdict(list)
    chains = {call.call_chain_id for call in calls}
    known = Call.objects.filter(call_chain_id__in=chains)
    for pk, tenant, chain, ended_at, gone_at in known.values_list(
        "pk", "tenant_id", "call_chain_id", "ended_at", "gone_at"
    ):
        legs[tenant, chain].append((pk, ended_at or gone_at or FAR_AWAY))
    return {
        call.pk: max((end for pk, end in legs[call.tenant_id, call.call_chain_id] if pk != call.pk), default=None)
        for call in calls
    }


def next_moments(calls: Collection[Call], *, now: datetime) -> dict[int, datetime | None]:
    """When the sweep must look at each of these calls (aware UTC); as many queries for a thousand as for one."""
    findings: dict[int, list[Finding]] = {call.pk: [] for call in calls}
    for finding in Finding.objects.filter(call__in=calls).order_by("since_at"):
        findings[cast("int", finding.call_id)].append(finding)
    graces = conf.graces()
    return {pk: next_moment(facts, findings[pk], now=now, graces=graces) for pk, facts in _facts_of_all(calls).items()}


def next_moment(
    facts: rules.Facts, findings: Collection[Finding], *, now: datetime, graces: rules.Graces | None = None
) -> datetime | None:
    """When the sweep must look at a subject with these facts and findings (aware UTC)."""
    return rules.next_due(
        facts,
        open_rules=frozenset(finding.rule for finding in findings if finding.is_open),
        settled_rules=settled_rules(findings),
        graces=graces or conf.graces(),
        now=now,
    )


def settled_rules(findings: Iterable[Finding]) -> dict[str, datetime]:
    """Rules that a person's word has closed, each with the beginning of the latest condition it closed."""
    closed = [finding for finding in findings if finding.resolution in SETTLED_BY_PERSON]
    return {finding.rule: finding.since_at for finding in sorted(closed, key=lambda finding: finding.since_at)}
