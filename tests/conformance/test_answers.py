"""Every kind of answer of the stand-in, held against Microsoft's own description of the calls API."""

from typing import Any

import pytest
import requests

from sandbox.errors import KNOWN
from sandbox.faults import GRAPH_ACTIONS
from sandbox.server import Sandbox
from tests.conformance.description import Description, with_body
from tests.sandbox.clients import Browser

PLAIN, QUALIFIED = "updateRecordingStatus", "microsoft.graph.updateRecordingStatus"
# method and path of each route, and the action by which the stand-in calls it
ROUTES = (
    ("GET", "{call}", "getCall"),
    ("POST", "{call}/" + PLAIN, "updateRecordingStatus"),
    ("POST", "{call}/" + QUALIFIED, "updateRecordingStatus"),
    ("GET", "{call}/operations/{operation}", "getOperation"),
    ("GET", "{call}/operations", "listOperations"),
    ("GET", "{call}/participants", "listParticipants"),
)
OUTCOMES: tuple[dict[str, Any], ...] = (
    {"status": "completed"},
    {"status": "Completed"},
    {"status": "running"},
    {"status": "Running"},
    {"status": "notStarted"},
    {"status": "NotStarted"},
    {"status": "failed", "code": 500, "subcode": 7, "message": "DiagCode: 500#7"},
    {"status": "Failed", "code": 412, "subcode": 9999},
    {"status": "completed", "code": 200},
)
STATES = ("incoming", "establishing", "established", "hold", "transferring", "redirecting", "terminating")


def send(bot: Browser, route: tuple[str, str, str], call_id: str, operation_id: str = "none") -> requests.Response:
    method, path, _ = route
    body = {"status": "recording", "clientContext": "onrecord:1"} if method == "POST" else None
    return bot.graph(method, path.format(call=call_id, operation=operation_id), json=body)


def test_no_route_is_left_out() -> None:
    assert {action for _, _, action in ROUTES} == set(GRAPH_ACTIONS)


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_answers_success_as_described(
    sandbox: Sandbox, bot: Browser, description: Description, route: tuple[str, str, str]
) -> None:
    call_id = sandbox.add_call(subject="Fixing")["call_id"]
    operation_id = send(bot, ROUTES[1], call_id).json()["id"]
    answer = send(bot, route, call_id, operation_id)
    assert answer.status_code == 200
    assert description.complaint_about_answer(answer) is None


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("code", KNOWN)
def test_every_route_answers_every_error_as_described(
    sandbox: Sandbox, bot: Browser, description: Description, route: tuple[str, str, str], code: str
) -> None:
    call_id = sandbox.add_call()["call_id"]
    sandbox.fault("error", code=code, retry_after="3")
    answer = send(bot, route, call_id)
    assert answer.status_code == KNOWN[code].status
    assert description.complaint_about_answer(answer) is None


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_refuses_strangers_and_ended_calls_as_described(
    sandbox: Sandbox, bot: Browser, description: Description, route: tuple[str, str, str]
) -> None:
    foreign = sandbox.add_call(tenant_id=sandbox.other_tenant_id)["call_id"]
    ended = sandbox.add_call()["call_id"]
    sandbox.end_call(ended)
    answers = [send(bot, route, foreign), send(bot, route, ended)]
    bot.session.headers["Authorization"] = "Bearer garbage"
    answers.append(send(bot, route, ended))
    assert [answer.status_code for answer in answers] == [403, 404, 401]
    assert [description.complaint_about_answer(answer) for answer in answers] == [None] * 3


def test_a_call_outside_a_policy_and_a_list_that_is_not_served_are_refused_as_described(
    sandbox: Sandbox, bot: Browser, description: Description
) -> None:
    call_id = sandbox.add_call(policy=False)["call_id"]
    sandbox.settings(list_operations=False)
    answers = [send(bot, ROUTES[1], call_id), send(bot, ROUTES[4], call_id), send(bot, ROUTES[3], call_id)]
    assert [answer.status_code for answer in answers] == [403, 404, 404]
    assert [description.complaint_about_answer(answer) for answer in answers] == [None] * 3


@pytest.mark.parametrize("behaviour", OUTCOMES)
def test_every_outcome_of_an_operation_is_described(
    sandbox: Sandbox, bot: Browser, description: Description, behaviour: dict[str, Any]
) -> None:
    call_id = sandbox.add_call(operations=behaviour)["call_id"]
    told = send(bot, ROUTES[1], call_id)
    read, listed = send(bot, ROUTES[3], call_id, told.json()["id"]), send(bot, ROUTES[4], call_id)
    assert told.json()["status"] == behaviour["status"]
    assert [description.complaint_about_answer(answer) for answer in (told, read, listed)] == [None] * 3


@pytest.mark.parametrize("final", ["completed", "failed"])
def test_an_operation_that_ends_later_is_described_at_both_times(
    sandbox: Sandbox, bot: Browser, description: Description, final: str
) -> None:
    call_id = sandbox.add_call(operations={"status": "running"})["call_id"]
    told = send(bot, ROUTES[1], call_id)
    sandbox.complete_operation(told.json()["id"], status=final, result={"code": 200, "subcode": 0, "message": None})
    read = send(bot, ROUTES[3], call_id, told.json()["id"])
    assert read.json()["status"] == final
    assert [description.complaint_about_answer(answer) for answer in (told, read)] == [None] * 2


@pytest.mark.parametrize("state", STATES)
def test_a_call_is_described_in_every_state(
    sandbox: Sandbox, bot: Browser, description: Description, state: str
) -> None:
    answer = send(bot, ROUTES[0], sandbox.add_call(state=state)["call_id"])
    assert answer.json()["state"] == state
    assert description.complaint_about_answer(answer) is None


@pytest.mark.parametrize("status", ["recording", "notRecording", "failed"])
def test_the_roster_is_described_whatever_teams_was_told(
    sandbox: Sandbox, bot: Browser, description: Description, status: str
) -> None:
    answer = send(bot, ROUTES[5], sandbox.add_call(recording_status=status)["call_id"])
    assert answer.json()["value"][1]["recordingInfo"]["recordingStatus"] == status
    assert description.complaint_about_answer(answer) is None


# -- what the stand-in gives though the description has no word for it, because it was seen in the wild


def test_an_operation_without_a_status_is_known_from_the_pages_only(
    sandbox: Sandbox, bot: Browser, description: Description
) -> None:
    answer = send(bot, ROUTES[1], sandbox.add_call(operations={"status": None})["call_id"])
    assert description.complaint_about_answer(answer)
    assert description.complaint_about_answer(with_body(answer, {**answer.json(), "status": "running"})) is None


@pytest.mark.parametrize("envelope", ["raw", "html", "empty"])
def test_the_other_envelopes_are_known_from_the_wild_only(
    sandbox: Sandbox, bot: Browser, description: Description, envelope: str
) -> None:
    sandbox.fault("error", code="7503", envelope=envelope)
    answer = send(bot, ROUTES[1], sandbox.add_call()["call_id"])
    assert description.complaint_about_answer(answer)


def test_garbage_is_found_out(sandbox: Sandbox, bot: Browser, description: Description) -> None:
    sandbox.fault("garbage")
    answer = send(bot, ROUTES[1], sandbox.add_call()["call_id"])
    assert description.complaint_about_answer(answer)


# -- the proof that these tests can fail


@pytest.mark.parametrize(
    "change",
    [{"status": "done"}, {"status": None}, {"id": 7}, {"resultInfo": {"code": "two hundred"}}, {"clientContext": 1}],
)
def test_a_forged_operation_is_refused(
    sandbox: Sandbox, bot: Browser, description: Description, change: dict[str, Any]
) -> None:
    answer = send(bot, ROUTES[1], sandbox.add_call()["call_id"])
    assert description.complaint_about_answer(answer) is None
    assert description.complaint_about_answer(with_body(answer, {**answer.json(), **change}))


def test_a_forged_call_and_a_forged_error_are_refused(sandbox: Sandbox, bot: Browser, description: Description) -> None:
    call = send(bot, ROUTES[0], sandbox.add_call()["call_id"])
    error = send(bot, ROUTES[0], "none")
    assert description.complaint_about_answer(with_body(call, {**call.json(), "state": "dancing"}))
    assert description.complaint_about_answer(with_body(error, {"error": {"message": "No code."}}))
    assert description.complaint_about_answer(with_body(error, {"fault": error.json()["error"]}))
