"""manage.py correct_status: one exit code for each way a correction can go."""

import os

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.utils import timezone

from recordings.choices import ActorKind, LedgerAction
from recordings.models import LedgerEntry, Operation
from sandbox.server import Sandbox
from tests import cast
from tests.commands.running import Done, run
from tests.processes import environment, manage

pytestmark = pytest.mark.django_db(transaction=True)

UPDATE = "updateRecordingStatus"


@pytest.fixture(autouse=True)
def stuck(sandbox: Sandbox, mira: User, ada: User) -> None:
    """call-1 is captured, its recorder has just said so, and Teams was told otherwise."""
    now = timezone.now()
    sandbox.add_call(call_id="call-1", state="established")
    cast.call(at=now, capture="started", told="notRecording")
    cast.heartbeat(at=now, capture="capturing")


def correct(status: str = "recording", *, who: str = "mira", reason: str = "it is captured") -> Done:
    return run("correct_status", "call-1", status, "--reason", reason, "--actor", who, "--json")


def test_0_a_confirmed_correction(sandbox: Sandbox) -> None:
    done = correct()
    assert done.code == 0
    assert done.json["outcome"] == "completed"
    operation = Operation.objects.get()
    assert done.json["operation"] == str(operation.pk)
    assert done.json["graph_operation_id"] == operation.graph_operation_id
    assert operation.requested_by.kind == ActorKind.SHELL
    assert operation.requested_by.label.endswith(" for mira")


def test_3_a_lost_answer(sandbox: Sandbox) -> None:
    sandbox.fault("close", action=UPDATE, when="after")
    done = correct()
    assert (done.code, done.json["outcome"]) == (3, "unknown")
    assert "Do not send it again" in done.json["message"]


def test_3_an_operation_graph_has_not_finished(sandbox: Sandbox) -> None:
    sandbox.fault("operation", operation={"status": "running"}, action=UPDATE)
    done = correct()
    assert (done.code, done.json["outcome"]) == (3, "onTheWire")


def test_3_a_wish_that_could_not_leave_yet(sandbox: Sandbox) -> None:
    sandbox.fault("error", status=429, retry_after="30", times=None)
    done = correct()
    assert (done.code, done.json["outcome"]) == (3, "notSent")
    assert "Nothing was sent yet" in done.json["message"]


def test_4_the_recorders_fresh_word_stands_against_it(sandbox: Sandbox) -> None:
    done = correct("notRecording")
    assert (done.code, done.json["outcome"]) == (4, "refusedByOnRecord")
    assert done.json["why"] == "The recorder says it is capturing. Stop the recorder first."
    assert LedgerEntry.objects.filter(action=LedgerAction.CORRECTION_REFUSED).count() == 1
    assert not Operation.objects.exists()


def test_4_an_auditor_may_not_correct(sandbox: Sandbox) -> None:
    done = correct(who="ada")
    assert done.code == 4
    assert "does not include the right to correct" in done.json["why"]


def test_5_graph_refuses_with_code_explanation_and_request_id(sandbox: Sandbox) -> None:
    sandbox.fault("error", status=403, code="7505", action=UPDATE)
    done = correct()
    assert (done.code, done.json["outcome"]) == (5, "refusedByGraph")
    assert done.json["code"] == "7505"
    assert done.json["explanation"]
    assert done.json["request_id"]


def test_5_graph_took_it_and_it_failed(sandbox: Sandbox) -> None:
    sandbox.fault("operation", operation={"status": "failed", "code": 500, "subcode": 7001}, action=UPDATE)
    done = correct()
    assert done.code == 5
    assert done.json["operation_status"] == "failed"


def test_6_a_second_person_is_needed(sandbox: Sandbox) -> None:
    cast.call("call-2", at=timezone.now())
    sandbox.add_call(call_id="call-2", state="established")
    done = run("correct_status", "call-2", "recording", "--reason", "the desk says so", "--actor", "mira", "--json")
    assert (done.code, done.json["outcome"]) == (6, "waitingForApproval")
    assert "second person" in done.json["message"]
    assert not [entry for entry in sandbox.log() if entry["method"] == "POST"]


def test_without_json_refusals_are_one_sentence_on_the_error_stream(sandbox: Sandbox) -> None:
    done = run("correct_status", "call-1", "notRecording", "--reason", "wrong", "--actor", "mira")
    assert (done.code, done.out) == (4, "")
    assert "Stop the recorder first." in done.err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("call-9", "recording", "--reason", "x", "--actor", "mira"), "No call 'call-9'"),
        (("call-1", "recording", "--reason", "x", "--actor", "nobody"), "no active user 'nobody'"),
    ],
)
def test_what_is_not_there_is_named(words: tuple[str, ...], named: str) -> None:
    with pytest.raises(CommandError, match=named):
        run("correct_status", *words)
    assert not Operation.objects.exists()


def test_a_script_sees_the_exit_code_and_one_json_object(sandbox: Sandbox) -> None:
    words = ("correct_status", "call-1", "notRecording", "--reason", "wrong", "--actor", "mira", "--json")
    process = manage(*words, env=environment(sandbox, PYTHONWARNINGS=os.environ.get("PYTHONWARNINGS", "")))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 4, err
    assert out.startswith("{")
    assert out.count("\n") == 1
