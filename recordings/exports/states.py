"""Calls and operations as they stand at the moment of the export; how they came to be so is the history's matter."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from django.db.models import Prefetch, QuerySet

from recordings.exports.cells import Value
from recordings.exports.sheet import Column, Sheet
from recordings.exports.spots import beside_calls, beside_operations, blind_spots, clock_skews
from recordings.models import Attempt, Call, Finding, Operation


def same(meaning: str, name: str, path: str = "") -> Column:
    """A column that is an attribute of the row, or of what the row refers to."""
    return Column(name, meaning, attrgetter(path or name))


def _of_actor(name: str, part: str) -> Callable[[Operation], Value]:
    def of(operation: Operation) -> Value:
        actor = getattr(operation, name)
        return getattr(actor, part) if actor else None

    return of


def _calls(calls: QuerySet[Any]) -> QuerySet[Any]:
    findings = Prefetch("finding_set", queryset=Finding.objects.open().order_by("rule"), to_attr="open_findings")
    return calls.select_related("recorder").prefetch_related(findings)


def _open_rules(call: Call) -> str:
    findings: list[Finding] = vars(call)["open_findings"]
    return " ".join(finding.rule for finding in findings)


def _operations(operations: QuerySet[Any]) -> QuerySet[Any]:
    attempts = Prefetch("attempts", queryset=Attempt.objects.select_related("result"), to_attr="tries")
    return operations.select_related("call", "requested_by", "approved_by").prefetch_related(attempts)


def _tries(operation: Operation) -> list[Attempt]:
    tries: list[Attempt] = vars(operation)["tries"]
    return tries


CALLS = Sheet(
    name="calls",
    columns=(
        same("Microsoft Graph's id of the call: one leg of the recorder bot.", "call_id", "graph_id"),
        same("Graph's id that all legs of one conversation share.", "call_chain_id"),
        same("Graph's id of the scenario, which Microsoft's support asks for.", "scenario_id"),
        same("The Microsoft Entra tenant of the call.", "tenant_id"),
        Column("recorder", "The recorder bot that is on the call.", lambda c: c.recorder.name if c.recorder else None),
        same("incoming or outgoing, as the bot sees it.", "direction"),
        same("The subject, where Graph or the recorder gave one.", "subject"),
        same("Id of the person whose policy caused the recording.", "recorded_user_id"),
        same("That person's name or phone number.", "recorded_user_name"),
        same("Id of the organizer.", "organizer_id"),
        same("The organizer's name.", "organizer_name"),
        same("Whether a recording policy put the bot on the call; empty if nobody said.", "is_policy_call"),
        same("Captured: what the recorder says it is doing.", "capture_state"),
        same("Captured: the time of the recorder's latest word.", "capture_at"),
        same("Told: the status Teams was last told, with success.", "recording_status"),
        same("Told: when.", "recording_status_at"),
        same(
            "Told: by whose word: graph (to us), recorder (to it, by its account) or import.", "recording_status_source"
        ),
        same("Evidence: Graph's state of the call.", "call_state", "state"),
        same("Evidence: when the call was established.", "established_at"),
        same("Evidence: when the call ended.", "ended_at"),
        same("Evidence: since when Graph does not find the call, though nobody reported its end.", "gone_at"),
        same("Graph's result code of the call.", "result_code"),
        same("Graph's result subcode of the call.", "result_subcode"),
        same("Graph's result message of the call.", "result_message"),
        Column("open_findings", "Codes of the open findings, with spaces between; empty if none.", _open_rules),
        same("When On Record first heard of the call.", "created_at"),
        same("The latest word about the call, from anybody.", "last_signal_at"),
        Column(
            "blind_spots",
            "Times in the call's life of which nobody knows: from/until, and whose (the recorder's or On Record's).",
            blind_spots,
        ),
        Column(
            "clock_skews",
            "Times when our clock and Microsoft's were apart: from/until, and ours minus theirs in seconds.",
            clock_skews,
        ),
    ),
    with_related=_calls,
    beside=beside_calls,
)

OPERATIONS = Sheet(
    name="operations",
    columns=(
        same("On Record's id of the correction; ids grow with time.", "operation_id", "pk"),
        same("Microsoft Graph's id of the call.", "call_id", "call.graph_id"),
        same("Graph's id that all legs of one conversation share.", "call_chain_id", "call.call_chain_id"),
        same("The Microsoft Entra tenant of the call.", "tenant_id", "call.tenant_id"),
        same("What Teams was to be told.", "requested_status"),
        same("Where the correction stands.", "operation_status", "status"),
        same("Graph's id of the correction; empty before Graph gave one.", "graph_operation_id"),
        same("What Graph was given to recognise the correction by.", "client_context"),
        same("Graph's result code.", "result_code"),
        same("Graph's result subcode.", "result_subcode"),
        same("Graph's message, or ours where nothing was sent.", "result_message"),
        Column("requested_by_kind", "Who asked: person or shell.", _of_actor("requested_by", "kind")),
        Column("requested_by", "The name the requester had then.", _of_actor("requested_by", "label")),
        same("When it was asked for.", "requested_at"),
        same("The reason that was given.", "reason"),
        same("Why a second person was asked; empty if none was needed.", "needs_approval_why"),
        Column("approved_by", "The name the approver had then.", _of_actor("approved_by", "label")),
        same("When it was approved.", "approved_at"),
        same("What the approver gave as evidence.", "evidence"),
        same("When an unapproved correction expires, or expired.", "expires_after"),
        same("When the first try at Graph began.", "sent_at"),
        same("When the status last moved.", "status_at"),
        same("When the outcome was final.", "finished_at"),
        Column("attempts", "How many tries there were at Graph.", lambda o: len(_tries(o))),
        Column(
            "repeats", "How many of them people may have heard before.", lambda o: sum(t.is_repeat for t in _tries(o))
        ),
        Column(
            "request_ids", "Graph's request ids of the tries, with spaces between.", lambda o: _request_ids(_tries(o))
        ),
        Column(
            "blind_spots",
            "Times from its asking to its end of which nobody knows: from/until, and whose.",
            blind_spots,
        ),
        Column(
            "clock_skews",
            "Times when our clock and Microsoft's were apart: from/until, and ours minus theirs in seconds.",
            clock_skews,
        ),
    ),
    with_related=_operations,
    beside=beside_operations,
)


def _request_ids(tries: list[Attempt]) -> str:
    results = (getattr(attempt, "result", None) for attempt in tries)
    return " ".join(result.request_id for result in results if result and result.request_id)
