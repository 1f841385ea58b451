"""Recorder events are delivered at least once and in any order: the same ones lead to the same facts and verdicts."""

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from recordings import conf, ingest, rules
from recordings.choices import CALL_STATE_RANK, CallState, ChangedField
from recordings.graph.wire import parse_notifications
from recordings.models import Call, StatusChange
from recordings.templatetags.lanes import spans
from recordings.templatetags.scale import Scale
from sandbox import notices
from sandbox.defaults import TENANT_ID
from sandbox.state import Call as Leg
from tests import cast
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
often = examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
BEGAN = NOW - timedelta(hours=2)
STATES = ["incoming", "establishing", "established", "hold", "transferring", "parked", "terminating"]

type Said = tuple[str, int, dict[str, Any]]

results = st.none() | st.fixed_dictionaries(
    {"code": st.sampled_from([200, 408, 500]), "subcode": st.sampled_from([4521, 5000, 8537])}
)
joined = st.fixed_dictionaries(
    {"state": st.sampled_from([*STATES, ""])},
    optional={
        "subject": st.sampled_from(["Rates outlook", "Weekly"]),
        "isPolicyCall": st.booleans(),
        "callChainId": st.just("chain"),
        "recordedUser": st.fixed_dictionaries({"id": st.sampled_from("ab"), "displayName": st.sampled_from("AB")}),
    },
)
WORDS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "call.joined": joined,
    "call.stateChanged": st.fixed_dictionaries({"state": st.sampled_from(STATES)}),
    "capture.started": st.just({}),
    "capture.paused": st.just({}),
    "capture.stopped": st.just({}),
    "capture.failed": st.just({}),
    "status.told": st.fixed_dictionaries({"status": st.sampled_from(["recording", "notRecording", "failed"])}),
    "heartbeat": st.fixed_dictionaries({"captureState": st.sampled_from(["capturing", "paused", "stopped", "failed"])}),
}
a_word = st.sampled_from(sorted(WORDS)).flatmap(lambda kind: WORDS[kind].map(lambda data: (kind, data)))
an_end = results.map(lambda result: ("call.ended", {"resultInfo": result} if result else {}))


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """What one or two legs of one recorder say: each word once, some for one moment, told apart by their sequence."""
    events: list[dict[str, Any]] = []
    for leg in range(draw(st.integers(1, 2))):
        words = draw(st.lists(a_word, min_size=1, max_size=9)) + draw(st.lists(an_end, max_size=2))
        for kind, data in words:
            at = BEGAN + timedelta(seconds=draw(st.integers(0, 12) | st.integers(0, 3600)))
            events.append(event(kind, leg, at=at, sequence=len(events) + 1, **data))
    return events


def event(kind: str, leg: int, *, at: datetime, sequence: int, **data: Any) -> dict[str, Any]:
    if kind == "heartbeat":
        said = cast.event(kind, at=at, calls=[{"id": f"leg-{leg}", **data}])
    else:
        said = cast.event(kind, f"leg-{leg}", at=at, **({"tenantId": TENANT_ID} | data))
    return said | {"sequence": str(sequence)}


def of_world(world: str, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same events about calls of their own."""
    told = json.dumps(events).replace('"leg-', f'"{world}-leg-').replace('"chain"', f'"{world}-chain"')
    return [each | {"id": str(uuid.uuid4())} for each in json.loads(told)]


@st.composite
def told_twice(draw: st.DrawFn) -> tuple[list[list[dict[str, Any]]], list[list[dict[str, Any]]]]:
    """One history in two orders, each cut into batches. Every call is known before: a heartbeat makes none."""
    history = draw(histories())
    return _in_batches(draw, history), _in_batches(draw, history)


def _in_batches(draw: st.DrawFn, history: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    left, batches = draw(st.permutations(history)), []
    while left:
        size = draw(st.integers(1, len(left)))
        batches.append(left[:size])
        left = left[size:]
    return batches


def live(batches: list[list[dict[str, Any]]]) -> str:
    """Take it all in; answers the name of the world it happened in."""
    world = uuid.uuid4().hex[:12]
    recorder = cast.recorder(now=BEGAN)
    for leg in range(2):
        Call.objects.create(graph_id=f"{world}-leg-{leg}", tenant_id=TENANT_ID, created_at=BEGAN)
    for batch in batches:
        body = json.dumps(of_world(world, batch)).encode()
        ingest.ingest_events(ingest.parse_events(body, now=NOW), recorder=recorder, body=body, now=NOW)
    return world


def known(world: str) -> list[dict[str, Any]]:
    """Every column of its calls, but for what names the world and the moment of the next look."""
    calls = Call.objects.filter(graph_id__startswith=world).order_by("graph_id")
    own = {"id", "graph_id", "due_after", "recorder_id"}
    rows = [{name: value for name, value in row.items() if name not in own} for row in calls.values()]
    return [row | {"call_chain_id": str(row["call_chain_id"]).removeprefix(world)} for row in rows]


def facts(world: str) -> list[rules.CallFacts]:
    return [ingest.facts_of(call) for call in Call.objects.filter(graph_id__startswith=world).order_by("graph_id")]


@often
@given(told=told_twice())
def test_the_same_events_give_the_same_facts_and_verdicts_in_any_order(
    told: tuple[list[list[dict[str, Any]]], list[list[dict[str, Any]]]],
) -> None:
    one, other = (live(batches) for batches in told)

    assert known(one) == known(other)
    assert facts(one) == facts(other)
    for each, twin in zip(facts(one), facts(other), strict=True):
        assert rules.verdicts(each, graces=conf.graces()) == rules.verdicts(twin, graces=conf.graces())


@often
@given(told=told_twice())
def test_no_order_of_events_makes_the_sweep_look_too_late(
    told: tuple[list[list[dict[str, Any]]], list[list[dict[str, Any]]]],
) -> None:
    """A call is due when its verdicts are; only one that asks for the other legs may be looked at before that."""
    for world in (live(batches) for batches in told):
        for call in Call.objects.filter(graph_id__startswith=world).exclude(last_signal_at=None):
            due = ingest.next_moment(ingest.facts_of(call), [], now=NOW)
            if rules.asks_for_siblings(call.facts()):
                assert due is None or (call.due_after is not None and call.due_after <= due)
            else:
                assert call.due_after == due


explicit = [kind for kind in WORDS if kind != "heartbeat"]


@often
@given(
    words=st.lists(
        st.sampled_from(explicit).flatmap(lambda kind: WORDS[kind].map(lambda data: (kind, data))), max_size=8
    ),
    data=st.data(),
)
def test_history_is_drawn_as_it_happened_in_whatever_order_it_was_heard(
    words: list[tuple[str, dict[str, Any]]], data: st.DataObject
) -> None:
    moments = data.draw(st.lists(st.integers(0, 3600), min_size=len(words), max_size=len(words), unique=True))
    history = [
        event(kind, 0, at=BEGAN + timedelta(seconds=at), sequence=number, **said)
        for number, ((kind, said), at) in enumerate(zip(words, moments, strict=True))
    ]
    in_order = live([[each] for each in sorted(history, key=lambda each: each["time"])])
    in_disorder = live([[each] for each in data.draw(st.permutations(history))])

    assert drawn(in_disorder) == drawn(in_order)


def drawn(world: str) -> dict[str, list[tuple[str, datetime]]]:
    """Each lane of the timeline: its values, and since when they stood."""
    call = Call.objects.get(graph_id=f"{world}-leg-0")
    rows = list(StatusChange.objects.filter(call=call).order_by("-occurred_at", "-id"))
    scale = Scale(BEGAN - timedelta(minutes=1), NOW)
    current = {
        ChangedField.STATE: call.state,
        ChangedField.CAPTURE_STATE: call.capture_state,
        ChangedField.RECORDING_STATUS: call.recording_status,
    }
    found = {}
    for field, value in current.items():
        lane = spans(field, rows, current=value, scale=scale, since=BEGAN - timedelta(minutes=1), until=NOW)
        found[field.value] = [(span.shown.value, span.since) for span in lane]
        assert lane[-1].shown.value == value
    return found


notified = st.lists(
    st.sampled_from(["incoming", "ringing", "establishing", "established", "hold", "new", "terminating", "terminated"]),
    max_size=6,
)


@often
@given(words=notified, data=st.data())
def test_graphs_ranked_states_and_its_end_hold_whatever_the_order(words: list[str], data: st.DataObject) -> None:
    ranks = {state.value: rank for state, rank in CALL_STATE_RANK.items()}
    highest = max((ranks.get(word, ranks[CallState.ESTABLISHED]) for word in words), default=0)
    for order in (words, data.draw(st.permutations(words))):
        leg = Leg()
        for number, word in enumerate(order):
            tell = notices.deleted if word == "terminated" else notices.updated
            ingest.ingest_notifications(
                parse_notifications(notices.envelope([tell(leg, word)])),
                tenant_id=leg.tenant_id,
                message_id="",
                body=b"",
                now=NOW + timedelta(seconds=number),
            )
        for call in Call.objects.filter(graph_id=leg.call_id):
            assert ranks.get(call.state, ranks[CallState.ESTABLISHED]) == highest
            assert (call.ended_at is not None) == ("terminated" in words)
            if "terminated" in order:
                assert call.ended_at == NOW + timedelta(seconds=order.index("terminated"))
