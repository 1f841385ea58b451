"""The control endpoint, as curl meets it."""

import pytest

from sandbox.server import Sandbox
from tests.sandbox.clients import Browser


@pytest.fixture
def curl(sandbox: Sandbox, bot: Browser) -> Browser:
    return bot


def test_a_call_is_added_changed_ended_and_removed(sandbox: Sandbox, curl: Browser) -> None:
    call = curl.send("POST", "/control/calls", json={"state": "incoming", "subject": "Fixing"}).json()
    path = f"/control/calls/{call['call_id']}"
    assert curl.send("PATCH", path, json={"state": "established"}).json()["state"] == "established"
    ended = curl.send("POST", f"{path}/end", json={"code": 200, "subcode": 4521}).json()
    assert (ended["state"], ended["result"]["subcode"], ended["subject"]) == ("terminated", 4521, "Fixing")
    assert curl.send("GET", "/control/calls").json() == [ended]
    assert curl.send("DELETE", path).status_code == 200
    assert curl.send("GET", path).status_code == 404


def test_faults_are_asked_for_listed_and_taken_back(sandbox: Sandbox, curl: Browser) -> None:
    curl.send("POST", "/control/faults", json={"do": "error", "status": 429, "retry_after": "3"})
    assert curl.send("GET", "/control/faults").json()[0]["retry_after"] == "3"
    curl.send("DELETE", "/control/faults")
    assert curl.send("GET", "/control/faults").json() == []


def test_an_operation_is_completed_and_the_log_is_read(sandbox: Sandbox, curl: Browser) -> None:
    call_id = sandbox.add_call(operations={"status": "running"})["call_id"]
    operation = curl.tell(call_id).json()
    path = f"/control/operations/{operation['id']}/complete"
    done = curl.send("POST", path, json={"status": "failed", "result": {"code": 500, "subcode": 0}}).json()
    assert (done["status"], done["result"]["code"]) == ("failed", 500)
    assert curl.send("GET", f"/control/calls/{call_id}/operations").json() == [done]
    assert [each["action"] for each in curl.send("GET", "/control/log").json()] == ["updateRecordingStatus"]


def test_settings_are_read_and_changed(sandbox: Sandbox, curl: Browser) -> None:
    assert curl.send("POST", "/control/settings", json={"token_lifetime": 5}).json()["token_lifetime"] == 5
    assert curl.send("GET", "/control/settings").json()["token_lifetime"] == 5
    curl.send("POST", "/control/reset")
    assert curl.send("GET", "/control/settings").json()["token_lifetime"] == 3600


def test_a_reset_forgets_everything_but_the_keys(sandbox: Sandbox, curl: Browser) -> None:
    call_id = sandbox.add_call()["call_id"]
    curl.tell(call_id)
    sandbox.fault("close", times=None, call_id=call_id)
    curl.send("POST", "/control/reset")
    assert curl.send("GET", "/control/state").json() == {"calls": 0, "hanging": 0, "faults": []}
    assert (sandbox.log(), sandbox.operations()) == ([], [])
    assert curl.tell(call_id).status_code == 404, "the token still opens the door"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "calls", "{", 400),
        ("POST", "calls", "[]", 400),
        ("POST", "calls", '{"colour": "red"}', 400),
        ("POST", "faults", "{}", 400),
        ("POST", "faults", '{"do": "nothing"}', 400),
        ("POST", "certificates", '{"pem": "no"}', 400),
        ("POST", "keys/rotate", '{"which": "car"}', 400),
        ("POST", "operations/none/complete", "{}", 404),
        ("PATCH", "calls/none", "{}", 404),
        ("POST", "settings", '{"mood": "bad"}', 400),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    sandbox: Sandbox, curl: Browser, method: str, path: str, body: str, status: int
) -> None:
    answer = curl.send(method, f"/control/{path}", data=body)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_paths_and_methods_that_graph_does_not_have_are_refused(sandbox: Sandbox, curl: Browser) -> None:
    assert curl.send("GET", "/v1.0/users").status_code == 400
    assert curl.graph("DELETE", "some-call").status_code == 405
