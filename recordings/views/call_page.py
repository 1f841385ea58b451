"""Everything the page of one call shows, read once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest

from recordings import permissions
from recordings.choices import Look, OperationStatus
from recordings.forms import CorrectionForm
from recordings.graph.errors import Explanation, explain_result, explain_try
from recordings.models import Attempt, AttemptResult, BlindSpot, Call, Finding, Operation, StatusChange
from recordings.rules import Explained, duration
from recordings.templatetags.scale import first_known
from recordings.views.call_changes import MOST_CHANGES, SealedChange, changes_of
from recordings.views.correction_panel import Panel, panel_of
from recordings.views.decisions import Decision, decisions_of
from recordings.views.operation_rows import Row, row_of, with_attempts

# As MOST_CHANGES.
MOST_OPERATIONS = 50
# A conversation of many has a leg for each recorded person; the calls list has them all.
MOST_LEGS = 10


@dataclass(frozen=True)
class Try:
    """One attempt at the wire, with what its answer means; no result yet means no answer is stored."""

    attempt: Attempt
    result: AttemptResult | None
    explanation: Explanation | None

    @property
    def latency(self) -> str:
        seconds = self.result.latency_seconds if self.result else None
        if seconds is None:
            return ""
        return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


@dataclass(frozen=True)
class Correction:
    """One operation as the list shows it, and each of its tries."""

    row: Row
    tries: Sequence[Try]
    decisions: Sequence[Decision]

    @property
    def operation(self) -> Operation:
        return self.row.operation

    @property
    def message(self) -> str:
        """Microsoft's words, or ours. A completed one needs none, and may carry those of an earlier try."""
        words = self.operation.result_message
        is_said = any(decision.reason == words for decision in self.decisions)
        return "" if is_said or self.operation.status == OperationStatus.COMPLETED else words


@dataclass(frozen=True)
class OnThisCall:
    """One finding with its sentence, and whether it can be attested: the call is over, so Teams cannot be told."""

    finding: Finding
    explained: Explained | None
    needs_attestation: bool


@dataclass(frozen=True)
class Leg:
    """Another leg of the conversation; one of the same person is no error (R14), so it is named and no finding."""

    call: Call
    is_same_person: bool


@dataclass(frozen=True)
class CallPage:
    call: Call
    findings: Sequence[OnThisCall]
    rows: Sequence[SealedChange]
    corrections: Sequence[Correction]
    panel: Panel
    legs: Sequence[Leg]
    ended: Explanation | None
    is_moving: bool
    since: datetime
    until: datetime
    blind_spots: list[BlindSpot]

    @property
    def changes(self) -> list[StatusChange]:
        return [row.change for row in self.rows]

    @property
    def sealed(self) -> int:
        return sum(row.is_sealed for row in self.rows)

    @property
    def lasted(self) -> str:
        """From the first thing known to the end, or to now; nothing where that says nothing."""
        length = self.until - self.since
        return duration(length) if length >= timedelta(seconds=1) else ""

    @property
    def operations(self) -> list[Operation]:
        return [correction.operation for correction in self.corrections]

    @property
    def open_findings(self) -> list[OnThisCall]:
        return [item for item in self.findings if item.finding.is_open]

    @property
    def worst(self) -> Look | None:
        return self.open_findings[0].finding.severity_look if self.open_findings else None

    @property
    def findings_words(self) -> str:
        count = len(self.open_findings)
        return f"{count} open, worst {self.worst.label.lower()}" if self.worst else "None open"

    @property
    def facts_mark(self) -> str:
        """What a correction is judged by, in one text: another text means that the facts have changed (app.js)."""
        call, newest = self.call, self.operations[:1]
        known = [call.state, call.capture_state, call.recording_status, call.recording_status_source, call.is_live]
        known += [f"{operation.pk} {operation.status}" for operation in newest]
        known += [target.refusal or target.needs_second for target in self.panel.targets]
        return "|".join(map(str, known))

    @property
    def has_more_changes(self) -> bool:
        return len(self.rows) == MOST_CHANGES


def call_page(
    request: HttpRequest,
    call: Call,
    *,
    now: datetime,
    form: CorrectionForm | None = None,
    chosen: str = "",
    refused: str = "",
) -> CallPage:
    """Read what is known of `call` now; `form`, `chosen` and `refused` belong to its correction panel."""
    operations = _operations(call)
    decisions = decisions_of(operations)
    rows = changes_of(call)
    findings = _findings(call)
    panel = panel_of(
        call,
        may_correct=permissions.may(request.user, permissions.CORRECT),
        findings=findings,
        operations=operations,
        now=now,
        form=form,
        chosen=chosen,
        refused=refused,
    )
    return CallPage(
        call=call,
        findings=[_on_this_call(finding, call, now=now) for finding in findings],
        rows=rows,
        corrections=[_correction(operation, decisions[operation.pk], now=now) for operation in operations],
        panel=panel,
        legs=_other_legs(call),
        ended=explain_result(call.result_code, call.result_subcode) if call.result_code is not None else None,
        is_moving=call.is_live or any(not operation.is_final for operation in operations),
        since=first_known(call, [row.change for row in rows]),
        until=call.over_at or now,
        blind_spots=list(BlindSpot.objects.covering(call.began_at, call.over_at).of(call.recorder_id)),
    )


def _operations(call: Call) -> list[Operation]:
    return list(with_attempts(Operation.objects.filter(call=call)).order_by("-id")[:MOST_OPERATIONS])


def _findings(call: Call) -> list[Finding]:
    """Open ones first, the worst of them first. A file's content stays where it is."""
    related = ("resolved_by", "acknowledged_by", "assignee", "evidence_file")
    findings = Finding.objects.filter(call=call).worst_first().select_related(*related).defer("evidence_file__content")
    return sorted(findings, key=lambda finding: not finding.is_open)


def _other_legs(call: Call) -> list[Leg]:
    if not call.call_chain_id:
        return []
    legs = Call.objects.filter(call_chain_id=call.call_chain_id, tenant_id=call.tenant_id).exclude(pk=call.pk)
    person = call.recorded_user_id
    return [Leg(leg, bool(person) and leg.recorded_user_id == person) for leg in legs.order_by("pk")[:MOST_LEGS]]


def _on_this_call(finding: Finding, call: Call, *, now: datetime) -> OnThisCall:
    explained = finding.explained(call.facts(), now=now) if finding.is_open else None
    needs_attestation = finding.is_open and not call.is_live
    return OnThisCall(finding, explained, needs_attestation)


def _correction(operation: Operation, decisions: Sequence[Decision], *, now: datetime) -> Correction:
    row = row_of(operation, now=now)
    return Correction(row, [_try(attempt) for attempt in row.attempts], decisions)


def _try(attempt: Attempt) -> Try:
    result = getattr(attempt, "result", None)
    explanation = explain_try(result.outcome, result.http_status, result.error_code) if result else None
    return Try(attempt, result, explanation)
