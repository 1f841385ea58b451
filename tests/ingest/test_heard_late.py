"""A word heard late changes nothing that stands; it happened, so that history has it at its own time."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from recordings import findings, ingest, ledger
from recordings.choices import Source
from recordings.graph.wire import GraphCall, ResultInfo
from recordings.models import Actor, Call, LedgerEntry, StatusChange
from sandbox.defaults import TENANT_ID
from tests import cast
from tests.ingest.posting import stored

pytestmark = pytest.mark.django_db
LATE = "Heard late: it changes nothing that stands."


@pytest.fixture
def at() -> datetime:
    return timezone.now() - timedelta(minutes=10)


@pytest.fixture
def call(db: None, at: datetime) -> Call:
    """Captured from the beginning, and told so; stopped after five minutes."""
    cast.call(at=at, capture="started", told="recording")
    cast.tell("capture.stopped", "call-1", at=at + timedelta(minutes=5))
    return Call.objects.get()


def history(field: str) -> list[tuple[str, str, str]]:
    rows = StatusChange.objects.filter(field=field).order_by("occurred_at", "id")
    return [(row.old, row.new, row.reason) for row in rows]


def test_a_late_word_on_capture_stays_in_history(call: Call, at: datetime) -> None:
    heard_at = at + timedelta(minutes=6)
    cast.tell("capture.paused", "call-1", at=at + timedelta(minutes=2), heard_at=heard_at)

    call.refresh_from_db()
    row = StatusChange.objects.get(new="paused")
    assert (call.capture_state, call.capture_at) == ("stopped", at + timedelta(minutes=5))
    assert history("capture_state") == [
        ("unknown", "capturing", ""),
        ("capturing", "paused", LATE),
        ("capturing", "stopped", ""),
    ]
    assert (row.occurred_at, row.recorded_at) == (at + timedelta(minutes=2), heard_at)
    body = ledger.body_of(LedgerEntry.objects.latest("id"))
    assert (body["change"], body["old"], body["new"], body["reason"]) == (str(row.pk), "capturing", "paused", LATE)


def test_a_late_word_makes_a_change_of_what_only_confirmed_before(call: Call, at: datetime) -> None:
    """Started again at minute three changed nothing, as long as nobody knew of the pause before it."""
    for kind, minute in (("started", 3), ("paused", 2)):
        heard_at = at + timedelta(minutes=6)
        cast.tell(f"capture.{kind}", "call-1", at=at + timedelta(minutes=minute), heard_at=heard_at)

    known_now = "It was a change, as is known now: what stood before it was heard late."
    assert history("capture_state") == [
        ("unknown", "capturing", ""),
        ("capturing", "paused", LATE),
        ("paused", "capturing", known_now),
        ("capturing", "stopped", ""),
    ]


def test_a_late_word_on_what_was_told_keeps_its_reason(call: Call, at: datetime) -> None:
    cast.tell("status.told", "call-1", at=at + timedelta(minutes=2), status="failed")
    heard_at = at + timedelta(minutes=6)
    cast.tell(
        "status.told",
        "call-1",
        at=at + timedelta(minutes=1),
        heard_at=heard_at,
        status="notRecording",
        reason="a pause",
    )

    assert history("recording_status") == [
        ("unknown", "recording", ""),
        ("recording", "notRecording", f"a pause {LATE}"),
        ("recording", "failed", ""),
    ]


def test_a_late_word_that_says_nothing_new_for_its_time_is_not_kept(call: Call, at: datetime) -> None:
    before = stored()

    cast.tell("capture.started", "call-1", at=at + timedelta(minutes=2), heard_at=at + timedelta(minutes=6))

    assert stored() == before | {"Delivery": before["Delivery"] + 1}


def test_a_late_heartbeat_is_not_kept(call: Call, at: datetime) -> None:
    before = stored()

    calls = [{"id": "call-1", "captureState": "failed"}]
    cast.tell("heartbeat", at=at + timedelta(minutes=2), heard_at=at + timedelta(minutes=6), calls=calls)

    assert stored() == before | {"Delivery": before["Delivery"] + 1}


def test_a_late_state_says_when_the_call_was_established_but_brings_none_back(call: Call, at: datetime) -> None:
    early, heard_at = at - timedelta(minutes=2), at + timedelta(minutes=6)
    cast.tell("call.stateChanged", "call-1", at=early, heard_at=heard_at, state="establishing")

    call.refresh_from_db()
    assert call.state == "established"
    assert history("state") == [("", "establishing", LATE), ("", "established", "")]


def test_graphs_late_word_is_graphs_also_in_history(call: Call, at: datetime) -> None:
    """A confirmation of ours that was overtaken speaks for the moment of its sending."""
    graph = Actor.objects.graph()
    said = ingest.calls.Said(
        at + timedelta(minutes=1), Source.GRAPH, actor=graph, recording_status="failed", reason="the disk was full"
    )
    cast.tell("status.told", "call-1", at=at + timedelta(minutes=4), status="notRecording")
    ingest.calls.take_over(Call.objects.get(), said, now=at + timedelta(minutes=6))

    row = StatusChange.objects.get(new="failed")
    assert (row.source, row.actor) == ("graph", graph)
    assert row.reason == f"the disk was full {LATE}"


# -- how the end came


def ended(at: datetime, *, heard_at: datetime, **result: int) -> None:
    cast.tell("call.ended", "call-1", at=at, heard_at=heard_at, resultInfo=result or None)


def the_result() -> tuple[int | None, int | None]:
    call = Call.objects.get()
    return call.result_code, call.result_subcode


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_ends_the_earlier_one_counts_with_its_result(call: Call, at: datetime, first: int) -> None:
    heard_at = at + timedelta(minutes=9)
    ends = [(at + timedelta(minutes=6), {"code": 408, "subcode": 8537}), (at + timedelta(minutes=7), {"code": 200})]
    for moment, result in (ends[first], ends[1 - first]):
        ended(moment, heard_at=heard_at, **result)

    assert (Call.objects.get().ended_at, the_result()) == (ends[0][0], (408, 8537))


@pytest.mark.parametrize("first", [0, 1])
def test_an_end_without_a_result_leaves_that_of_the_other(call: Call, at: datetime, first: int) -> None:
    heard_at = at + timedelta(minutes=9)
    ends: list[tuple[datetime, dict[str, int]]] = [
        (at + timedelta(minutes=6), {}),
        (at + timedelta(minutes=7), {"code": 200, "subcode": 4521}),
    ]
    for moment, result in (ends[first], ends[1 - first]):
        ended(moment, heard_at=heard_at, **result)

    assert (Call.objects.get().ended_at, the_result()) == (ends[0][0], (200, 4521))


def test_graphs_own_result_is_not_replaced_by_an_earlier_one_of_the_recorder(call: Call, at: datetime) -> None:
    probe = GraphCall(id="call-1", state="terminated", result=ResultInfo(410, 301005, "The media was lost."))
    ingest.note_probe(call, probe, now=at + timedelta(minutes=8))
    ended(at + timedelta(minutes=6), heard_at=at + timedelta(minutes=9), code=200, subcode=4521)

    assert (Call.objects.get().ended_at, the_result()) == (at + timedelta(minutes=6), (410, 301005))


def test_what_graph_says_of_a_living_call_is_no_result_of_its_end(call: Call, at: datetime) -> None:
    probe = GraphCall(id="call-1", state="established", result=ResultInfo(200, 0, "Answered."))
    ingest.note_probe(call, probe, now=at + timedelta(minutes=8))
    ended(at + timedelta(minutes=6), heard_at=at + timedelta(minutes=9), code=408, subcode=8537)

    assert the_result() == (408, 8537)


# -- words of one moment, and other legs


@pytest.mark.parametrize("kinds", [("paused", "started"), ("started", "paused")])
def test_of_two_words_for_one_moment_the_later_sequence_counts(
    call: Call, at: datetime, kinds: tuple[str, str]
) -> None:
    moment = at + timedelta(minutes=6)
    sequence: dict[str, int | str] = {"started": 1041, "paused": "1042"}
    for kind in kinds:
        cast.tell(f"capture.{kind}", "call-1", at=moment, sequence=sequence[kind])

    assert Call.objects.get().capture_state == "paused"


def test_a_gone_call_is_not_gone_by_a_404_older_than_its_last_sign_of_life(call: Call, at: datetime) -> None:
    ingest.note_gone(call, now=at + timedelta(minutes=4))
    assert Call.objects.get().is_live
    ingest.note_gone(call, now=at + timedelta(minutes=6))
    assert not Call.objects.get().is_live


def test_a_leg_that_joins_a_conversation_late_brings_its_ended_leg_to_the_sweep(at: datetime) -> None:
    """200/5000 is an ordinary end, unless another leg of the conversation went on (R10)."""
    cast.call("leg-1", at=at)
    cast.tell("call.ended", "leg-1", at=at, resultInfo={"code": 200, "subcode": 5000})
    cast.tell("capture.started", "leg-2", at=at + timedelta(minutes=5))
    findings.sweep(at + timedelta(minutes=6))
    ended_leg = Call.objects.get(graph_id="leg-1")
    assert "R10" not in ended_leg.finding_set.values_list("rule", flat=True)

    heard_at = at + timedelta(minutes=7)
    cast.tell("call.joined", "leg-2", at=heard_at, tenantId=TENANT_ID, callChainId="chain-of-leg-1")
    ended_leg.refresh_from_db()

    assert ended_leg.due_after is not None
    assert ended_leg.due_after <= heard_at
    findings.sweep(heard_at)
    assert "R10" in ended_leg.finding_set.values_list("rule", flat=True)


@pytest.fixture
def two_legs(db: None, at: datetime) -> Call:
    """The first of two legs of one conversation, which was removed."""
    cast.call("leg-1", at=at)
    cast.tell("call.joined", "leg-2", at=at, tenantId=TENANT_ID, callChainId="chain-of-leg-1")
    cast.tell("call.ended", "leg-1", at=at, resultInfo={"code": 200, "subcode": 5000})
    return Call.objects.get(graph_id="leg-1")


def test_a_leg_that_ended_earlier_than_was_known_brings_its_conversation_to_the_sweep(
    two_legs: Call, at: datetime
) -> None:
    findings.sweep(at + timedelta(minutes=2))
    dropped = two_legs.finding_set.get(rule="R10")
    assert dropped.is_open

    heard_at = at + timedelta(minutes=5)
    cast.tell("call.ended", "leg-2", at=at + timedelta(seconds=5), heard_at=heard_at)
    findings.sweep(heard_at)

    dropped.refresh_from_db()
    assert not dropped.is_open


def test_a_leg_that_is_found_again_brings_its_conversation_to_the_sweep(two_legs: Call, at: datetime) -> None:
    ingest.note_gone(Call.objects.get(graph_id="leg-2"), now=at + timedelta(seconds=10))
    findings.sweep(at + timedelta(minutes=2))
    assert not two_legs.finding_set.filter(rule="R10").exists()

    cast.heartbeat("leg-2", at=at + timedelta(minutes=5), capture="stopped")
    findings.sweep(at + timedelta(minutes=5))

    assert two_legs.finding_set.get(rule="R10").is_open


def test_an_imported_leg_brings_its_conversation_to_the_sweep(at: datetime, tmp_path: Path) -> None:
    cast.call("leg-1", at=at)
    cast.tell("call.ended", "leg-1", at=at, resultInfo={"code": 200, "subcode": 5000})
    findings.sweep(at + timedelta(minutes=2))
    removed, imported_at = Call.objects.get(), at + timedelta(minutes=3)
    assert not removed.finding_set.filter(rule="R10").exists()

    file = tmp_path / "calls.jsonl"
    file.write_text(
        json.dumps(
            {
                "graphId": "leg-2",
                "tenantId": TENANT_ID,
                "callChainId": "chain-of-leg-1",
                "state": "established",
                "establishedAt": at.isoformat(),
            }
        )
    )
    ingest.import_calls(file, form="jsonl", actor=Actor.objects.job("import"), now=imported_at)
    findings.sweep(imported_at)

    assert removed.finding_set.get(rule="R10").is_open
