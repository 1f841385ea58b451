"""How a call stands, as its row says it and every page shows it, against the entries about its changes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from recordings import rules
from recordings.choices import Alarm, CallState, CaptureState, ChangedField, LedgerAction, RecordingStatus
from recordings.ledger.verifying.alarms import Alarms, Found
from recordings.ledger.verifying.steps import Step, as_text, as_written, check_pages, steps_of
from recordings.models import Call

_AT_FIRST = {
    ChangedField.STATE.value: CallState.UNKNOWN.value,
    ChangedField.CAPTURE_STATE.value: CaptureState.UNKNOWN.value,
    ChangedField.RECORDING_STATUS.value: RecordingStatus.UNKNOWN.value,
    ChangedField.GONE.value: "found",
}


class Stands(NamedTuple):
    """What a field stands at, since when as a body writes it, and by which entry."""

    value: str
    at: str
    entry: UUID


def check_standing(alarms: Alarms) -> Iterator[int]:
    """Every call; yields how many calls a page had. A call of which no entry tells is as it was at first."""
    yield from check_pages(Call.objects.all(), _look, alarms)


def _look(keys: Sequence[int]) -> Mapping[int, Found]:
    calls = Call.objects.filter(pk__in=keys).annotate(ended_text=as_text("ended_at"), gone_text=as_text("gone_at"))
    rows = list(
        calls.values_list("pk", "graph_id", "state", "capture_state", "recording_status", "ended_text", "gone_text")
    )
    steps, found = steps_of("call", keys, actions=[LedgerAction.STATUS_CHANGED]), {}
    for key, graph_id, state, capture, told, ended_at, gone_at in rows:
        stands = _stood(steps.get(key, ()))
        names = list(_differing(stands, state=state, capture=capture, told=told, ended_at=ended_at, gone_at=gone_at))
        if names:
            sentence = f"The call {graph_id} stands otherwise than the entries about it say in {', '.join(names)}."
            entry = stands[names[0]].entry if names[0] in stands else None
            found[key] = Found(Alarm.ROW_DIFFERS, sentence, entry=entry)
    return found


def _stood(steps: Sequence[Step]) -> Mapping[str, Stands]:
    """By the field, from the changes in the order in which they were recorded."""
    found: dict[str, Stands] = {}
    for step in steps:
        field, old, new, at = (str(step.facts.get(name)) for name in ("field", "old", "new", "occurred_at"))
        before = found.get(field)
        if before is None or _moves(field, before, old, new, at):
            found[field] = Stands(new, at, step.entry)
    return found


def _moves(field: str, stands: Stands, old: str, new: str, at: str) -> bool:
    """Whether the change moved what stood; what was heard late of the past did not (recordings/rules/heard.py).

    Of a call's states one of a higher rank always does (invariant 5). Else the later moment counts, and of one and the
    same moment the change that found what stood.
    """
    if field == ChangedField.STATE and stands.value != new:
        if rules.merged_state(stands.value, new) == stands.value:
            return False
        if rules.merged_state(new, stands.value) == new:
            return True
    return at > stands.at or (at == stands.at and old == stands.value)


def _differing(
    stands: Mapping[str, Stands], *, state: str, capture: str, told: str, ended_at: str | None, gone_at: str | None
) -> Iterator[str]:
    """The fields in which the row differs."""
    says = {field: stands[field].value if field in stands else first for field, first in _AT_FIRST.items()}
    if state != says[ChangedField.STATE] or (ended_at is not None) != (state == CallState.TERMINATED):
        yield ChangedField.STATE.value
    if capture != says[ChangedField.CAPTURE_STATE]:
        yield ChangedField.CAPTURE_STATE.value
    if told != says[ChangedField.RECORDING_STATUS]:
        yield ChangedField.RECORDING_STATUS.value
    gone = stands.get(ChangedField.GONE)
    if as_written(gone_at) != (gone.at if gone and gone.value == "gone" else None):
        yield ChangedField.GONE.value
