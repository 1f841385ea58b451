"""What Graph posts to us, at the door and in the rows."""

import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from recordings import ingest, services
from recordings.models import Call, Delivery, LedgerEntry, Operation, StatusChange
from recordings.services import Requester
from recordings.views.webhooks import MAX_BODY_BYTES
from sandbox import notices
from sandbox.messages import Json
from sandbox.server import Sandbox
from sandbox.state import Call as Leg
from sandbox.state import Operation as LegOperation
from tests.ingest.posting import Graph, broken_database, changes, error_of, facts, stored

pytestmark = pytest.mark.django_db
many = examples(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def call_of(leg: Leg) -> Call:
    return Call.objects.get(graph_id=leg.call_id)


# -- a call's life


def test_an_invitation_makes_a_call_with_all_that_it_tells(graph: Graph, leg: Leg) -> None:
    answer = graph.tell(notices.created(leg, "incoming"))

    call = call_of(leg)
    assert answer.status_code == 202
    assert answer.content == b""
    assert (call.state, call.tenant_id, call.direction) == ("incoming", leg.tenant_id, "incoming")
    assert (call.subject, call.call_chain_id, call.is_policy_call) == ("Rates outlook", leg.call_chain_id, True)
    assert (call.recorded_user_id, call.recorded_user_name) == ("user-dana", "Dana Kessler")
    assert (call.organizer_id, call.organizer_name) == ("user-omar", "Omar Ruiz")
    assert call.created_at == call.last_signal_at


def test_sparse_patches_are_merged_and_each_move_is_kept(graph: Graph, leg: Leg) -> None:
    graph.tell(notices.created(leg, "incoming"))
    for state in ("establishing", "established"):
        graph.tell(notices.updated(leg, state))
    living = call_of(leg)
    graph.tell(notices.deleted(leg, "terminated"))

    ended = call_of(leg)
    assert living.established_at is not None
    assert living.ended_at is None
    assert (ended.subject, ended.recorded_user_name) == ("Rates outlook", "Dana Kessler")
    assert (ended.result_code, ended.result_subcode, ended.result_message) == (200, 4521, "The other party left.")
    assert ended.ended_at is not None
    assert changes(leg.call_id) == [
        ("state", "", "incoming"),
        ("state", "incoming", "establishing"),
        ("state", "establishing", "established"),
        ("state", "established", "terminated"),
    ]
    assert set(StatusChange.objects.values_list("source", "actor__label")) == {("graph", "Microsoft Graph")}


def test_several_notifications_of_one_post_are_taken_in_their_order(graph: Graph, leg: Leg) -> None:
    graph.tell(
        notices.created(leg, "incoming"), notices.updated(leg, "established"), notices.deleted(leg, "terminated")
    )

    assert [new for _, _, new in changes(leg.call_id)] == ["incoming", "established", "terminated"]


def test_a_call_first_heard_of_by_its_end_is_an_ended_call(graph: Graph, leg: Leg) -> None:
    graph.tell(notices.deleted(leg, "terminated"))

    assert call_of(leg).ended_at is not None


def test_deleted_ends_a_call_even_without_a_word_on_its_state(graph: Graph, leg: Leg) -> None:
    graph.tell(notices.notice("deleted", leg.call_id, None))

    assert call_of(leg).state == "terminated"


def test_graphs_schema_spelling_means_the_same(graph: Graph, leg: Leg) -> None:
    graph.tell({**notices.updated(leg, "Established"), "changeType": "Updated"})
    graph.tell({**notices.deleted(leg, "Terminated"), "changeType": "Deleted"})

    assert [new for _, _, new in changes(leg.call_id)] == ["established", "terminated"]


def test_a_word_invented_later_is_kept_as_it_came(graph: Graph, leg: Leg) -> None:
    graph.tell(notices.updated(leg, "parkedInOrbit"))

    assert call_of(leg).state_look.label == "Unknown (parkedInOrbit)"


@many
@given(words=st.permutations(["incoming", "establishing", "established", "terminating", "terminated"]))
def test_the_same_words_in_any_order_end_in_the_same_state(graph: Graph, words: list[str]) -> None:
    leg = Leg()
    tell: dict[str, Callable[[Leg, str], Json]] = {"incoming": notices.created, "terminated": notices.deleted}
    for word in words:
        assert graph.tell(tell.get(word, notices.updated)(leg, word)).status_code == 202

    call = call_of(leg)
    assert (call.state, call.is_live) == ("terminated", False)
    states = [new for _, _, new in changes(leg.call_id)]
    assert states == sorted(states, key=["incoming", "establishing", "established", "terminating", "terminated"].index)


@many
@given(
    words=st.lists(st.sampled_from(["incoming", "ringing", "hold", "established", "terminating", "new"]), max_size=4)
)
def test_nothing_that_comes_after_the_end_brings_a_call_back(graph: Graph, words: list[str]) -> None:
    leg = Leg()
    graph.tell(notices.deleted(leg, "terminated"))
    ended = call_of(leg)

    for word in words:
        graph.tell(notices.updated(leg, word))

    assert (call_of(leg).state, call_of(leg).ended_at) == ("terminated", ended.ended_at)
    assert len(changes(leg.call_id)) == 1


def test_a_sign_of_life_after_a_404_finds_the_call_again(graph: Graph, leg: Leg) -> None:
    graph.tell(notices.updated(leg, "established"))
    ingest.note_gone(call_of(leg), now=timezone.now())
    assert not call_of(leg).is_live

    graph.tell(notices.updated(leg, "established"))

    assert call_of(leg).is_live
    assert changes(leg.call_id)[-2:] == [("gone", "found", "gone"), ("gone", "gone", "found")]


# -- doubles


def test_a_message_with_the_same_id_counts_once(graph: Graph, leg: Leg) -> None:
    graph.tell(notices.updated(leg, "established"), message_id="message-1")
    before, known = stored(), facts(call_of(leg))

    answer = graph.tell(notices.updated(leg, "hold"), message_id="message-1")

    assert answer.status_code == 202
    assert (stored(), facts(call_of(leg))) == (before, known)
    assert Delivery.objects.get().message_id == "message-1"


def test_a_repeated_message_without_an_id_changes_nothing_more(graph: Graph, leg: Leg) -> None:
    life = [notices.created(leg, "incoming"), notices.updated(leg, "established"), notices.deleted(leg, "terminated")]
    graph.tell(*life, message_id=None)
    before, known = stored(), facts(call_of(leg))

    assert graph.tell(*life, message_id=None).status_code == 202

    assert (stored(), facts(call_of(leg))) == (before, known)
    assert not Delivery.objects.exists()


# -- operations


def word_on(operation: Operation, leg: Leg, status: str = "completed", **facts: Any) -> LegOperation:
    known = {"operation_id": "op-1", "client_context": operation.client_context, "result": None, **facts}
    return LegOperation(call_id=leg.call_id, requested_status="notRecording", status=status, **known)


def test_an_operation_is_settled_by_our_client_context(graph: Graph, leg: Leg, running: Operation) -> None:
    graph.tell(notices.operation_settled(word_on(running, leg), pascal_case=True, named=False))

    running.refresh_from_db()
    call = call_of(leg)
    assert (running.status, running.graph_operation_id) == ("completed", "op-1")
    assert (call.recording_status, call.recording_status_source) == ("notRecording", "graph")
    change = StatusChange.objects.get(field="recording_status")
    assert (change.new, change.operation, change.reason) == ("notRecording", running, "stuck")


def test_without_a_client_context_the_operations_id_is_what_counts(graph: Graph, leg: Leg, running: Operation) -> None:
    word = word_on(running, leg, client_context=None)

    graph.tell(notices.operation_settled(word, pascal_case=False, named=True))

    running.refresh_from_db()
    assert running.status == "completed"


def test_without_an_address_the_client_context_leads_to_the_call(graph: Graph, leg: Leg, running: Operation) -> None:
    notice = notices.operation_settled(word_on(running, leg), pascal_case=False, named=True)

    graph.tell({"changeType": "deleted", "resourceData": notice["resourceData"]})

    running.refresh_from_db()
    assert (running.status, call_of(leg).recording_status) == ("completed", "notRecording")


def test_a_failed_operation_keeps_its_reason_and_tells_nothing(graph: Graph, leg: Leg, running: Operation) -> None:
    result = {"code": 500, "subcode": 7, "message": "The service stumbled."}

    graph.tell(notices.operation_settled(word_on(running, leg, "failed", result=result), pascal_case=False, named=True))

    running.refresh_from_db()
    assert (running.status, running.result_code, running.result_subcode) == ("failed", "500", "7")
    assert running.result_message == "The service stumbled."
    assert call_of(leg).recording_status == "unknown"


@pytest.mark.parametrize(
    "facts",
    [
        {"client_context": "rec-01:its-own"},
        {"client_context": "rec-01:its-own", "operation_id": "op-7"},
        {"client_context": None, "operation_id": "op-7"},
    ],
)
def test_an_operation_that_is_not_ours_settles_nothing(
    graph: Graph, leg: Leg, running: Operation, facts: dict[str, Any]
) -> None:
    answer = graph.tell(notices.operation_settled(word_on(running, leg, **facts), pascal_case=False, named=True))

    running.refresh_from_db()
    assert (answer.status_code, running.status, call_of(leg).recording_status) == (202, "running", "unknown")


def test_a_word_on_an_operation_of_another_call_settles_nothing(graph: Graph, leg: Leg, running: Operation) -> None:
    other = Leg()
    graph.tell(notices.updated(other, "established"))

    graph.tell(notices.operation_settled(word_on(running, other), pascal_case=False, named=True))

    running.refresh_from_db()
    assert running.status == "running"


def test_the_same_word_on_an_operation_again_changes_nothing_more(graph: Graph, leg: Leg, running: Operation) -> None:
    notice = notices.operation_settled(word_on(running, leg), pascal_case=False, named=True)
    graph.tell(notice, message_id=None)
    before, known = stored(), facts(call_of(leg))

    graph.tell(notice, message_id=None)

    assert (stored(), facts(call_of(leg))) == (before, known)


# -- what is about something else


@pytest.mark.parametrize("tell", [notices.roster_changed, notices.content_shared])
def test_a_roster_and_shared_content_change_nothing_and_make_no_call(
    graph: Graph, leg: Leg, tell: Callable[[Leg], Json]
) -> None:
    leg.recording_status = "recording"
    assert graph.tell(tell(leg)).status_code == 202
    assert not Call.objects.exists()
    graph.tell(notices.updated(leg, "established"))
    before, known = stored(), facts(call_of(leg))

    graph.tell(tell(leg), message_id=None)

    assert (stored(), facts(call_of(leg))) == (before, known)


def test_a_roster_that_cannot_be_read_does_not_lose_the_end_of_the_call(graph: Graph, leg: Leg) -> None:
    graph.tell(notices.updated(leg, "established"))
    roster = {**notices.roster_changed(leg), "resourceData": ["nobody"]}

    assert graph.tell(roster, notices.deleted(leg, "terminated")).status_code == 202

    assert call_of(leg).state == "terminated"


def test_a_call_of_another_tenant_is_not_touched(graph: Graph, sandbox: Sandbox, leg: Leg) -> None:
    graph.tell(notices.updated(leg, "established"))
    Call.objects.filter(graph_id=leg.call_id).update(tenant_id=sandbox.other_tenant_id)
    known = facts(call_of(leg))

    assert graph.tell(notices.deleted(leg, "terminated")).status_code == 202
    assert graph.tell(notices.roster_changed(leg)).status_code == 202

    assert facts(call_of(leg)) == known


# -- the token


def _claims(sandbox: Sandbox) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(sandbox.callback_token(), options={"verify_signature": False})
    return claims


def _kid(sandbox: Sandbox) -> str:
    return str(jwt.get_unverified_header(sandbox.callback_token())["kid"])


def _signed_by_another_key(sandbox: Sandbox, kid: str) -> str:
    forged = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(_claims(sandbox), forged, algorithm="RS256", headers={"kid": kid})


def _hour_ago() -> int:
    return int(timezone.now().timestamp()) - 3600


BAD_TOKENS: dict[str, Callable[[Sandbox], str]] = {
    "none at all": lambda sandbox: "",
    "no bearer": lambda sandbox: f"Basic {sandbox.callback_token()}",
    "rubbish": lambda sandbox: "Bearer not.a.token",
    "alg none": lambda sandbox: (
        f"Bearer {jwt.encode(_claims(sandbox), '', algorithm='none', headers={'kid': _kid(sandbox)})}"
    ),
    "HS256": lambda sandbox: (
        f"Bearer {jwt.encode(_claims(sandbox), 'x' * 64, algorithm='HS256', headers={'kid': _kid(sandbox)})}"
    ),
    "signature": lambda sandbox: f"Bearer {_signed_by_another_key(sandbox, _kid(sandbox))}",
    "unknown key": lambda sandbox: f"Bearer {_signed_by_another_key(sandbox, 'nobody-knows')}",
    "issuer": lambda sandbox: f"Bearer {sandbox.callback_token(iss='https://evil.example')}",
    "audience": lambda sandbox: f"Bearer {sandbox.callback_token(aud='another-app')}",
    "expired": lambda sandbox: f"Bearer {sandbox.callback_token(exp=_hour_ago())}",
    "no tenant": lambda sandbox: f"Bearer {sandbox.callback_token(tid=None)}",
    "another tenant": lambda sandbox: f"Bearer {sandbox.callback_token(sandbox.other_tenant_id)}",
}


@pytest.mark.parametrize("flaw", BAD_TOKENS)
def test_a_bad_token_opens_nothing_and_is_not_in_the_log(
    graph: Graph, sandbox: Sandbox, leg: Leg, caplog: pytest.LogCaptureFixture, flaw: str
) -> None:
    caplog.set_level("DEBUG")
    header = BAD_TOKENS[flaw](sandbox)
    before = stored()

    answer = graph.post(notices.envelope([notices.created(leg, "incoming")]), authorization=header)

    assert answer.status_code == 401
    assert error_of(answer) == "The token of this notification was not accepted."
    assert stored() == before
    assert "notification refused: " in caplog.text
    assert not header or header.partition(" ")[2] not in caplog.text


def test_keys_out_of_reach_ask_for_another_delivery(
    graph: Graph, settings: Settings, leg: Leg, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CALLBACK_JWKS_URL = "https://127.0.0.1:9/keys"

    answer = graph.tell(notices.created(leg, "incoming"))

    assert answer.status_code == 503
    assert "Send it again later." in error_of(answer)
    assert "notification postponed: " in caplog.text
    assert not Call.objects.exists()


def test_the_token_is_looked_at_before_the_body(graph: Graph) -> None:
    assert graph.post(b"not JSON", authorization="Bearer x").status_code == 401


# -- the body


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "body: is not JSON. Nothing was stored."),
        (b"{", "body: is not JSON. Nothing was stored."),
        (b"\xff\xfe", "body: is not JSON. Nothing was stored."),
        (b"[" * 100_000, "body: is not JSON. Nothing was stored."),
        (b"[]", "notifications: is not an object. Nothing was stored."),
        (b"{}", "value: is not a list. Nothing was stored."),
        (b'{"value": [7]}', "value[0]: is not an object. Nothing was stored."),
        (b'{"value": [{}]}', "value[0].changeType: is missing. Nothing was stored."),
    ],
)
def test_a_body_of_another_shape_is_refused_in_one_sentence(graph: Graph, body: bytes, sentence: str) -> None:
    answer = graph.post(body)

    assert (answer.status_code, error_of(answer)) == (400, sentence)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("resourceUrl", "/communications/calls/a b"),
        ("resourceUrl", "/communications/calls/" + "a" * 129),
        ("resourceUrl", 7),
        ("resourceData", "a call"),
        ("resourceData", {"@odata.type": "#microsoft.graph.call", "id": "another"}),
        ("resourceData", {"@odata.type": "#microsoft.graph.call", "state": 7}),
        ("resourceData", {"@odata.type": "#microsoft.graph.call", "resultInfo": {"code": "many"}}),
        ("changeType", ["updated"]),
    ],
)
def test_one_bad_notification_refuses_the_whole_post(graph: Graph, leg: Leg, place: str, value: object) -> None:
    before = stored()

    answer = graph.tell(notices.created(leg, "incoming"), {**notices.updated(leg, "established"), place: value})

    assert answer.status_code == 400
    assert error_of(answer).startswith("value[1]")
    assert stored() == before


@pytest.mark.parametrize("subject", ["a\x00b", "half a \ud83d character", "long " * 300])
def test_a_text_no_database_takes_as_it_is_loses_no_message(graph: Graph, leg: Leg, subject: str) -> None:
    leg.subject = subject

    assert graph.tell(notices.created(leg, "incoming")).status_code == 202
    assert call_of(leg).state == "incoming"


@pytest.mark.parametrize("code", [2**31, -(2**31) - 1, 2**31 - 1, -(2**31)])
def test_a_result_code_no_column_takes_is_never_a_crash(graph: Graph, leg: Leg, code: int) -> None:
    leg.result = {"code": code, "subcode": 0, "message": ""}

    fits = -(2**31) <= code < 2**31
    assert graph.tell(notices.deleted(leg, "terminated")).status_code == (202 if fits else 400)


def test_an_over_long_post_is_refused_by_its_announced_length(graph: Graph) -> None:
    answer = graph.post(b" " * (MAX_BODY_BYTES + 1))

    assert answer.status_code == 413
    assert error_of(answer) == f"The message is longer than {MAX_BODY_BYTES} bytes. Nothing was stored."


def test_an_over_long_post_is_refused_also_where_no_length_was_announced(graph: Graph) -> None:
    assert graph.post_without_length(b" " * (MAX_BODY_BYTES + 1)).status_code == 413


def test_a_post_in_chunks_is_read_to_its_end(graph: Graph, leg: Leg) -> None:
    body = json.dumps(notices.envelope([notices.created(leg, "incoming")])).encode()

    assert graph.post_without_length(body).status_code == 202
    assert call_of(leg).state == "incoming"


def test_the_longest_post_is_still_read(graph: Graph, leg: Leg) -> None:
    body = json.dumps(notices.envelope([notices.created(leg, "incoming")])).encode()

    assert graph.post(body.ljust(MAX_BODY_BYTES)).status_code == 202


def test_only_posts_are_taken(graph: Graph) -> None:
    answer = graph.get()

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


# -- stored before it is accepted


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_stored_whole_is_not_accepted_and_leaves_nothing(graph: Graph, leg: Leg) -> None:
    before = stored()

    with broken_database():
        answer = graph.tell(notices.created(leg, "incoming"), message_id="message-1")
    assert answer.status_code == 500
    assert stored() == before

    assert graph.tell(notices.created(leg, "incoming"), message_id="message-1").status_code == 202
    assert call_of(leg).state == "incoming"


@pytest.fixture
def site(live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """The site on a port of its own. Its threads keep no connection, or the test database could not be dropped."""
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    return str(live_server.url)


@pytest.mark.django_db(transaction=True)
def test_graph_itself_posts_a_life_and_settles_a_correction(site: str, sandbox: Sandbox, mira: User) -> None:
    sandbox.settings(callback_url=f"{site}/hooks/graph/", callback_pause=0.01)
    call_id = sandbox.add_call(state="incoming", operations={"status": "running"}, notify=True)["call_id"]
    sandbox.change_call(call_id, state="established", notify=True)
    assert sandbox.wait_for_deliveries()
    call, now = Call.objects.get(graph_id=call_id), timezone.now()
    assert call.state == "established"

    wished = services.request_correction(
        call, wish="failed", reason="the disk was full", by=Requester.at_screen(mira), now=now
    )
    sent = services.send_operation(wished.pk)
    assert sent.status == "running"
    sandbox.complete_operation(sent.graph_operation_id)
    sandbox.notify(call_id, kind="roster")
    sandbox.end_call(call_id, code=200, subcode=4521, notify=True)
    assert sandbox.wait_for_deliveries()

    assert {each["answered"] for each in sandbox.deliveries()} == {202}
    sent.refresh_from_db()
    call.refresh_from_db()
    assert (sent.status, call.recording_status, call.recording_status_source) == ("completed", "failed", "graph")
    assert (call.state, call.result_subcode) == ("terminated", 4521)
    assert LedgerEntry.objects.filter(call=call, action="correction.settled").count() == 1
