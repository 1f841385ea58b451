"""manage.py show_call: everything known of one call, the three kept apart."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.utils import timezone

from recordings import findings, services
from recordings.models import Call
from recordings.services import Requester
from sandbox.server import Sandbox
from tests import cast
from tests.commands.running import run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def stuck(sandbox: Sandbox, mira: User) -> None:
    now = timezone.now()
    sandbox.add_call(call_id="call-1", state="established")
    cast.call(at=now, capture="started", told="notRecording")
    findings.sweep(now)
    cast.heartbeat(at=now, capture="capturing")
    by, call = Requester.at_screen(mira), Call.objects.get()
    services.send_operation(
        services.request_correction(call, wish="recording", reason="it is captured", by=by, now=now).pk
    )


def test_as_json() -> None:
    shown = run("show_call", "call-1", "--json").json
    assert shown["call"]["graph_id"] == "call-1"
    assert shown["captured"]["state"] == "capturing"
    assert (shown["told"]["status"], shown["told"]["source"]) == ("recording", "graph")
    assert shown["evidence"]["state"] == "established"
    assert [change["new"] for change in shown["changes"] if change["field"] == "recording_status"] == [
        "notRecording",
        "recording",
    ]
    (operation,) = shown["operations"]
    assert (operation["status"], operation["requested_by"], operation["reason"]) == (
        "completed",
        "mira",
        "it is captured",
    )
    (attempt,) = operation["attempts"]
    assert (attempt["number"], attempt["outcome"]) == (1, "accepted")
    assert attempt["request_id"]
    (finding,) = shown["findings"]
    assert (finding["rule"], finding["resolution"]) == ("R3", "confirmedByGraph")
    assert finding["resolved_at"]


def test_an_open_finding_has_its_sentence() -> None:
    ago = timezone.now() - timedelta(minutes=5)
    cast.call("call-2", at=ago, told="recording", ended_at=ago)
    findings.sweep(timezone.now())
    (finding,) = run("show_call", "call-2", "--json").json["findings"]
    assert (finding["rule"], finding["resolved_at"]) == ("R7", None)
    assert finding["sentence"]


def test_for_people() -> None:
    shown = run("show_call", "call-1").out
    assert "captured:\n  state=capturing" in shown
    assert "told:\n  status=recording" in shown
    assert "    attempt: number=1" in shown
    with pytest.raises(json.JSONDecodeError):
        json.loads(shown)


def test_an_unknown_call_is_named() -> None:
    with pytest.raises(CommandError, match="No call 'call-9'"):
        run("show_call", "call-9")
