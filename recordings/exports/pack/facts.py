"""The facts of a pack as one tree of plain values. The page and the JSON are made of it, so that both say the same."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from recordings.choices import LedgerAction
from recordings.exports import known
from recordings.exports.known import Standing, Step
from recordings.exports.pack.names import Names, did, erased_of_call, name_of_call, roles_of
from recordings.exports.pack.reading import Sealed, skews_of
from recordings.exports.pack.seals import seal_marks
from recordings.ledger import timestamp

FORM = 1
ERASED_SINCE = (
    "Names erased since the entries were written: {count}. Each is shown as “erased”; nothing else in this pack has "
    "changed by it."
)
NAMES = (
    "Names and the subject of the call stand outside the ledger, so that they can be erased. They are shown as they "
    "were known when this pack was made, and nothing proves them. The same holds for what an actor is (person, "
    "recorder or other), for which numbers of actors are one person, whose roles are shown together, for which "
    "recorder the blind spots are, where none spoke, and for when the seal was made and how far it was witnessed. "
    "Everything else comes from sealed entries."
)
# Places in the facts, and in the pack's manifest, which may differ between packs under one checkpoint; no other may.
LATER_PLACES = ["called.organizer", "called.recorded_person", "called.subject"]
LATER = (
    "No entry proves these three, nor says since when they are known. A later word can bring or change them, so a pack "
    "that is made later under the same checkpoint may have others here. It differs nowhere else."
)
# What each entry has, and the pack says in places of its own.
_HEAD = {"v", "id", "action", "actor", "call", "call_chain_id", "tenant_id", "occurred_at", "recorded_at"}
_NUMBERS = ("assignee", "subject")

type Facts = dict[str, Any]


def facts_of(sealed: Sealed) -> Facts:
    """Everything that page and JSON say. Four queries."""
    names = Names.in_entries(sealed)
    finding = sealed.subject.finding
    return {
        "form": FORM,
        "about": _about(sealed),
        "seal": seal_marks(sealed),
        "stood": _stood(sealed.stood) if sealed.subject.call else None,
        "changes": [_change(step, sealed, names) for step in _changes(sealed)],
        "corrections": [_correction(one, sealed, names) for one in known.corrections_of(sealed.steps)],
        "findings": sorted(
            (_finding(one, sealed, names) for one in known.findings_of(sealed.steps)),
            key=lambda one: one["finding"] != (str(finding.pk) if finding else ""),
        ),
        "blind_spots": _spots(sealed),
        "clock_skews": [_skew(step) for step in skews_of(sealed.skews, sealed)],
        "people": [_person(number, sealed, names) for number in sorted(names.actors)],
        "called": _called(sealed),
        "names": _names(sealed, names),
        "steps": [_step(step, sealed, names) for step in sorted(sealed.all, key=_by_moment)],
    }


def _by_moment(step: Step) -> tuple[datetime, str]:
    return step.occurred_at, step.text("id")


def _about(sealed: Sealed) -> Facts:
    """Named by the entries themselves."""
    finding, first = sealed.subject.finding, sealed.steps[0]
    named = next((one for one in known.findings_of(sealed.steps) if finding and one.key == str(finding.pk)), None)
    return {
        "kind": "finding" if finding else "call",
        "title": sealed.subject.sentence,
        "call": first.text("call"),
        "call_chain_id": sealed.steps[-1].text("call_chain_id"),
        "tenant_id": first.text("tenant_id") or first.text("tenant"),
        "recorder": first.text("recorder"),
        "finding": named.key if named else None,
        "rule": f"{named.rule}: {named.rule_look.label}" if named else None,
    }


def _stood(stood: known.KnownCall) -> Facts:
    return {
        "captured": _standing(stood.capture),
        "told": _standing(stood.told),
        "state": _standing(stood.state),
        "established_at": stamp(stood.established_at),
        "ended_at": stamp(stood.ended_at),
        "gone_at": stamp(stood.gone_at),
        "is_policy_call": stood.is_policy_call or None,
    }


def _standing(standing: Standing) -> Facts:
    return {
        "value": standing.value,
        "label": standing.shown.label,
        "since_at": stamp(standing.at),
        "whose": standing.whose,
    }


def _changes(sealed: Sealed) -> list[Step]:
    changes = [step for step in sealed.steps if step.action == LedgerAction.STATUS_CHANGED]
    return sorted(changes, key=_by_moment)


def _change(step: Step, sealed: Sealed, names: Names) -> Facts:
    return {**_head(step, sealed, names), **_told(step, ("field", "old", "new", "source", "reason"))}


def _correction(one: known.KnownCorrection, sealed: Sealed, names: Names) -> Facts:
    return {
        "operation": one.key,
        "requested_status": one.requested_status,
        "wish": one.wish_look.label,
        "status": one.status,
        "outcome": one.status_look.label,
        "requested_by": names.of(one.wish.number("actor")),
        "requested_at": stamp(one.requested_at),
        "reason": one.wish.text("reason"),
        "sent_at": stamp(one.sent_at),
        "finished_at": stamp(one.finished_at),
        "graph_operation_id": one.graph_operation_id,
        "client_context": one.client_context,
        "result_code": one.result_code,
        "result_message": one.result_message,
        "tries": [_try(each) for each in one.tries],
        "steps": [_step(step, sealed, names) for step in one.steps],
    }


def _try(one: known.KnownTry) -> Facts:
    answers = ("request_id", "outcome", "http_status", "error_code", "message", "graph_operation_id", "graph_status")
    return {
        "attempt": one.number,
        "is_repeat": one.is_repeat,
        "sent_at": stamp(one.sent.occurred_at),
        "client_request_id": one.sent.text("client_request_id"),
        "answered_at": stamp(one.answered.recorded_at) if one.answered else None,
        **{name: one.answer(name) for name in answers},
    }


def _finding(one: known.KnownFinding, sealed: Sealed, names: Names) -> Facts:
    return {
        "finding": one.key,
        "rule": one.rule,
        "label": one.rule_look.label,
        "severity": one.severity_look.label,
        "since_at": stamp(one.since_at),
        "opened_at": stamp(one.opening.recorded_at),
        "closed_at": stamp(one.closing.recorded_at) if one.closing else None,
        "resolution": one.resolution_look.label if one.resolution_look else None,
        "root_cause": one.root_cause or None,
        "steps": [_step(step, sealed, names) for step in one.steps],
    }


def _spots(sealed: Sealed) -> list[Facts]:
    spots = known.spots_of(sealed.spots, since=sealed.began_at, until=sealed.over_at)
    return [
        {"whose": one.whose, "from_at": stamp(one.from_at), "until_at": stamp(one.until_at), "why": one.why}
        for one in spots
    ]


def _skew(step: Step) -> Facts:
    return {
        "from_at": step.text("from_at"),
        "until_at": step.text("until_at") or None,
        "milliseconds": step.number("milliseconds"),
    }


def _person(number: int, sealed: Sealed, names: Names) -> Facts:
    actor = names.actors[number]
    return {
        "number": number,
        "kind": actor.get_kind_display(),
        "name": names.of(number),
        "roles": roles_of(actor, sealed, names),
        "did": did(number, sealed),
    }


def _called(sealed: Sealed) -> Facts | None:
    call = sealed.subject.call
    if call is None:
        return None
    return {
        "subject": name_of_call(call, "subject"),
        "recorded_person": name_of_call(call, "recorded_user_name"),
        "organizer": name_of_call(call, "organizer_name"),
    }


def _names(sealed: Sealed, names: Names) -> Facts:
    erased = names.erased + erased_of_call(sealed.subject.call)
    return {
        "note": NAMES,
        "erased": erased,
        "erased_note": ERASED_SINCE.format(count=erased) if erased else None,
        "later_note": LATER if sealed.subject.call else None,
        "later_places": LATER_PLACES if sealed.subject.call else [],
    }


def _step(step: Step, sealed: Sealed, names: Names) -> Facts:
    return {**_head(step, sealed, names), "facts": _words(step, names)}


def _head(step: Step, sealed: Sealed, names: Names) -> Facts:
    return {
        "place": sealed.place(step),
        "entry": step.text("id"),
        "action": step.action,
        "event": step.look.label,
        "occurred_at": step.text("occurred_at"),
        "recorded_at": step.text("recorded_at"),
        "actor": step.number("actor"),
        "who": names.of(step.number("actor")),
    }


def _words(step: Step, names: Names) -> Facts:
    """Every other fact of the entry that says something; people by their names."""
    said = _told(step, sorted(step.body.keys() - _HEAD))
    people = {f"{name}_name": names.of(step.number(name)) for name in _NUMBERS if step.number(name) is not None}
    return said | people


def _told(step: Step, wanted: Iterable[str]) -> Facts:
    return {name: step.body[name] for name in wanted if step.body.get(name) not in (None, "")}


def stamp(at: datetime | None) -> str | None:
    return timestamp(at) if at else None
