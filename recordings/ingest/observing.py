"""From one word to what is known of a call: the row's columns follow from all words that were kept of it.

The same words give the same columns in whatever order they come (invariants 5 and 10): see recordings/rules/heard.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from recordings import rules
from recordings.choices import CallState, CaptureState, ChangedField, RecordingStatus, Source
from recordings.graph.wire import ResultInfo
from recordings.models import Call

# At one and the same moment Graph's word outranks a recorder's account of it.
_WEIGHTS: dict[str, int] = {Source.IMPORT: 0, Source.RECORDER: 1, Source.GRAPH: 2}
_SOURCES = {0: Source.IMPORT, 1: Source.RECORDER, 2: Source.GRAPH}
# How an end came is told by the end: more than any weight.
_OF_AN_END = 4


@dataclass(frozen=True)
class Observation:
    """One word on a call, for the moment `at` (aware UTC); None is "nothing said of that".

    `is_heartbeat`: it says how capture stands, not that it began then. `sequence` orders a recorder's own words.
    """

    at: datetime
    source: str = ""
    sequence: int = 0
    is_heartbeat: bool = False
    state: str | None = None
    capture_state: str | None = None
    recording_status: str | None = None
    gone: bool | None = None
    is_policy_call: bool | None = None

    @property
    def weight(self) -> int:
        return _WEIGHTS.get(self.source, 0)

    @property
    def capture_word(self) -> rules.Word:
        """Only a recorder knows what it captures, so that nobody's word on it outranks another's."""
        return rules.Word(self.at, 0, self.sequence, self.capture_state or "")

    def word(self, value: str = "") -> rules.Word:
        return rules.Word(self.at, self.weight, self.sequence, value)


@dataclass(frozen=True)
class Change:
    """One thing that is known differently, from `at` on (aware UTC). `is_late`: what stands now is as it was."""

    field: ChangedField
    old: str
    new: str
    at: datetime
    source: str
    is_late: bool = False


def observe(call: Call, said: Observation) -> tuple[Change, ...]:
    """Take over what was said for the moment `said.at` (aware UTC) and derive the moments. Sets, does not save.

    Ended is absorbing; a 404 sets `gone_at`, and a later sign of life clears it. Returns what is known differently,
    also of the past: a word heard late changes nothing that stands, but it was said.
    """
    before = heard_of(call)
    after = _with_words(before, said)
    changes = (
        *_observe_gone(call, said),
        *_observe_state(call, said, before, after),
        *_observe_capture(call, said, before, after),
        *_observe_told(call, said, before, after),
        *_observe_policy(call, said),
    )
    if after != before:
        call.heard = after.as_json()
    _observe_signal(call, said)
    return changes


def _with_words(heard: rules.Heard, said: Observation) -> rules.Heard:
    if said.state is not None:
        heard = heard.with_state(said.word(said.state[:32]))
    if said.capture_state is not None:
        heard = heard.with_claim(said.capture_word, is_beginning=not said.is_heartbeat)
    if said.recording_status is not None:
        heard = heard.with_told(said.word(said.recording_status))
    return heard


def heard_of(call: Call) -> rules.Heard:
    """The words kept; of a call that came with columns only, as an import brings it, those the columns tell of."""
    heard = rules.Heard.from_json(call.heard)
    if not heard.states and call.state:
        at = call.ended_at if call.state == CallState.TERMINATED else call.established_at
        heard = heard.with_state(rules.Word(at or call.first_signal_at or call.created_at, value=call.state))
    if not heard.claims and call.capture_at and call.capture_state != CaptureState.UNKNOWN:
        begun = rules.Word(call.capture_changed_at or call.capture_at, value=call.capture_state)
        heard = heard.with_claim(begun, is_beginning=True)
        heard = heard.with_claim(rules.Word(call.capture_at, value=call.capture_state), is_beginning=False)
    if not heard.told and call.recording_status_at and call.recording_status != RecordingStatus.UNKNOWN:
        weight = _WEIGHTS.get(call.recording_status_source, 0)
        heard = heard.with_told(rules.Word(call.recording_status_at, weight, value=call.recording_status))
    return heard


def _observe_signal(call: Call, said: Observation) -> None:
    """Whose word came when. That something is gone is no sign of life."""
    if said.gone:
        return
    call.first_signal_at = min(said.at, call.first_signal_at or said.at)
    call.last_signal_at = max(said.at, call.last_signal_at or said.at)
    if said.source == Source.RECORDER:
        call.recorder_word_at = max(said.at, call.recorder_word_at or said.at)
    elif said.source == Source.GRAPH and said.gone is False:
        call.graph_seen_at = max(said.at, call.graph_seen_at or said.at)


def _observe_gone(call: Call, said: Observation) -> tuple[Change, ...]:
    """A 404 that is older than the last sign of life says nothing any more."""
    seen_at = max((at for at in (call.recorder_word_at, call.graph_seen_at) if at), default=None)
    if said.gone and call.is_live and not (seen_at and seen_at > said.at):
        call.gone_at = said.at
        return (Change(ChangedField.GONE, "found", "gone", said.at, said.source),)
    if said.gone is False and call.gone_at and said.at > call.gone_at:
        call.gone_at = None
        return (Change(ChangedField.GONE, "gone", "found", said.at, said.source),)
    return ()


def _observe_policy(call: Call, said: Observation) -> tuple[Change, ...]:
    if said.is_policy_call is None or said.is_policy_call == call.is_policy_call:
        return ()
    words = {None: "", True: "yes", False: "no"}
    old, call.is_policy_call = call.is_policy_call, said.is_policy_call
    return (Change(ChangedField.IS_POLICY_CALL, words[old], words[said.is_policy_call], said.at, said.source),)


def _observe_state(call: Call, said: Observation, before: rules.Heard, after: rules.Heard) -> tuple[Change, ...]:
    """Moments take the earliest word of them, so that a late word mends what an earlier one had to guess."""
    if said.state is None or after.state is None:
        return ()
    word = said.word(said.state[:32])
    if rules.is_established(rules.CallFacts(state=word.value)):
        call.established_at = min(said.at, call.established_at or said.at)
    if word.value == CallState.TERMINATED:
        call.ended_at = min(said.at, call.ended_at or said.at)
    old, call.state = call.state, after.state.value
    moves = rules.late_moves(before.states, after.states, word, at_first=CallState.UNKNOWN.value, is_state=True)
    if old == call.state:
        return _late_changes(ChangedField.STATE, moves, said)
    # Of a word that is not the latest and still has the highest rank, what stood at its own moment is what it changed.
    stood = moves[0].old if moves else old
    return (Change(ChangedField.STATE, stood, call.state, said.at, said.source),)


def _observe_capture(call: Call, said: Observation, before: rules.Heard, after: rules.Heard) -> tuple[Change, ...]:
    if said.capture_state is None or after.capture is None:
        return ()
    old, call.capture_state = call.capture_state, after.capture.value
    call.capture_at, call.capture_changed_at = after.capture.at, after.capture_changed_at
    if old != call.capture_state:
        return (Change(ChangedField.CAPTURE_STATE, old, call.capture_state, said.at, said.source),)
    if said.is_heartbeat:
        return ()
    words = before.capture_words, after.capture_words
    late = rules.late_moves(*words, said.capture_word, at_first=CaptureState.UNKNOWN.value)
    return _late_changes(ChangedField.CAPTURE_STATE, late, said)


def _observe_told(call: Call, said: Observation, before: rules.Heard, after: rules.Heard) -> tuple[Change, ...]:
    if said.recording_status is None or after.status is None:
        return ()
    latest = after.status
    old, call.recording_status, call.recording_status_at = call.recording_status, latest.value, latest.at
    call.recording_status_source, call.told_changed_at = _SOURCES[latest.weight], after.told_changed_at
    if old != latest.value:
        return (Change(ChangedField.RECORDING_STATUS, old, latest.value, said.at, said.source),)
    word = said.word(said.recording_status)
    late = rules.late_moves(before.told, after.told, word, at_first=RecordingStatus.UNKNOWN.value)
    return _late_changes(ChangedField.RECORDING_STATUS, late, said)


def _late_changes(field: ChangedField, moves: Iterable[rules.Move], said: Observation) -> tuple[Change, ...]:
    """Of the past; a file that is imported says what is known by now, and adds nothing to it."""
    if said.source == Source.IMPORT:
        return ()
    is_capture = field == ChangedField.CAPTURE_STATE
    return tuple(
        Change(
            field,
            move.old,
            move.word.value,
            move.word.at,
            said.source if is_capture else _SOURCES[move.word.weight],
            is_late=True,
        )
        for move in moves
    )


def learn(call: Call, said: Observation, facts: Mapping[str, object]) -> None:
    """Take over facts by their columns; None and empty are not said. Sets, does not save.

    Of two words on one fact the later one counts, and Graph's outranks a recorder's of the same moment.
    """
    heard, stamp = heard_of(call), said.word()
    for name, value in facts.items():
        known = heard.about.get(name)
        if value in (None, "") or (known and (known, str(getattr(call, name))) > (stamp, str(value))):
            continue
        setattr(call, name, value)
        heard = heard.with_fact(name, stamp)
    call.heard = heard.as_json()


def learn_result(call: Call, said: Observation, result: ResultInfo, *, of_end: bool) -> None:
    """Take over how the call ended: Graph's account goes before a recorder's, and an earlier end before a later one."""
    if result.code is None and result.subcode is None and not result.message:
        return
    heard = heard_of(call)
    known, stamp = heard.about.get("result"), said.word()
    stamp = replace(stamp, weight=stamp.weight + (_OF_AN_END if of_end else 0))
    new = (-stamp.weight, stamp.at, stamp.sequence, result.code or 0, result.subcode or 0)
    if known:
        old = (-known.weight, known.at, known.sequence, call.result_code or 0, call.result_subcode or 0)
        if old <= new:
            return
    call.result_code, call.result_subcode, call.result_message = result.code, result.subcode, result.message[:1024]
    call.heard = heard.with_fact("result", stamp).as_json()
