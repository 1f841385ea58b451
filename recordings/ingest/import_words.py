"""What a line of an import file says of a call: what it fills in, and its words for their own moments."""

from datetime import datetime
from enum import StrEnum

from recordings.choices import CallState, Source
from recordings.ingest.calls import Said, locked_or_new_call, take_over
from recordings.ingest.import_lines import BadLine, ImportedCall
from recordings.ingest.observing import Observation, observe
from recordings.models import Actor, Call


class Effect(StrEnum):
    """What a line does to a call. A word that only confirms what is known leaves it as it was."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


def foresee(said: ImportedCall, known: Call | None) -> tuple[Effect, bool]:
    """The effect the line would have, and whether anything of the row would move. Saves nothing, locks nothing.

    `known` is used up by it. Raises BadLine for a call of another tenant.
    """
    _check_tenant(said, known)
    if known is None:
        return Effect.NEW, True
    before = _columns(known)
    learned = _fill_in(known, said)
    for word in _words(known, said):
        learned = bool(observe(known, word)) or learned
    return (Effect.CHANGED if learned else Effect.UNCHANGED), _columns(known) != before


def take(said: ImportedCall, *, actor: Actor, now: datetime) -> Effect:
    """Take the line in, in the caller's transaction; the call stays locked until its end. Raises BadLine."""
    is_new = not Call.objects.filter(graph_id=said.graph_id).exists()
    call = locked_or_new_call(said.graph_id, tenant_id=said.tenant_id, now=now)
    _check_tenant(said, call)
    learned = _fill_in(call, said)
    words = _words(call, said)
    for word in words:
        # A file is no sign of life: `gone` stays as it is.
        said_by = Said(actor=actor, reason="imported", **vars(word))
        learned = bool(take_over(call, said_by, now=now)) or learned
    if not words:
        call.save()
    if is_new:
        return Effect.NEW
    return Effect.CHANGED if learned else Effect.UNCHANGED


def _check_tenant(said: ImportedCall, known: Call | None) -> None:
    if known is not None and known.tenant_id != said.tenant_id:
        raise BadLine(f"call {said.graph_id} is known here, and belongs to another tenant")


def _columns(call: Call) -> list[object]:
    return [getattr(call, column.attname) for column in Call._meta.concrete_fields]


def _fill_in(call: Call, said: ImportedCall) -> bool:
    """What is not known yet. What the recorder or Graph said about the call stays as they said it."""
    missing = {column: value for column, value in said.about.items() if value and not getattr(call, column)}
    for column, value in missing.items():
        setattr(call, column, value)
    if call.is_policy_call is None and said.is_policy_call is not None:
        call.is_policy_call = said.is_policy_call
        return True
    return bool(missing)


def _words(call: Call, said: ImportedCall) -> list[Observation]:
    """The oldest first. The state is taken only where nobody has said any: a call that is known ends by a real end
    only (invariant 5)."""
    words = [] if call.state else _words_of_state(call, said)
    if said.capture_at:
        words.append(Observation(said.capture_at, Source.IMPORT, capture_state=said.capture_state))
    if said.recording_status_at:
        words.append(Observation(said.recording_status_at, Source.IMPORT, recording_status=said.recording_status))
    return sorted(words, key=lambda word: word.at)


def _words_of_state(call: Call, said: ImportedCall) -> list[Observation]:
    words = []
    has_begun = bool(said.established_at) or said.state != CallState.TERMINATED
    if said.state and has_begun:
        began = CallState.ESTABLISHED.value if said.state == CallState.TERMINATED else said.state
        earliest = said.established_at or said.capture_at or said.recording_status_at or said.ended_at
        words.append(Observation(earliest or call.created_at, Source.IMPORT, state=began))
    if said.state == CallState.TERMINATED and said.ended_at:
        words.append(Observation(said.ended_at, Source.IMPORT, state=said.state))
    return words
