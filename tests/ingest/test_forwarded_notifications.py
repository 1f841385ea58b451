"""Graph's notifications that come by way of the recorder: Graph's word with its token, else the recorder's."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from recordings.models import Call, Delivery, LedgerEntry, Operation, Recorder, StatusChange
from sandbox import notices
from sandbox.defaults import OTHER_TENANT_ID
from sandbox.messages import Json
from sandbox.server import Sandbox
from sandbox.state import Call as Leg
from tests import cast
from tests.ingest.posting import RECORDER, Graph, Machine, broken_database, changes, error_of, stored
from tests.ingest.test_graph_notifications import BAD_TOKENS, word_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def at() -> datetime:
    return timezone.now() - timedelta(minutes=10)


@pytest.fixture
def bot(db: None, at: datetime) -> Machine:
    cast.recorder(token="token-of-rec-01", now=at)
    return Machine(RECORDER, "token-of-rec-01")


@pytest.fixture
def good(sandbox: Sandbox) -> str:
    """The Authorization header of Graph's own post."""
    return f"Bearer {sandbox.callback_token()}"


def forwarded(*said: Json, at: datetime, authorization: str | None = None, message_id: str = "") -> dict[str, Any]:
    data: dict[str, Any] = {"body": json.dumps(notices.envelope(said))}
    if authorization is not None:
        data["authorization"] = authorization
    if message_id:
        data["messageId"] = message_id
    return cast.event("graph.notification", at=at, **data)


def sources(leg: Leg) -> set[str]:
    return set(StatusChange.objects.filter(call__graph_id=leg.call_id).values_list("source", flat=True))


def test_with_its_token_it_is_graphs_word(bot: Machine, good: str, leg: Leg, at: datetime) -> None:
    life = [notices.created(leg, "incoming"), notices.updated(leg, "established")]

    assert bot.post(forwarded(*life, at=at, authorization=good)).status_code == 202

    call = Call.objects.get()
    assert (call.state, call.subject, call.established_at) == ("established", "Rates outlook", at)
    assert (sources(leg), call.graph_seen_at, call.recorder_word_at) == ({"graph"}, at, None)


def test_with_its_token_it_settles_a_correction(
    bot: Machine, good: str, leg: Leg, running: Operation, at: datetime
) -> None:
    notice = notices.operation_settled(word_on(running, leg), pascal_case=True, named=False)

    assert bot.post(forwarded(notice, at=timezone.now(), authorization=good)).status_code == 202

    running.refresh_from_db()
    assert (running.status, Call.objects.get().recording_status_source) == ("completed", "graph")


NO_TOKEN: dict[str, Callable[[Sandbox], str]] = {**BAD_TOKENS, "an empty one": lambda sandbox: "Bearer "}


@pytest.mark.parametrize("flaw", NO_TOKEN)
def test_without_a_good_token_it_is_the_recorders_word(
    bot: Machine, sandbox: Sandbox, leg: Leg, at: datetime, flaw: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    header = NO_TOKEN[flaw](sandbox)
    ended = {"code": 200, "subcode": 4521}
    leg.result = {**ended, "message": ""}

    said = forwarded(notices.created(leg, "incoming"), notices.deleted(leg, "terminated"), at=at, authorization=header)
    assert bot.post(said).status_code == 202

    call = Call.objects.get()
    assert (call.state, call.ended_at, call.result_subcode) == ("terminated", at, 4521)
    assert (sources(leg), call.graph_seen_at, call.recorder) == ({"recorder"}, None, Recorder.objects.get())
    token = header.partition(" ")[2]
    assert not token or token not in caplog.text


@pytest.mark.parametrize("header", [None, "Bearer not.a.token"])
def test_without_a_good_token_it_settles_no_correction(
    bot: Machine, leg: Leg, running: Operation, header: str | None
) -> None:
    notice = notices.operation_settled(word_on(running, leg), pascal_case=True, named=False)

    assert bot.post(forwarded(notice, at=timezone.now(), authorization=header)).status_code == 202

    running.refresh_from_db()
    assert (running.status, Call.objects.get().recording_status) == ("running", "unknown")


def test_an_old_token_is_not_brought_back_to_life_by_the_time_an_event_claims(
    bot: Machine, sandbox: Sandbox, leg: Leg
) -> None:
    """The time is the recorder's word; the token must be good when the post is received."""
    an_hour_ago = timezone.now() - timedelta(hours=1)
    old = f"Bearer {sandbox.callback_token(exp=int(an_hour_ago.timestamp()) + 60)}"

    bot.post(forwarded(notices.created(leg, "incoming"), at=an_hour_ago, authorization=old))

    assert sources(leg) == {"recorder"}


def test_within_graphs_own_leeway_a_token_is_still_good(bot: Machine, sandbox: Sandbox, leg: Leg, at: datetime) -> None:
    just_over = f"Bearer {sandbox.callback_token(exp=int(timezone.now().timestamp()) - 60)}"

    bot.post(forwarded(notices.created(leg, "incoming"), at=at, authorization=just_over))

    assert sources(leg) == {"graph"}


def test_keys_out_of_reach_ask_for_another_delivery_of_the_whole_batch(
    bot: Machine, good: str, settings: Settings, leg: Leg, at: datetime
) -> None:
    jwks, settings.CALLBACK_JWKS_URL = settings.CALLBACK_JWKS_URL, "https://127.0.0.1:9/keys"
    said = [
        forwarded(notices.created(leg, "incoming"), at=at, authorization=good),
        cast.event("heartbeat", at=at),
    ]
    before = stored()

    answer = bot.post(said)
    assert (answer.status_code, stored()) == (503, before)
    assert error_of(answer).endswith("Nothing was stored. Send it again later.")

    settings.CALLBACK_JWKS_URL = jwks
    assert bot.post(said).status_code == 202
    assert sources(leg) == {"graph"}


def test_a_site_that_cannot_judge_tokens_says_so(
    bot: Machine, good: str, settings: Settings, leg: Leg, at: datetime
) -> None:
    settings.GRAPH_TENANT_ID = ""
    before = stored()

    answer = bot.post(forwarded(notices.created(leg, "incoming"), at=at, authorization=good))

    assert (answer.status_code, stored()) == (503, before)
    assert "not configured to take notifications" in error_of(answer)


@pytest.mark.parametrize("first", ["graph", "recorder"])
def test_the_same_message_directly_and_forwarded_counts_once(
    bot: Machine, graph: Graph, good: str, leg: Leg, at: datetime, first: str
) -> None:
    copy = forwarded(notices.created(leg, "incoming"), at=at, authorization=good, message_id="message-1")
    ways: list[Callable[[], Any]] = [
        lambda: graph.tell(notices.created(leg, "incoming"), message_id="message-1"),
        lambda: bot.post(copy),
    ]
    for way in ways if first == "graph" else ways[::-1]:
        assert way().status_code == 202

    assert changes(leg.call_id) == [("state", "", "incoming")]
    (delivery,) = Delivery.objects.filter(source="graph")
    assert Delivery.objects.exclude(pk=delivery.pk).count() == 1
    assert Recorder.objects.get().last_word_at is not None


def test_the_same_message_twice_in_a_batch_counts_once(bot: Machine, good: str, leg: Leg, at: datetime) -> None:
    twice = [
        forwarded(notices.updated(leg, state), at=at, authorization=good, message_id="message-1")
        for state in ("established", "hold")
    ]
    assert bot.post([forwarded(notices.created(leg, "incoming"), at=at), *twice]).status_code == 202

    assert "hold" not in [new for _, _, new in changes(leg.call_id)]


def test_a_forged_message_cannot_keep_graphs_own_out(bot: Machine, graph: Graph, leg: Leg, at: datetime) -> None:
    """Only what Graph vouches for takes Microsoft's message id."""
    bot.post(forwarded(notices.created(leg, "incoming"), at=at, message_id="message-1"))
    graph.tell(notices.updated(leg, "established"), message_id="message-1")

    assert Call.objects.get().state == "established"


def test_a_forward_beside_other_events_of_the_same_call_is_one_story(
    bot: Machine, good: str, leg: Leg, at: datetime
) -> None:
    second = at + timedelta(seconds=1)
    told = cast.event("status.told", leg.call_id, at=second, status="recording")
    joined = forwarded(notices.created(leg, "incoming"), notices.updated(leg, "established"), at=at, authorization=good)
    beat = cast.event("heartbeat", at=second, calls=[{"id": leg.call_id, "captureState": "capturing"}])

    assert bot.post([told, beat, joined]).status_code == 202

    call = Call.objects.get()
    assert (call.state, call.recording_status, call.capture_state) == ("established", "recording", "capturing")


def test_a_recorder_forwards_for_its_own_tenants_only(bot: Machine, sandbox: Sandbox, leg: Leg, at: datetime) -> None:
    Recorder.objects.update(tenants=[OTHER_TENANT_ID])
    said = forwarded(
        notices.created(leg, "incoming"), at=at, authorization=f"Bearer {sandbox.callback_token()}", message_id="m"
    )
    before = stored()

    answer = bot.post(said)

    assert (answer.status_code, stored()) == (403, before)
    assert "does not speak for the tenant of call" in error_of(answer)


@pytest.mark.parametrize("with_token", [True, False])
def test_a_recorder_forwards_for_its_own_calls_only(
    bot: Machine, good: str, leg: Leg, at: datetime, with_token: bool
) -> None:
    """A token does not sign the body that comes with it: it must not speak for another recorder's call."""
    cast.recorder("rec-02", token="token-of-rec-02", now=at)
    Machine(RECORDER, "token-of-rec-02").post(cast.event("capture.started", leg.call_id, at=at))
    before = stored()

    answer = bot.post(forwarded(notices.deleted(leg, "terminated"), at=at, authorization=good if with_token else None))

    assert (answer.status_code, stored()) == (403, before)
    assert "belongs to another recorder" in error_of(answer)


def test_an_outcome_that_moves_nothing_else_brings_the_call_to_the_sweep(
    bot: Machine, good: str, leg: Leg, running: Operation
) -> None:
    """It is older than what was heard of the call since, so that no column of the call shows it."""
    now = timezone.now()
    cast.tell("capture.stopped", leg.call_id, at=now - timedelta(minutes=9), heard_at=now)
    Call.objects.update(due_after=None)

    failed = notices.operation_settled(word_on(running, leg, "failed"), pascal_case=False, named=True)
    bot.post(forwarded(failed, at=now - timedelta(minutes=2), authorization=good))

    running.refresh_from_db()
    assert running.status == "failed"
    assert running.finished_at is not None
    assert Call.objects.get().due_after == running.finished_at + timedelta(seconds=30)


def test_the_token_is_stored_nowhere(bot: Machine, good: str, leg: Leg, at: datetime) -> None:
    bot.post(forwarded(notices.created(leg, "incoming"), at=at, authorization=good, message_id="m"))

    token = good.partition(" ")[2]
    rows = [*Delivery.objects.values(), *LedgerEntry.objects.values(), *Call.objects.values()]
    assert rows
    assert not any(token in str(row) for row in rows)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("debug", [True, False])
def test_no_error_page_and_no_log_shows_the_token(
    bot: Machine,
    good: str,
    leg: Leg,
    at: datetime,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    debug: bool,
) -> None:
    settings.DEBUG = debug
    caplog.set_level("DEBUG")

    with broken_database():
        answer = bot.post(forwarded(notices.created(leg, "incoming"), at=at, authorization=good, message_id="m"))

    assert answer.status_code == 500
    signature = good.rpartition(".")[2]
    assert signature not in answer.text
    assert signature not in caplog.text
