"""Which bodies the stand-in takes and refuses, beside what Microsoft's description says of them."""

from typing import Any

import pytest
import requests

from sandbox.server import Sandbox
from tests.conformance.description import Description
from tests.sandbox.clients import Browser

ACCEPTED: tuple[dict[str, Any], ...] = (
    {"status": "recording"},
    {"status": "notRecording", "clientContext": None},
    {"status": "failed", "clientContext": "onrecord:1"},
    {"status": "recording", "clientContext": "x" * 256},
)
REFUSED: tuple[Any, ...] = (
    {},
    [],
    "recording",
    {"status": None},
    {"status": "Recording!"},
    {"status": ["recording"]},
    {"clientContext": "onrecord:1"},
    {"status": "recording", "clientContext": 7},
    {"status": "recording", "clientContext": "x" * 257},
)


def post(sandbox: Sandbox, bot: Browser, body: Any) -> requests.Response:
    call_id = sandbox.add_call()["call_id"]
    return bot.graph("POST", f"{call_id}/updateRecordingStatus", json=body)


@pytest.mark.parametrize("body", ACCEPTED)
def test_what_the_stand_in_takes_microsoft_describes(
    sandbox: Sandbox, bot: Browser, description: Description, body: Any
) -> None:
    answer = post(sandbox, bot, body)
    assert answer.status_code == 200
    assert description.complaint_about_request(answer) is None


@pytest.mark.parametrize("body", REFUSED)
def test_what_the_stand_in_refuses_microsoft_does_not_describe(
    sandbox: Sandbox, bot: Browser, description: Description, body: Any
) -> None:
    answer = post(sandbox, bot, body)
    assert answer.status_code == 400
    assert description.complaint_about_request(answer)
    assert description.complaint_about_answer(answer) is None


@pytest.mark.parametrize("status", ["unknown", "unknownFutureValue"])
def test_members_of_the_enumeration_that_no_page_offers_for_sending_are_refused_on_purpose(
    sandbox: Sandbox, bot: Browser, description: Description, status: str
) -> None:
    answer = post(sandbox, bot, {"status": status})
    assert answer.status_code == 400
    assert description.complaint_about_request(answer) is None


def test_a_request_without_a_token_is_described_by_neither(
    sandbox: Sandbox, bot: Browser, description: Description
) -> None:
    del bot.session.headers["Authorization"]
    answer = post(sandbox, bot, {"status": "recording"})
    assert answer.status_code == 401
    assert description.complaint_about_request(answer)
    assert description.complaint_about_answer(answer) is None
