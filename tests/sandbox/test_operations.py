"""Operations that take their time, fail, or never come to an end."""

from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.sandbox.clients import Browser, Receiver


def test_a_running_operation_completes_later_by_notification(
    sandbox: Sandbox, bot: Browser, receiver: Receiver
) -> None:
    call_id = sandbox.add_call(operations={"status": "running", "then": "completed", "after": 0.05})["call_id"]
    operation = bot.tell(call_id, "recording", "onrecord:3").json()
    assert operation["status"] == "running"
    notice = receiver.next().first
    assert notice["changeType"] == "deleted"
    assert notice["resourceUrl"] == f"/communications/calls/{call_id}/operations/{operation['id']}"
    assert notice["resourceData"] == {**operation, "status": "completed"}
    assert sandbox.call(call_id)["recording_status"] == "recording"
    assert bot.graph("GET", f"{call_id}/operations/{operation['id']}").json()["status"] == "completed"


@pytest.mark.parametrize("status", ["running", "notStarted", None])
def test_an_operation_stays_open_until_somebody_completes_it(
    sandbox: Sandbox, bot: Browser, receiver: Receiver, status: str | None
) -> None:
    call_id = sandbox.add_call()["call_id"]
    sandbox.fault("operation", operation={"status": status})
    operation = bot.tell(call_id).json()
    assert operation["status"] == status
    assert sandbox.call(call_id)["recording_status"] is None
    sandbox.complete_operation(operation["id"])
    assert receiver.next().first["resourceData"]["status"] == "completed"
    assert sandbox.call(call_id)["recording_status"] == "recording"
    assert bot.tell(call_id).json()["status"] == "completed", "the fault was for one operation only"


@pytest.mark.parametrize(
    "behaviour",
    [
        {"status": "failed", "code": 500, "subcode": 7, "message": "DiagCode: 500#7"},
        {"status": "running", "then": "failed", "code": 500, "subcode": 7, "message": "DiagCode: 500#7"},
    ],
)
def test_an_operation_can_fail_now_or_later(
    sandbox: Sandbox, bot: Browser, receiver: Receiver, behaviour: dict[str, Any]
) -> None:
    call_id = sandbox.add_call(operations=behaviour)["call_id"]
    answered = bot.tell(call_id).json()
    final = receiver.next().first["resourceData"] if "then" in behaviour else answered
    assert final["status"] == "failed"
    assert final["resultInfo"] == {"code": 500, "subcode": 7, "message": "DiagCode: 500#7"}
    assert sandbox.call(call_id)["recording_status"] is None


def test_an_operation_can_end_without_a_word(sandbox: Sandbox, bot: Browser, receiver: Receiver) -> None:
    call_id = sandbox.add_call()["call_id"]
    sandbox.fault("operation", operation={"status": "running"})
    operation = bot.tell(call_id).json()
    sandbox.complete_operation(operation["id"], notify=False)
    assert bot.graph("GET", f"{call_id}/operations/{operation['id']}").json()["status"] == "completed"
    assert sandbox.deliveries() == []


def test_a_notification_can_leave_out_which_operation_it_means(
    sandbox: Sandbox, bot: Browser, receiver: Receiver
) -> None:
    call_id = sandbox.add_call()["call_id"]
    operation = bot.tell(call_id, "recording", "onrecord:5").json()
    sandbox.notify(call_id, kind="operation", operation_id=operation["id"], without_operation_id=True)
    notice = receiver.next().first
    assert operation["id"] not in str(notice)
    assert notice["resourceData"]["clientContext"] == "onrecord:5"


def test_statuses_can_be_spelt_as_the_schema_spells_them(sandbox: Sandbox, bot: Browser) -> None:
    call_id = sandbox.add_call()["call_id"]
    sandbox.fault("operation", operation={"status": "Completed"})
    assert bot.tell(call_id).json()["status"] == "Completed"
    assert sandbox.call(call_id)["recording_status"] == "recording"
    sandbox.settings(pascal_case=True)
    assert bot.tell(call_id).json()["status"] == "Completed"
