"""What can go wrong on the way, and that the log tells what really happened."""

import threading
from datetime import timedelta
from typing import Any

import pytest
import requests
import time_machine

from sandbox.messages import RefusedError
from sandbox.server import Sandbox
from tests.sandbox.clients import Browser

SHORT = (3, 0.3)


@pytest.fixture
def call_id(sandbox: Sandbox) -> str:
    return str(sandbox.add_call()["call_id"])


def told(sandbox: Sandbox, call_id: str) -> Any:
    return sandbox.call(call_id)["recording_status"]


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"code": "7503"}, 403, "7503"),
        ({"code": "7504"}, 403, "7504"),
        ({"code": "8506", "status": 400}, 400, "8506"),
        ({"status": 401}, 401, "InvalidAuthenticationToken"),
        ({"status": 409}, 409, "Conflict"),
        ({"status": 429}, 429, "TooManyRequests"),
        ({"status": 500}, 500, "InternalServerError"),
        ({"status": 503}, 503, "ServiceUnavailable"),
        ({"status": 504}, 504, "GatewayTimeout"),
        ({"status": 418}, 418, "UnknownError"),
        ({}, 503, "ServiceUnavailable"),
    ],
)
def test_an_error_is_answered_once_and_nothing_is_done(
    sandbox: Sandbox, bot: Browser, call_id: str, options: dict[str, Any], status: int, code: str
) -> None:
    sandbox.fault("error", **options)
    answer = bot.tell(call_id, headers={"client-request-id": "mine"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["innerError"]["client-request-id"] == "mine"
    assert told(sandbox, call_id) is None
    assert bot.tell(call_id).status_code == 200


def test_a_fault_may_last_for_a_while_only(sandbox: Sandbox, bot: Browser, call_id: str) -> None:
    sandbox.fault("error", status=503, times=None, lasts=60)
    assert [bot.tell(call_id).status_code for _ in range(2)] == [503, 503]
    with time_machine.travel(timedelta(seconds=61)):
        assert bot.tell(call_id).status_code == 200
        assert sandbox.faults() == []


@pytest.mark.parametrize("value", ["7", "-1", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", ""])
def test_retry_after_says_whatever_it_is_told_to(sandbox: Sandbox, bot: Browser, call_id: str, value: str) -> None:
    sandbox.fault("error", status=429, retry_after=value)
    assert bot.tell(call_id).headers["Retry-After"] == value


def test_an_error_can_come_in_the_raw_envelope_as_a_page_or_empty(sandbox: Sandbox, bot: Browser, call_id: str) -> None:
    sandbox.fault("error", code="7503", envelope="raw", message="No.")
    assert bot.tell(call_id).json() == {"errorCode": "7503", "message": "No.", "instanceAnnotations": []}
    sandbox.fault("error", status=502, envelope="html")
    assert bot.tell(call_id).text.startswith("<html>")
    sandbox.fault("error", status=500, envelope="empty")
    assert bot.tell(call_id).content == b""


def test_an_error_after_acting_hides_that_it_happened(sandbox: Sandbox, bot: Browser, call_id: str) -> None:
    sandbox.fault("error", status=504, when="after")
    assert bot.tell(call_id).status_code == 504
    assert told(sandbox, call_id) == "recording"
    assert sandbox.log()[-1]["acted"]


def test_a_redirect_is_an_error_with_a_header(sandbox: Sandbox, bot: Browser, call_id: str) -> None:
    sandbox.fault("error", status=307, headers={"Location": "https://elsewhere.invalid/"})
    answer = bot.tell(call_id, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (307, "https://elsewhere.invalid/")


@pytest.mark.parametrize(("when", "happened"), [("before", None), ("after", "recording")])
def test_the_connection_can_close_before_or_after_the_deed(
    sandbox: Sandbox, bot: Browser, call_id: str, when: str, happened: str | None
) -> None:
    sandbox.fault("close", when=when)
    with pytest.raises(requests.ConnectionError):
        bot.tell(call_id)
    entry = sandbox.log()[-1]
    assert told(sandbox, call_id) == happened
    assert (entry["answered"], entry["cut"], entry["acted"]) == (None, "closed", happened is not None)


def test_half_an_answer_is_no_answer_though_the_deed_is_done(sandbox: Sandbox, bot: Browser, call_id: str) -> None:
    sandbox.fault("half")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        bot.tell(call_id)
    assert told(sandbox, call_id) == "recording"
    assert sandbox.log()[-1]["cut"] == "half"


def test_a_success_can_be_unreadable_or_endless(sandbox: Sandbox, bot: Browser, call_id: str) -> None:
    sandbox.fault("garbage")
    sandbox.fault("garbage", size=2_000_000)
    first, second = bot.tell(call_id), bot.tell(call_id)
    assert first.status_code == 200
    with pytest.raises(ValueError, match="Unterminated string"):
        first.json()
    assert len(second.content) > 2_000_000
    assert told(sandbox, call_id) == "recording"


def test_an_answer_can_drip(sandbox: Sandbox, bot: Browser, call_id: str) -> None:
    sandbox.fault("drip", seconds=0.001)
    assert bot.tell(call_id).json()["status"] == "completed"
    assert sandbox.log()[-1]["cut"] == "drip"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_hanging_request_is_held_until_it_is_released(
    sandbox: Sandbox, bot: Browser, call_id: str, when: str
) -> None:
    sandbox.fault("hang", when=when)
    answers: list[requests.Response] = []
    thread = threading.Thread(target=lambda: answers.append(bot.tell(call_id)))
    thread.start()
    assert sandbox.wait_for_hanging()
    assert sandbox.state()["hanging"] == 1
    assert sandbox.log()[-1]["answered"] is None
    assert (told(sandbox, call_id) == "recording") is (when == "after")
    assert sandbox.release() == 1
    thread.join()
    assert answers[0].status_code == 200
    assert told(sandbox, call_id) == "recording"


def test_the_deed_happens_though_nobody_waits_for_the_answer(sandbox: Sandbox, bot: Browser, call_id: str) -> None:
    sandbox.fault("hang", when="after")
    with pytest.raises(requests.ReadTimeout):
        bot.tell(call_id, timeout=SHORT)
    assert told(sandbox, call_id) == "recording"
    assert sandbox.log()[-1]["acted"]


def test_a_delay_only_costs_time(sandbox: Sandbox, bot: Browser, call_id: str) -> None:
    for when in ("before", "after"):
        sandbox.fault("delay", when=when, seconds=0.01)
        assert bot.tell(call_id).status_code == 200
    assert len(sandbox.operations(call_id)) == 2


def test_a_fault_meets_only_what_it_was_meant_for(sandbox: Sandbox, bot: Browser, call_id: str) -> None:
    other = sandbox.add_call()["call_id"]
    sandbox.fault("error", call_id=other, times=None)
    sandbox.fault("error", method="POST", action="updateRecordingStatus", call_id=call_id, times=2, status=500)
    assert bot.graph("GET", call_id).status_code == 200
    assert [bot.tell(call_id).status_code for _ in range(3)] == [500, 500, 200]
    assert [bot.tell(other).status_code for _ in range(3)] == [503, 503, 503]
    sandbox.clear_faults()
    assert bot.tell(other).status_code == 200


def test_the_token_endpoint_fails_only_by_name(sandbox: Sandbox) -> None:
    sandbox.fault("error", status=503)
    sandbox.fault("error", action="token", status=500)
    with Browser(sandbox) as browser:
        assert browser.ask_for_token().status_code == 500
        assert browser.ask_for_token().status_code == 200


@pytest.mark.parametrize(
    "options",
    [
        {"do": "nonsense"},
        {"do": "error", "when": "sometimes"},
        {"do": "error", "envelope": "brown"},
        {"do": "error", "colour": "red"},
        {"do": "error", "action": "dance"},
        {"do": "operation", "operation": {"mood": "bad"}},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(sandbox: Sandbox, options: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        sandbox.fault(**options)
    assert sandbox.faults() == []


def test_the_log_has_every_graph_request_in_order_and_no_token(sandbox: Sandbox, bot: Browser, call_id: str) -> None:
    bot.graph("GET", call_id)
    bot.tell(call_id, "recording", "onrecord:9", headers={"client-request-id": "mine"})
    bot.graph("GET", "no-such-call")
    log = sandbox.log()
    assert [(each["action"], each["answered"]) for each in log] == [
        ("getCall", 200),
        ("updateRecordingStatus", 200),
        ("getCall", 404),
    ]
    assert log[1]["body"] == {"status": "recording", "clientContext": "onrecord:9"}
    assert log[1]["client_request_id"] == "mine"
    assert str(bot.session.headers["Authorization"]).removeprefix("Bearer ") not in str(log)
