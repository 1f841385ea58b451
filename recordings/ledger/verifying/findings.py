"""How a finding stands, as its row says it and every page shows it, against the entries about it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from recordings.choices import FINDING_ACTIONS, Alarm, LedgerAction
from recordings.ledger.verifying.alarms import Alarms, Found
from recordings.ledger.verifying.reading import rows_of
from recordings.ledger.verifying.steps import Step, as_text, as_written, check_pages, orders, steps_of
from recordings.models import Finding

_A = LedgerAction
_MOMENTS = ("since_at", "opened_at", "reopened_at", "acknowledged_at", "wakes_after", "resolved_at")
# Columns beside the moments, and the words of entries for them.
_COLUMNS = {
    "rule": "rule",
    "severity": "severity",
    "acknowledged_by_id": "acknowledged_by",
    "resolution": "resolution",
    "resolved_by_id": "resolved_by",
    "root_cause": "root_cause",
    "reason": "reason",
    "evidence": "evidence",
    "evidence_file_id": "evidence_file",
}

type Standing = dict[str, Any]


def check_findings(alarms: Alarms) -> Iterator[int]:
    """Every finding; yields how many a page had."""
    yield from check_pages(Finding.objects.all(), _look, alarms)


def _look(keys: Sequence[int]) -> Mapping[int, Found]:
    steps, found = steps_of("finding", keys, actions=FINDING_ACTIONS), {}
    for key, row in _rows(keys).items():
        mine = steps.get(key, ())
        if not any(step.facts.get("action") == _A.FINDING_OPENED for step in mine):
            found[key] = Found(Alarm.ROW_UNTOLD, f"No entry tells of the opening of the finding {key}.")
            continue
        differing = [_differing(row, _told(order)) for order in orders(mine)]
        if all(differing):
            sentence = f"The finding {key} stands otherwise than the entries about it say in {', '.join(differing[0])}."
            found[key] = Found(Alarm.ROW_DIFFERS, sentence, entry=mine[-1].entry)
    return found


def _rows(keys: Sequence[int]) -> Mapping[int, Standing]:
    texts = {f"{name}_text": as_text(name) for name in _MOMENTS}
    found = {}
    for key, *values in rows_of(Finding.objects.filter(pk__in=keys).annotate(**texts), "pk", *_COLUMNS, *texts):
        others, moments = values[: len(_COLUMNS)], values[len(_COLUMNS) :]
        row: Standing = dict(zip(_COLUMNS.values(), others, strict=True))
        row["evidence_file"] = row["evidence_file"] and str(row["evidence_file"])
        found[key] = row | dict(zip(_MOMENTS, map(as_written, moments), strict=True))
    return found


def _differing(row: Standing, told: Standing) -> list[str]:
    return [name for name, value in told.items() if row[name] != value]


def _told(steps: Sequence[Step]) -> Standing:
    """How it stands after these steps; what they leave open is left out."""
    told: Standing = {**dict.fromkeys(_MOMENTS), **_CLOSED_BY_NOBODY}
    for step in steps:
        _STEPS.get(str(step.facts.get("action")), _nothing)(told, step.facts)
    return told


_CLOSED_BY_NOBODY: Mapping[str, Any] = {
    "resolved_at": None,
    "resolved_by": None,
    "resolution": "",
    "root_cause": "",
    "reason": "",
    "acknowledged_at": None,
    "acknowledged_by": None,
    "wakes_after": None,
    "evidence": "",
    "evidence_file": None,
}


def _open(told: Standing, facts: Mapping[str, Any]) -> None:
    told.update(_CLOSED_BY_NOBODY)
    is_anew = facts["action"] == _A.FINDING_REOPENED
    told["reopened_at" if is_anew else "opened_at"] = facts.get("recorded_at")
    told |= {name: facts.get(name) for name in ("rule", "severity", "since_at")}


def _acknowledge(told: Standing, facts: Mapping[str, Any]) -> None:
    told |= {"acknowledged_at": facts.get("recorded_at"), "acknowledged_by": facts.get("actor")}


def _snooze(told: Standing, facts: Mapping[str, Any]) -> None:
    told["wakes_after"] = facts.get("wakes_after")


def _close(told: Standing, facts: Mapping[str, Any]) -> None:
    """A person's word covers the condition as it is by then, so that its beginning may have moved (since_at)."""
    told |= {"resolved_at": facts.get("recorded_at"), "resolved_by": facts.get("actor"), "wakes_after": None}
    told |= {name: facts.get(name) for name in ("resolution", "root_cause", "reason")}
    if facts["action"] == _A.FINDING_ATTESTED:
        told |= {"evidence": facts.get("evidence"), "evidence_file": facts.get("file")}
    told.pop("since_at", None)


def _explain(told: Standing, facts: Mapping[str, Any]) -> None:
    told |= {name: facts.get(name) for name in ("root_cause", "reason")}


def _nothing(told: Standing, facts: Mapping[str, Any]) -> None:
    """Said beside it, or to whom it belongs now."""


_STEPS = {
    _A.FINDING_OPENED.value: _open,
    _A.FINDING_REOPENED.value: _open,
    _A.FINDING_ACKNOWLEDGED.value: _acknowledge,
    _A.FINDING_ASSIGNED.value: _nothing,
    _A.FINDING_COMMENTED.value: _nothing,
    _A.FINDING_SNOOZED.value: _snooze,
    _A.FINDING_RESOLVED.value: _close,
    _A.FINDING_EXPLAINED.value: _explain,
    _A.FINDING_ATTESTED.value: _close,
}
