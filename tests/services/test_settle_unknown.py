"""What became of a correction whose answer was lost: invariant 3, step by step."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from recordings import services
from recordings.choices import OperationStatus
from recordings.graph.wire import parse_notifications
from recordings.ingest import ingest_notifications
from recordings.models import Call, Operation
from recordings.services import CorrectionRefused, Requester
from sandbox.defaults import TENANT_ID
from sandbox.server import Sandbox
from tests import cast
from tests.at_graph import UPDATE, posts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lost(sandbox: Sandbox, mira: User) -> Operation:
    """Graph acted, but its answer never came back."""
    return _wish_with(sandbox, mira, "close", when="after")


def _wish_with(sandbox: Sandbox, mira: User, fault: str, **options: object) -> Operation:
    now = timezone.now()
    sandbox.add_call(call_id="call-1", state="established")
    cast.call(at=now, capture="stopped", told="recording")
    cast.heartbeat(at=now, capture="stopped")
    call = Call.objects.get(graph_id="call-1")
    by = Requester.at_screen(mira)
    wish = services.request_correction(call, wish="notRecording", reason="the desk checked", by=by, now=now)
    sandbox.fault(fault, action=UPDATE, **options)
    return services.send_operation(wish.pk)


def settle(operation: Operation, *, after_seconds: float) -> Operation:
    """One look at the operation at a later moment, at which the recorder still says that capture stopped."""
    at = timezone.now() + timedelta(seconds=after_seconds)
    cast.recorder(now=at)
    Call.objects.filter(pk=operation.call_id).update(capture_at=at)
    return services.settle_unknown(operation.pk, clock=lambda: at)


def notify(operation: Operation, status: str = "completed", *, url: str = "", **resource: object) -> None:
    url = url or f"/communications/calls/{operation.call.graph_id}/operations/op-1"
    data = {
        "@odata.type": "#microsoft.graph.updateRecordingStatusOperation",
        "clientContext": operation.client_context,
        "status": status,
        "id": "op-1",
        **resource,
    }
    envelope = {"value": [{"changeType": "deleted", "resourceUrl": url, "resourceData": data}]}
    now = timezone.now()
    ingest_notifications(parse_notifications(envelope), tenant_id=TENANT_ID, message_id="", body=b"", now=now)


def test_a_the_notification_with_our_client_context_settles_it(lost: Operation) -> None:
    notify(lost)
    lost.refresh_from_db()
    assert lost.status == OperationStatus.COMPLETED
    assert Call.objects.get().recording_status == "notRecording"


def test_a_even_where_its_address_names_no_call_and_its_id_is_missing(lost: Operation) -> None:
    notify(lost, url="/communications/calls", id=None)
    lost.refresh_from_db()
    assert lost.status == OperationStatus.COMPLETED


def test_b_the_operation_is_asked_for_by_its_id(sandbox: Sandbox, mira: User) -> None:
    operation = _wish_with(sandbox, mira, "operation", operation={"status": "running"})
    sandbox.complete_operation(operation.graph_operation_id, notify=False)
    settled = settle(operation, after_seconds=5)
    assert settled.status == OperationStatus.COMPLETED
    assert [entry["action"] for entry in sandbox.log()][-1] == "getOperation"


def test_c_the_calls_operations_are_searched_for_our_context(sandbox: Sandbox, lost: Operation) -> None:
    sandbox.settings(list_operations=True)
    assert settle(lost, after_seconds=5).status == OperationStatus.COMPLETED
    assert len(posts(sandbox)) == 1


def test_c_failing_means_nothing(sandbox: Sandbox, lost: Operation) -> None:
    assert settle(lost, after_seconds=5).status == OperationStatus.UNKNOWN
    assert len(posts(sandbox)) == 1


def test_d_an_ended_call_leaves_it_unresolved(sandbox: Sandbox, lost: Operation) -> None:
    sandbox.end_call("call-1")
    assert settle(lost, after_seconds=5).status == OperationStatus.UNRESOLVED
    assert len(posts(sandbox)) == 1


def test_e_after_its_grace_it_is_repeated_once_with_the_same_context(sandbox: Sandbox, lost: Operation) -> None:
    assert settle(lost, after_seconds=70).status == OperationStatus.COMPLETED
    first, second = posts(sandbox)
    assert first["body"] == second["body"]
    assert first["client_request_id"] != second["client_request_id"]
    assert [attempt.is_repeat for attempt in lost.attempts.all()] == [False, True]


def test_e_is_not_done_against_the_recorders_fresh_word(sandbox: Sandbox, lost: Operation) -> None:
    cast.tell("capture.started", "call-1", at=timezone.now())
    assert settle(lost, after_seconds=70).status == OperationStatus.UNRESOLVED
    assert len(posts(sandbox)) == 1


def test_e_is_not_done_without_proof_or_a_second_person(sandbox: Sandbox, lost: Operation) -> None:
    at = timezone.now() + timedelta(minutes=5)
    assert services.settle_unknown(lost.pk, clock=lambda: at).status == OperationStatus.UNRESOLVED
    assert len(posts(sandbox)) == 1


def test_d_most_calls_not_found_in_one_pass_settles_nothing(
    sandbox: Sandbox, mira: User, caplog: pytest.LogCaptureFixture
) -> None:
    """Invariant 5: with the credential of another app every call would look gone."""
    now = timezone.now()
    by = Requester.at_screen(mira)
    for number in range(4):
        sandbox.add_call(call_id=f"call-{number}", state="established")
        call = cast.call(f"call-{number}", at=now, told="recording")
        sandbox.fault("close", when="after", action=UPDATE)
        wish = services.request_correction(call, wish="failed", reason="x", by=by, now=now)
        services.send_operation(wish.pk)
        sandbox.remove_call(f"call-{number}")
    at = now + timedelta(seconds=90)
    assert services.settle_due(at, clock=lambda: at) == 4
    assert "credential" in caplog.text
    assert not Call.objects.filter(gone_at__isnull=False).exists()
    assert set(Operation.objects.values_list("status", flat=True)) == {OperationStatus.UNKNOWN}


def test_e_two_settlers_who_overtake_each_other_make_one_repeat(
    sandbox: Sandbox, lost: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one decides while the first has sent its repeat: what it had seen is asked again under the lock."""
    decide = services.sending.try_at_wire

    def overtaken(key: UUID, **options: Any) -> None:
        decide(key, **options)
        sandbox.fault("close", when="after", action=UPDATE)
        decide(key, **options)

    monkeypatch.setattr("recordings.services.settling.try_at_wire", overtaken)
    sandbox.fault("close", when="after", action=UPDATE)
    settle(lost, after_seconds=70)
    assert len(posts(sandbox)) == 2
    assert lost.attempts.filter(is_repeat=True).count() == 1


def test_an_answer_that_speaks_of_another_operation_is_none(sandbox: Sandbox, mira: User) -> None:
    operation = _wish_with(sandbox, mira, "operation", operation={"status": "running"})
    other = {**sandbox.operations("call-1")[0]}
    Operation.objects.filter(pk=operation.pk).update(client_context="onrecord:not-what-graph-has")
    sandbox.complete_operation(other["operation_id"], notify=False)
    assert settle(operation, after_seconds=5).status == OperationStatus.RUNNING


def test_a_throttled_question_ends_the_walk_and_waits(sandbox: Sandbox, lost: Operation) -> None:
    asked_before = len(sandbox.log())
    sandbox.fault("error", status=429, retry_after="300", times=None, method="GET")
    at = timezone.now() + timedelta(seconds=5)
    services.settle_unknown(lost.pk, clock=lambda: at)
    lost.refresh_from_db()
    assert len(sandbox.log()) == asked_before + 1
    assert lost.send_after == at + timedelta(seconds=300)


def test_what_cannot_be_asked_for_good_ends_as_unresolved(sandbox: Sandbox, lost: Operation) -> None:
    sandbox.fault("error", status=403, code="7503", times=None, method="GET")
    assert settle(lost, after_seconds=5).status == OperationStatus.UNKNOWN
    assert settle(lost, after_seconds=70).status == OperationStatus.UNRESOLVED


def test_what_cannot_be_asked_for_a_day_ends_as_unresolved(sandbox: Sandbox, lost: Operation) -> None:
    sandbox.fault("error", status=503, times=None, method="GET")
    assert settle(lost, after_seconds=70).status == OperationStatus.UNKNOWN
    assert settle(lost, after_seconds=25 * 3600).status == OperationStatus.UNRESOLVED


def test_f_a_repeat_that_is_lost_too_is_left_to_a_person(sandbox: Sandbox, lost: Operation) -> None:
    sandbox.fault("close", when="after", action=UPDATE)
    assert settle(lost, after_seconds=70).status == OperationStatus.UNKNOWN
    assert settle(lost, after_seconds=200).status == OperationStatus.UNRESOLVED
    assert len(posts(sandbox)) == 2


def test_a_repeat_that_graph_refuses_proves_nothing_of_the_first(sandbox: Sandbox, lost: Operation) -> None:
    sandbox.fault("error", status=409, action=UPDATE)
    assert settle(lost, after_seconds=70).status == OperationStatus.UNRESOLVED


def test_a_repeat_that_never_left_stays_unknown(sandbox: Sandbox, lost: Operation) -> None:
    sandbox.fault("error", status=429, retry_after="60", action=UPDATE)
    assert settle(lost, after_seconds=70).status == OperationStatus.UNKNOWN


def test_an_operation_graph_is_still_at_is_waited_for_and_not_repeated(sandbox: Sandbox, mira: User) -> None:
    operation = _wish_with(sandbox, mira, "operation", operation={"status": "running"})
    assert settle(operation, after_seconds=5).status == OperationStatus.RUNNING
    assert settle(operation, after_seconds=90).status == OperationStatus.RUNNING
    sandbox.complete_operation(operation.graph_operation_id, notify=False)
    assert settle(operation, after_seconds=120).status == OperationStatus.COMPLETED
    assert len(posts(sandbox)) == 1


def test_an_operation_graph_does_not_finish_in_a_day_is_unresolved(sandbox: Sandbox, mira: User) -> None:
    operation = _wish_with(sandbox, mira, "operation", operation={"status": "running"})
    assert settle(operation, after_seconds=23 * 3600).status == OperationStatus.RUNNING
    assert settle(operation, after_seconds=25 * 3600).status == OperationStatus.UNRESOLVED
    assert len(posts(sandbox)) == 1


def test_graphs_late_word_settles_even_what_was_given_up(sandbox: Sandbox, lost: Operation) -> None:
    sandbox.end_call("call-1")
    settle(lost, after_seconds=5)
    notify(lost)
    lost.refresh_from_db()
    assert lost.status == OperationStatus.COMPLETED


def test_graphs_late_word_brings_no_call_back_to_life(sandbox: Sandbox, lost: Operation) -> None:
    sandbox.remove_call("call-1")
    settle(lost, after_seconds=5)
    assert Call.objects.get().gone_at is not None
    notify(lost)
    call = Call.objects.get()
    assert (call.recording_status, call.gone_at is None) == ("notRecording", False)


def test_graphs_late_word_does_not_undo_what_was_told_since(lost: Operation) -> None:
    cast.tell("status.told", "call-1", at=timezone.now(), status="failed")
    notify(lost)
    lost.refresh_from_db()
    assert lost.status == OperationStatus.COMPLETED
    assert Call.objects.get().recording_status == "failed"


def test_a_failed_notification_tells_the_call_nothing(lost: Operation) -> None:
    notify(lost, "Failed", resultInfo={"code": "500", "subcode": 7, "message": "DiagCode: 500#7"})
    lost.refresh_from_db()
    assert (lost.status, lost.result_code) == (OperationStatus.FAILED, "500")
    assert Call.objects.get().recording_status == "recording"


def test_the_notification_may_come_before_the_answer(sandbox: Sandbox, mira: User) -> None:
    operation = _wish_with(sandbox, mira, "operation", operation={"status": "running"})
    notify(operation)
    operation.refresh_from_db()
    finished_at = operation.finished_at
    notify(operation)
    operation.refresh_from_db()
    assert operation.finished_at == finished_at
    assert Call.objects.get().statuschange_set.filter(operation=operation).count() == 1


def test_nobody_asks_twice_at_once(lost: Operation) -> None:
    at = timezone.now() + timedelta(seconds=30)
    Operation.objects.filter(pk=lost.pk).update(leased_until=at + timedelta(seconds=30))
    services.settle_unknown(lost.pk, clock=lambda: at)
    lost.refresh_from_db()
    assert lost.leased_until == at + timedelta(seconds=30)


def test_a_person_may_close_it_as_unresolved_with_a_reason(lost: Operation, mira: User, olga: User) -> None:
    now = datetime.now(UTC)
    with pytest.raises(CorrectionRefused, match="needs a reason"):
        services.close_as_unresolved(lost, by=Requester.at_screen(mira), reason=" ", now=now)
    with pytest.raises(services.NotAllowed):
        services.close_as_unresolved(lost, by=Requester.at_screen(olga), reason="gave up", now=now)
    services.close_as_unresolved(lost, by=Requester.at_screen(mira), reason="gave up", now=now)
    lost.refresh_from_db()
    assert lost.status == OperationStatus.UNRESOLVED
    call = Call.objects.get()
    services.request_correction(call, wish="failed", reason="again", by=Requester.at_screen(mira), now=now)
