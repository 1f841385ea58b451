"""The action everything is about, as a client meets it."""

from email.utils import parsedate_to_datetime

import pytest

from sandbox.server import Sandbox
from tests.sandbox.clients import Browser

OPERATION_TYPE = "#microsoft.graph.updateRecordingStatusOperation"


def test_an_accepted_status_is_answered_with_a_completed_operation(sandbox: Sandbox, bot: Browser) -> None:
    call = sandbox.add_call()
    answer = bot.tell(call["call_id"], "recording", "onrecord:7")
    assert answer.status_code == 200
    operation = answer.json()
    assert operation == {
        "@odata.type": OPERATION_TYPE,
        "clientContext": "onrecord:7",
        "id": operation["id"],
        "resultInfo": None,
        "status": "completed",
    }
    where = f"{sandbox.graph_url}/communications/calls/{call['call_id']}/operations/{operation['id']}"
    assert answer.headers["Location"] == where
    assert sandbox.call(call["call_id"])["recording_status"] == "recording"


def test_the_qualified_name_of_the_action_works_too(sandbox: Sandbox, bot: Browser) -> None:
    call_id = sandbox.add_call()["call_id"]
    body = {"status": "notRecording"}
    answer = bot.graph("POST", f"{call_id}/microsoft.graph.updateRecordingStatus", json=body)
    assert answer.json()["clientContext"] is None
    assert sandbox.call(call_id)["recording_status"] == "notRecording"


def test_every_answer_names_its_request(sandbox: Sandbox, bot: Browser) -> None:
    call_id = sandbox.add_call()["call_id"]
    for path in (call_id, "nobody-knows-it"):
        answer = bot.graph("GET", path, headers={"client-request-id": "mine"})
        assert answer.headers["client-request-id"] == "mine"
        assert answer.headers["request-id"] == sandbox.log()[-1]["request_id"]
        assert parsedate_to_datetime(answer.headers["Date"]).tzinfo


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"recording"',
        b"{}",
        b'{"status": "unknown"}',
        b'{"status": "Recording!"}',
        b'{"status": null}',
        b'{"status": ["recording"]}',
        b'{"status": "recording", "clientContext": 7}',
        b'{"status": "recording", "clientContext": "%s"}' % (b"x" * 257),
        b"\xff\xfe",
    ],
)
def test_a_body_that_makes_no_sense_is_refused_and_changes_nothing(sandbox: Sandbox, bot: Browser, body: bytes) -> None:
    call_id = sandbox.add_call()["call_id"]
    answer = bot.graph(
        "POST", f"{call_id}/updateRecordingStatus", data=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "BadRequest"
    assert sandbox.call(call_id)["recording_status"] is None
    assert not sandbox.log()[-1]["acted"]


def test_a_client_context_of_256_characters_is_the_longest(sandbox: Sandbox, bot: Browser) -> None:
    call_id = sandbox.add_call()["call_id"]
    assert bot.tell(call_id, context="x" * 256).status_code == 200


def test_a_call_that_has_ended_or_never_was_is_not_found(sandbox: Sandbox, bot: Browser) -> None:
    ended = sandbox.add_call()["call_id"]
    sandbox.end_call(ended)
    for call_id in (ended, "never-was"):
        answer = bot.tell(call_id)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "8522")


def test_a_call_outside_a_recording_policy_is_refused(sandbox: Sandbox, bot: Browser) -> None:
    call_id = sandbox.add_call(policy=False)["call_id"]
    answer = bot.tell(call_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "8506")


def test_a_call_of_another_tenant_is_refused(sandbox: Sandbox, bot: Browser) -> None:
    call_id = sandbox.add_call(tenant_id=sandbox.other_tenant_id)["call_id"]
    answer = bot.tell(call_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "7505")
    bot.sign_in(sandbox.other_tenant_id)
    assert bot.tell(call_id).status_code == 200


def test_an_operation_can_be_read_back_and_is_listed_only_when_asked_for(sandbox: Sandbox, bot: Browser) -> None:
    call_id = sandbox.add_call()["call_id"]
    operation = bot.tell(call_id).json()
    assert bot.graph("GET", f"{call_id}/operations/{operation['id']}").json() == operation
    assert bot.graph("GET", f"{call_id}/operations/other").status_code == 404
    assert bot.graph("GET", f"{call_id}/operations").status_code == 404
    sandbox.settings(list_operations=True)
    assert bot.graph("GET", f"{call_id}/operations").json() == {"value": [operation]}


def test_the_roster_echoes_what_teams_was_told(sandbox: Sandbox, bot: Browser) -> None:
    call = sandbox.add_call()
    bot.tell(call["call_id"], "failed")
    members = bot.graph("GET", f"{call['call_id']}/participants").json()["value"]
    mine = next(each for each in members if each["id"] == call["my_participant_id"])
    assert mine["recordingInfo"]["recordingStatus"] == "failed"
