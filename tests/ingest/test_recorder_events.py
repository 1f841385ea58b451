"""What a recorder posts to us, at the door and in the rows."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from recordings import ingest, ledger
from recordings.ingest import BadEvent, parse_events
from recordings.ingest.event_data import TYPES
from recordings.models import Call, Delivery, LedgerEntry, Recorder, StatusChange
from recordings.views.webhooks import MAX_BATCH_BYTES
from sandbox.defaults import OTHER_TENANT_ID, TENANT_ID
from tests import cast
from tests.ingest.posting import RECORDER, Machine, broken_database, changes, error_of, facts, stored

pytestmark = pytest.mark.django_db
TOKEN = "token-of-rec-01"


@pytest.fixture
def at() -> datetime:
    """A little ago, so that what follows it has happened, too."""
    return timezone.now() - timedelta(minutes=10)


@pytest.fixture
def rec_01(db: None, at: datetime) -> Recorder:
    return cast.recorder(token=TOKEN, now=at)


@pytest.fixture
def rec_02(db: None, at: datetime) -> Machine:
    """Another recorder of the same house."""
    cast.recorder("rec-02", token="token-of-rec-02", now=at)
    return Machine(RECORDER, "token-of-rec-02")


@pytest.fixture
def bot(rec_01: Recorder) -> Machine:
    return Machine(RECORDER, TOKEN)


def the_call() -> Call:
    return Call.objects.get(graph_id="call-1")


def join(bot: Machine, at: datetime, **data: Any) -> None:
    said = cast.event("call.joined", "call-1", at=at, **{"tenantId": TENANT_ID, "state": "established", **data})
    assert bot.post(said).status_code == 202


# -- every type


def test_joined_makes_a_call_with_all_that_it_tells(bot: Machine, rec_01: Recorder, at: datetime) -> None:
    join(
        bot,
        at,
        callChainId="chain-1",
        scenarioId="scenario-1",
        direction="incoming",
        subject="Rates outlook",
        recordedUser={"id": "user-dana", "displayName": "Dana Kessler"},
        organizer={"id": "user-omar", "displayName": "Omar Ruiz"},
        isPolicyCall=True,
    )

    call = the_call()
    rec_01.refresh_from_db()
    assert (call.tenant_id, call.recorder, call.state, call.established_at) == (TENANT_ID, rec_01, "established", at)
    assert (call.call_chain_id, call.scenario_id, call.direction) == ("chain-1", "scenario-1", "incoming")
    assert (call.subject, call.recorded_user_name, call.organizer_name) == (
        "Rates outlook",
        "Dana Kessler",
        "Omar Ruiz",
    )
    assert call.is_policy_call is True
    assert rec_01.last_word_at == call.created_at


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("capture.started", "capturing"),
        ("capture.paused", "paused"),
        ("capture.stopped", "stopped"),
        ("capture.failed", "failed"),
    ],
)
def test_capture_events_say_what_is_captured(bot: Machine, at: datetime, kind: str, state: str) -> None:
    join(bot, at)

    answer = bot.post(cast.event(kind, "call-1", at=at, reason="the disk was full"))

    call, change = the_call(), StatusChange.objects.get(field="capture_state")
    assert answer.status_code == 202
    assert (call.capture_state, call.capture_at, call.capture_changed_at) == (state, at, at)
    assert (change.new, change.source, change.reason, change.occurred_at) == (
        state,
        "recorder",
        "the disk was full",
        at,
    )


@pytest.mark.parametrize("status", ["recording", "notRecording", "failed"])
def test_told_says_what_graph_confirmed_to_the_recorder(bot: Machine, at: datetime, status: str) -> None:
    join(bot, at)
    bot.post(cast.event("status.told", "call-1", at=at, status=status, operation={"id": "op", "status": "Completed"}))

    call = the_call()
    assert (call.recording_status, call.recording_status_at) == (status, at)
    assert call.recording_status_source == "recorder"


def test_told_without_an_operation_is_the_recorders_own_word(bot: Machine, at: datetime) -> None:
    join(bot, at)
    bot.post(cast.event("status.told", "call-1", at=at, status="recording"))

    assert the_call().recording_status == "recording"


@pytest.mark.parametrize(
    "operation", [{"status": "running"}, {"status": "notStarted"}, {"status": "failed"}, {"status": None}, {"id": "op"}]
)
def test_an_operation_that_is_not_completed_confirms_nothing(
    bot: Machine, at: datetime, operation: dict[str, Any]
) -> None:
    """Graph's null is not final either: see commsOperation."""
    join(bot, at)

    answer = bot.post(cast.event("status.told", "call-1", at=at, status="recording", operation=operation))

    assert (answer.status_code, the_call().recording_status) == (202, "unknown")


def test_ended_ends_the_call_with_its_result(bot: Machine, at: datetime) -> None:
    join(bot, at)
    bot.post(cast.event("call.ended", "call-1", at=at, resultInfo={"code": "408", "subcode": 8537, "message": "gone"}))

    call = the_call()
    assert (call.state, call.ended_at) == ("terminated", at)
    assert (call.result_code, call.result_subcode, call.result_message) == (408, 8537, "gone")


def test_heartbeats_refresh_the_claim_of_every_call_they_name(bot: Machine, at: datetime) -> None:
    join(bot, at)
    bot.post(cast.event("capture.started", "call-1", at=at))
    later = at + timedelta(seconds=30)
    named = [{"id": "call-1", "captureState": "capturing"}, {"id": "call-unknown", "captureState": "capturing"}]
    before = stored()

    assert bot.post(cast.event("heartbeat", at=later, calls=named)).status_code == 202

    call = the_call()
    assert (call.capture_at, call.capture_changed_at, call.last_signal_at) == (later, at, later)
    assert stored() == before | {"Delivery": before["Delivery"] + 1}, "nothing changed, and no call was made"


def test_a_heartbeat_that_says_something_new_is_a_change(bot: Machine, at: datetime) -> None:
    join(bot, at)
    bot.post(cast.event("heartbeat", at=at, calls=[{"id": "call-1", "captureState": "capturing"}]))

    assert changes("call-1")[-1] == ("capture_state", "unknown", "capturing")


def test_a_heartbeat_without_calls_only_says_that_the_recorder_lives(
    bot: Machine, rec_01: Recorder, at: datetime
) -> None:
    assert bot.post(cast.event("heartbeat", at=at)).status_code == 202

    rec_01.refresh_from_db()
    assert rec_01.last_word_at is not None


def test_every_type_that_is_known_is_proved_here() -> None:
    proved = ["call.joined", "call.stateChanged", "call.ended", "status.told", "heartbeat", "graph.notification"]
    captures = [f"capture.{how}" for how in ("started", "paused", "stopped", "failed")]

    assert {f"onrecord.{kind}" for kind in [*proved, *captures]} == set(TYPES)


# -- order


def test_an_older_word_never_replaces_a_newer_one(bot: Machine, at: datetime) -> None:
    join(bot, at)
    bot.post(cast.event("capture.stopped", "call-1", at=at))
    bot.post(cast.event("status.told", "call-1", at=at, status="notRecording"))
    moment = at - timedelta(seconds=1)

    bot.post(cast.event("capture.started", "call-1", at=moment))
    bot.post(cast.event("heartbeat", at=moment, calls=[{"id": "call-1", "captureState": "capturing"}]))
    bot.post(cast.event("status.told", "call-1", at=moment, status="recording"))

    call = the_call()
    assert (call.capture_state, call.capture_at) == ("stopped", at)
    assert (call.recording_status, call.recording_status_at) == ("notRecording", at)


def test_of_two_words_for_one_moment_the_last_received_counts(bot: Machine, at: datetime) -> None:
    bot.post(cast.event("capture.started", "call-1", at=at))
    bot.post(cast.event("capture.failed", "call-1", at=at))

    assert the_call().capture_state == "failed"


@examples(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(5)))
def test_capture_ends_where_the_latest_word_says_whatever_the_order(
    bot: Machine, at: datetime, order: list[int]
) -> None:
    call_id = "call-" + "".join(map(str, order))
    said = ["capture.started", "capture.stopped", "capture.started", "capture.failed", "capture.stopped"]
    for number in order:
        bot.post(cast.event(said[number], call_id, at=at + timedelta(seconds=number)))

    call = Call.objects.get(graph_id=call_id)
    assert (call.capture_state, call.capture_at) == ("stopped", at + timedelta(seconds=4))


def test_ended_is_absorbing(bot: Machine, at: datetime) -> None:
    join(bot, at)
    bot.post(cast.event("call.ended", "call-1", at=at))
    later = at + timedelta(seconds=1)

    join(bot, later)
    bot.post(cast.event("call.ended", "call-1", at=later))
    bot.post(cast.event("heartbeat", at=later, calls=[{"id": "call-1", "captureState": "capturing"}]))

    assert (the_call().state, the_call().ended_at) == ("terminated", at)


@pytest.mark.parametrize(
    ("seconds", "is_live"), [(-1, False), (0, False), (1, True)], ids=["older", "the same moment", "newer"]
)
@pytest.mark.parametrize("kind", ["heartbeat", "capture.started"])
def test_only_a_newer_word_finds_a_call_that_graph_did_not_find(
    bot: Machine, at: datetime, kind: str, seconds: int, is_live: bool
) -> None:
    join(bot, at - timedelta(minutes=1))
    ingest.note_gone(the_call(), now=at)
    moment = at + timedelta(seconds=seconds)
    said = (
        cast.event("heartbeat", at=moment, calls=[{"id": "call-1", "captureState": "capturing"}])
        if kind == "heartbeat"
        else cast.event(kind, "call-1", at=moment)
    )

    assert bot.post(said).status_code == 202

    assert the_call().is_live == is_live


# -- doubles


def test_an_event_with_the_same_id_counts_once(bot: Machine, at: datetime) -> None:
    join(bot, at)
    said = cast.event("capture.started", "call-1", at=at)
    bot.post(said)
    before, known = stored(), facts(the_call())

    again = {**said, "type": "onrecord.capture.stopped", "time": (at + timedelta(seconds=9)).isoformat()}

    assert bot.post(again).status_code == 202
    assert (stored(), facts(the_call())) == (before, known)


def test_two_recorders_may_use_the_same_event_ids(bot: Machine, rec_02: Machine, at: datetime) -> None:
    said = {**cast.event("heartbeat", at=at), "id": "1"}

    assert [bot.post(said).status_code, rec_02.post(said).status_code] == [202, 202]
    assert Delivery.objects.filter(message_id__endswith="/1").count() == 2


def test_two_sources_of_one_recorder_may_use_the_same_event_ids(bot: Machine, at: datetime) -> None:
    """CloudEvents 1.0: source and id together make an event one."""
    join(bot, at)
    first = {**cast.event("capture.started", "call-1", at=at), "id": "1", "source": "/bots/a"}
    second = {**cast.event("capture.stopped", "call-1", at=at + timedelta(seconds=1)), "id": "1", "source": "/bots/b"}

    assert [bot.post(first).status_code, bot.post(second).status_code] == [202, 202]
    assert the_call().capture_state == "stopped"


def test_whoever_makes_a_claim_owns_the_leg_from_then_on(bot: Machine, rec_02: Machine, at: datetime) -> None:
    """A heartbeat on a leg nobody owned yet: from then on no other recorder's word can permit a correction of it."""
    Call.objects.create(graph_id="call-1", tenant_id=TENANT_ID, created_at=at)
    named = [{"id": "call-1", "captureState": "capturing"}]

    assert rec_02.post(cast.event("heartbeat", at=at, calls=named)).status_code == 202
    assert bot.post(cast.event("heartbeat", at=at, calls=named)).status_code == 403
    assert the_call().recorder == Recorder.objects.get(name="rec-02")


def test_the_operation_that_graph_answered_to_the_recorder_is_kept(bot: Machine, at: datetime) -> None:
    join(bot, at)
    answered = {"id": "op-of-the-bot", "status": "completed"}
    bot.post(cast.event("status.told", "call-1", at=at, status="recording", operation=answered))

    entry = LedgerEntry.objects.filter(action="status.changed").order_by("-id")[0]
    assert ledger.body_of(entry)["graph_operation_id"] == "op-of-the-bot"


# -- whose word it is


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer \xe9"])
def test_an_unknown_token_opens_nothing_and_is_not_in_the_log(
    bot: Machine, at: datetime, authorization: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")

    answer = bot.post(cast.event("heartbeat", at=at), authorization=authorization)

    assert (answer.status_code, error_of(answer)) == (401, "This token is not known, or was switched off.")
    assert not Delivery.objects.exists()
    assert "recorder event refused" in caplog.text
    assert TOKEN not in caplog.text


def test_a_disabled_token_opens_nothing(bot: Machine, rec_01: Recorder, at: datetime) -> None:
    rec_01.disabled_at = at
    rec_01.save()

    assert bot.post(cast.event("heartbeat", at=at)).status_code == 401


def test_the_token_itself_is_not_stored(bot: Machine) -> None:
    assert TOKEN not in str(Recorder.objects.values().get())


def test_a_token_does_not_speak_for_another_tenant(bot: Machine, at: datetime) -> None:
    before = stored()

    answer = bot.post(cast.event("call.joined", "call-1", at=at, tenantId=OTHER_TENANT_ID))

    assert answer.status_code == 403
    assert error_of(answer) == "This token does not speak for the tenant of call call-1. Nothing was stored."
    assert stored() == before


def test_a_state_is_the_same_in_capitals(bot: Machine, at: datetime) -> None:
    join(bot, at, state="TransferAccepted")

    assert the_call().state == "transferAccepted"


def test_a_tenant_is_the_same_in_capitals(bot: Machine, at: datetime) -> None:
    join(bot, at, tenantId=TENANT_ID.upper())

    assert the_call().tenant_id == TENANT_ID


def test_where_a_token_speaks_for_several_tenants_a_new_call_must_name_its_own(
    bot: Machine, rec_01: Recorder, at: datetime
) -> None:
    rec_01.tenants = [TENANT_ID, OTHER_TENANT_ID]
    rec_01.save()

    assert bot.post(cast.event("capture.started", "call-1", at=at)).status_code == 403
    join(bot, at, tenantId=OTHER_TENANT_ID)
    assert bot.post(cast.event("capture.started", "call-1", at=at)).status_code == 202


@pytest.mark.parametrize("kind", ["call.joined", "call.ended", "capture.started", "status.told", "heartbeat"])
def test_a_token_does_not_speak_for_another_recorders_call(
    bot: Machine, rec_02: Machine, at: datetime, kind: str
) -> None:
    join(bot, at)
    mine = cast.event("heartbeat", at=at, calls=[{"id": "call-1", "captureState": "stopped"}])
    said = mine if kind == "heartbeat" else cast.event(kind, "call-1", at=at, tenantId=TENANT_ID, status="failed")
    before, known = stored(), facts(the_call())

    answer = rec_02.post(said)

    assert (answer.status_code, error_of(answer)) == (
        403,
        "Call call-1 belongs to another recorder. Nothing was stored.",
    )
    assert (stored(), facts(the_call())) == (before, known)


def test_a_heartbeat_that_names_one_foreign_call_is_refused_whole(bot: Machine, rec_02: Machine, at: datetime) -> None:
    join(bot, at)
    assert rec_02.post(cast.event("capture.started", "call-2", at=at)).status_code == 202
    calls = [{"id": call_id, "captureState": "stopped"} for call_id in ("call-1", "call-2")]

    assert bot.post(cast.event("heartbeat", at=at, calls=calls)).status_code == 403

    assert Call.objects.get(graph_id="call-2").capture_state == "capturing"
    assert the_call().capture_state == "unknown"


# -- the body


def good(at: datetime) -> dict[str, Any]:
    return cast.event("call.joined", "call-1", at=at, tenantId=TENANT_ID)


MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"specversion": "0.3"}, "specversion"),
    ({"specversion": None}, "specversion"),
    ({"id": None}, "id is missing"),
    ({"id": ""}, "id is missing"),
    ({"id": 7}, "id is missing"),
    ({"id": "a\x00b"}, "id is missing or not a text"),
    ({"id": "\ud83d"}, "id is missing or not a text"),
    ({"id": "x" * 129}, "id is longer than 128 characters"),
    ({"source": None}, "source is missing"),
    ({"source": "\ud83d"}, "source is missing"),
    ({"type": None}, "type is missing"),
    ({"type": "onrecord.call.vanished"}, "type 'onrecord.call.vanished' is not known"),
    ({"subject": None}, "subject must be the id of a call"),
    ({"subject": "a call"}, "subject is not an id of a call"),
    ({"subject": "x" * 129}, "subject is not an id of a call"),
    ({"time": None}, "time is missing"),
    ({"time": "yesterday"}, "time 'yesterday' is not an RFC 3339 time"),
    ({"time": "2026-11-18T14:31:02"}, "time must say its zone"),
    ({"time": "2026-11-18"}, "time must say its zone"),
    ({"time": "0001-01-01T00:00:00+23:59"}, "time is out of range"),
    ({"time": "0001-01-01T00:00:00Z"}, "time lies before the year 2000"),
    ({"time": "1970-01-01T00:00:07Z"}, "time lies before the year 2000"),
    ({"time": "9999-12-31T23:59:59-23:59"}, "time is out of range"),
    ({"time": "9999-12-31T23:59:59Z"}, "time lies more than five minutes ahead of our clock"),
    ({"data": None}, "data must be an object"),
    ({"data": []}, "data must be an object"),
    ({"data": {}}, "data.tenantId is missing"),
    ({"data": {"tenantId": 7}}, "data.tenantId must be a text"),
    ({"data": {"tenantId": TENANT_ID, "recordedUser": "Dana"}}, "data.recordedUser must be an object"),
    ({"data": {"tenantId": TENANT_ID, "recordedUser": {"id": 7}}}, "data.recordedUser.id must be a text"),
    ({"data": {"tenantId": TENANT_ID, "organizer": {"displayName": []}}}, "data.organizer.displayName must be a text"),
    ({"data": {"tenantId": TENANT_ID, "organizer": []}}, "data.organizer must be an object"),
    ({"data": {"tenantId": TENANT_ID, "subject": 7}}, "data.subject must be a text"),
    ({"data": {"tenantId": TENANT_ID, "state": 7}}, "data.state must be a text"),
    ({"data": {"tenantId": TENANT_ID, "direction": {}}}, "data.direction must be a text"),
    ({"data": {"tenantId": TENANT_ID, "callChainId": 7}}, "data.callChainId must be a text"),
    ({"data": {"tenantId": TENANT_ID, "scenarioId": 7}}, "data.scenarioId must be a text"),
    ({"type": "onrecord.call.stateChanged", "data": {}}, "data.state is missing"),
    ({"type": "onrecord.call.stateChanged", "data": {"state": "Terminated"}}, "Send onrecord.call.ended."),
    ({"type": "onrecord.graph.notification", "data": {}}, "data.body is missing"),
    ({"type": "onrecord.graph.notification", "data": {"body": {}}}, "data.body is missing"),
    ({"type": "onrecord.graph.notification", "data": {"body": "{"}}, "data.body is not JSON"),
    ({"type": "onrecord.graph.notification", "data": {"body": "[]"}}, "data.body: notifications: is not an object"),
    ({"type": "onrecord.graph.notification", "data": {"body": '{"value": [7]}'}}, "data.body: value[0]"),
    (
        {"type": "onrecord.graph.notification", "data": {"body": '{"value": []}', "authorization": 7}},
        "data.authorization must be a text",
    ),
    (
        {"type": "onrecord.graph.notification", "data": {"body": '{"value": []}', "messageId": 7}},
        "data.messageId must be a text",
    ),
    (
        {"type": "onrecord.graph.notification", "data": {"body": '{"value": []}', "messageId": "m" * 129}},
        "data.messageId is longer than 128",
    ),
    *(
        ({"sequence": wrong}, "sequence must be a whole number")
        for wrong in ("", "one", "-1", "1.5", "٣", "1" * 19, -1, 1.5, True, [1])
    ),
    ({"type": "onrecord.status.told", "data": {}}, "data.status must be recording, notRecording or failed"),
    ({"type": "onrecord.status.told", "data": {"status": "unknown"}}, "data.status must be"),
    ({"type": "onrecord.status.told", "data": {"status": ["recording"]}}, "data.status must be a text"),
    ({"type": "onrecord.status.told", "data": {"status": "failed", "operation": 7}}, "data.operation must be"),
    ({"type": "onrecord.call.ended", "data": {"resultInfo": 7}}, "data.resultInfo"),
    ({"type": "onrecord.call.ended", "data": {"resultInfo": {"code": "many"}}}, "data.resultInfo.code"),
    ({"type": "onrecord.call.ended", "data": {"resultInfo": {"code": 2**31}}}, "data.resultInfo.code"),
    ({"type": "onrecord.call.ended", "data": {"reason": 7}}, "data.reason must be a text"),
    ({"type": "onrecord.capture.failed", "data": {"reason": 7}}, "data.reason must be a text"),
    ({"type": "onrecord.heartbeat", "data": {"calls": {}}}, "data.calls must be a list"),
    ({"type": "onrecord.heartbeat", "data": {"calls": [{}] * 1001}}, "data.calls must be a list of at most 1000"),
    ({"type": "onrecord.heartbeat", "data": {"calls": [7]}}, "data.calls[0] must be an object"),
    ({"type": "onrecord.heartbeat", "data": {"calls": [{"captureState": "capturing"}]}}, "data.calls[0].id"),
    (
        {"type": "onrecord.heartbeat", "data": {"calls": [{"id": "call-1", "captureState": "resting"}]}},
        "data.calls[0].captureState",
    ),
]


@pytest.mark.parametrize(("flaw", "words"), MALFORMED)
def test_a_malformed_field_is_named_and_nothing_is_stored(
    bot: Machine, at: datetime, flaw: dict[str, Any], words: str
) -> None:
    before = stored()

    answer = bot.post({**good(at), **flaw})

    assert (answer.status_code, stored()) == (400, before)
    assert words in error_of(answer)
    assert error_of(answer).endswith(". Nothing was stored.")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "The body is not JSON."),
        (b"{", "The body is not JSON."),
        (b"\xff\xfe", "The body is not JSON."),
        (b"[" * 100_000, "The body is not JSON."),
        (b"7", "The body must be one JSON object"),
    ],
)
def test_a_body_of_another_shape_is_refused_in_one_sentence(bot: Machine, body: bytes, words: str) -> None:
    answer = bot.post(body)

    assert answer.status_code == 400
    assert error_of(answer).startswith(words)


def test_clocks_may_differ_by_five_minutes(bot: Machine, at: datetime) -> None:
    assert bot.post(good(timezone.now() + timedelta(minutes=4, seconds=50))).status_code == 202
    assert bot.post(good(timezone.now() + timedelta(minutes=6))).status_code == 400


@pytest.mark.parametrize("text", ["a\x00b", "half a \ud83d character", "long " * 500])
@pytest.mark.parametrize("place", ["subject", "displayName", "id", "reason", "state"])
def test_a_text_no_database_takes_as_it_is_loses_no_event(bot: Machine, at: datetime, place: str, text: str) -> None:
    person = {"id": "user-dana", "displayName": "Dana Kessler"}
    data: dict[str, Any] = {"tenantId": TENANT_ID, "recordedUser": person, "reason": "", "state": "established"}
    (person if place in person else data)[place] = text

    answer = bot.post(cast.event("call.joined", "call-1", at=at, **data))

    is_no_word = place == "state" and len(text) > 64
    assert answer.status_code == (400 if is_no_word else 202)


def test_an_over_long_event_is_refused_with_and_without_a_length(bot: Machine) -> None:
    body = b" " * (MAX_BATCH_BYTES + 1)

    assert bot.post(body).status_code == 413
    assert bot.post_without_length(body).status_code == 413


def test_an_event_in_chunks_is_read_to_its_end(bot: Machine, at: datetime) -> None:
    assert bot.post_without_length(json.dumps(good(at)).encode()).status_code == 202


def test_only_posts_are_taken(bot: Machine) -> None:
    assert bot.get().status_code == 405


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_stored_whole_is_not_accepted_and_leaves_nothing(bot: Machine, at: datetime) -> None:
    before, said = stored(), good(at) | {"data": {"tenantId": TENANT_ID, "state": "established"}}

    with broken_database():
        assert bot.post(said).status_code == 500
    assert stored() == before

    assert bot.post(said).status_code == 202
    assert the_call().state == "established"


texts = st.text(st.characters(), max_size=8)  # with NUL and half characters
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
# Every name the hook reads, with values that nearly fit or do not fit at all.
person = st.fixed_dictionaries({}, optional={"id": anything, "displayName": anything}) | anything
data = st.fixed_dictionaries(
    {},
    optional={
        "tenantId": st.just(TENANT_ID) | anything,
        "state": st.sampled_from(["established", "Terminated"]) | anything,
        "subject": anything,
        "direction": anything,
        "callChainId": anything,
        "recordedUser": person,
        "organizer": person,
        "isPolicyCall": anything,
        "reason": anything,
        "status": st.sampled_from(["recording", "notRecording"]) | anything,
        "operation": st.fixed_dictionaries({"status": anything}) | anything,
        "body": st.sampled_from(['{"value": []}', '{"value": [{"changeType": "updated"}]}']) | anything,
        "authorization": st.just("Bearer x.y.\xe9") | anything,
        "messageId": anything,
        "resultInfo": st.fixed_dictionaries({}, optional={"code": anything, "subcode": anything, "message": anything})
        | anything,
        "calls": st.lists(st.fixed_dictionaries({"id": st.just("call-1"), "captureState": anything}), max_size=2)
        | anything,
    },
)
events = st.fixed_dictionaries(
    {
        "specversion": st.just("1.0"),
        "id": st.uuids().map(str) | texts,
        "source": st.just("/recorders/rec-01") | anything,
        "type": st.sampled_from(TYPES),
        "subject": st.sampled_from(["call-1", "call-2"]) | anything,
        "time": st.datetimes(timezones=st.timezones()).map(datetime.isoformat) | st.just("2026-11-18T14:31:02Z"),
        "data": data | anything,
        "sequence": st.integers(0, 9) | st.just("7") | anything,
    }
)


@examples(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=events | st.lists(events | anything, max_size=3) | anything)
def test_no_json_at_all_breaks_the_hook(bot: Machine, body: object) -> None:
    answer = bot.post(body)

    # 503: this site is not configured to judge the token of a forwarded notification.
    assert answer.status_code in (202, 400, 403, 503)
    assert answer.status_code == 202 or error_of(answer)


@examples(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=60))
def test_no_bytes_at_all_break_the_hook(bot: Machine, body: bytes) -> None:
    assert bot.post(body).status_code == 400


def test_a_word_from_a_clock_that_runs_ahead_counts_from_when_it_was_heard(now: datetime) -> None:
    """Else a claim of the future would stay fresh for minutes longer than invariant 8 allows."""
    body = json.dumps(cast.event("capture.stopped", "call-1", at=now + timedelta(minutes=4))).encode()
    assert parse_events(body, now=now)[0].at == now


def test_joining_cannot_end_a_call(now: datetime) -> None:
    """Only Graph's notification and the recorder's end event end a call (invariant 5)."""
    body = json.dumps(cast.event("call.joined", "call-1", at=now, tenantId="t", state="Terminated")).encode()
    with pytest.raises(BadEvent, match=r"Send onrecord\.call\.ended"):
        parse_events(body, now=now)
