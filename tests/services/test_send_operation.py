"""Taking a stored wish to Graph: every way an answer can come, or not come."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from recordings import findings, ingest, ledger, services
from recordings.choices import AttemptOutcome, OperationStatus, Resolution
from recordings.graph.wire import GraphOperation
from recordings.models import AttemptResult, Call, Finding, LedgerEntry, Operation
from recordings.services import Requester
from sandbox.server import Sandbox
from tests import cast
from tests.at_graph import UPDATE, posts

pytestmark = pytest.mark.django_db(transaction=True)

type Caplog = pytest.LogCaptureFixture


@pytest.fixture
def wish(sandbox: Sandbox, mira: User) -> Operation:
    """Mira wants Teams to be told that call-1 is not recording, which its recorder has just said."""
    now = timezone.now()
    sandbox.add_call(call_id="call-1", state="established")
    cast.call(at=now, capture="stopped", told="recording")
    cast.heartbeat(at=now, capture="stopped")
    call = Call.objects.get(graph_id="call-1")
    return services.request_correction(
        call, wish="notRecording", reason="the desk checked", by=Requester.at_screen(mira), now=now
    )


def results(operation: Operation) -> list[str]:
    return list(
        AttemptResult.objects.filter(attempt__operation=operation)
        .order_by("attempt__number")
        .values_list("outcome", flat=True)
    )


def test_a_completed_answer_tells_the_call(sandbox: Sandbox, wish: Operation) -> None:
    operation = services.send_operation(wish.pk)
    assert operation.status == OperationStatus.COMPLETED
    assert operation.graph_operation_id
    call = Call.objects.get(graph_id="call-1")
    assert (call.recording_status, call.recording_status_source) == ("notRecording", "graph")
    change = call.statuschange_set.order_by("-id")[0]
    assert (change.old, change.new, change.operation_id) == ("recording", "notRecording", operation.pk)
    (post,) = posts(sandbox)
    assert post["client_request_id"] == str(operation.attempts.get().client_request_id)
    assert post["body"] == {"status": "notRecording", "clientContext": f"onrecord:{operation.pk}"}


def test_a_completed_answer_closes_the_finding_at_once(sandbox: Sandbox, wish: Operation) -> None:
    findings.sweep(timezone.now() + timedelta(seconds=31))
    services.send_operation(wish.pk)
    assert Finding.objects.get().resolution == Resolution.CONFIRMED_BY_GRAPH


def test_sending_twice_posts_once(sandbox: Sandbox, wish: Operation) -> None:
    services.send_operation(wish.pk)
    services.send_operation(wish.pk)
    assert len(posts(sandbox)) == 1


@pytest.mark.parametrize(
    ("word", "status"), [("running", "running"), ("notStarted", "notStarted"), (None, "notStarted")]
)
def test_an_operation_graph_has_only_begun_is_not_told_yet(
    sandbox: Sandbox, wish: Operation, word: str | None, status: str
) -> None:
    sandbox.fault("operation", operation={"status": word}, action=UPDATE)
    operation = services.send_operation(wish.pk)
    assert operation.status == status
    assert Call.objects.get().recording_status == "recording"


def test_an_operation_that_failed_at_graph_is_failed_here(sandbox: Sandbox, wish: Operation) -> None:
    sandbox.fault("operation", operation={"status": "Failed", "code": 500, "subcode": 1}, action=UPDATE)
    operation = services.send_operation(wish.pk)
    assert (operation.status, operation.result_code) == (OperationStatus.FAILED, "500")
    assert Call.objects.get().recording_status == "recording"


def test_a_401_renews_the_token_and_tries_once_more_as_a_second_attempt(sandbox: Sandbox, wish: Operation) -> None:
    sandbox.fault("error", status=401, action=UPDATE)
    operation = services.send_operation(wish.pk)
    assert operation.status == OperationStatus.COMPLETED
    assert results(operation) == [AttemptOutcome.REFUSED, AttemptOutcome.ACCEPTED]
    assert not operation.attempts.filter(is_repeat=True).exists()


def test_a_second_401_is_final(sandbox: Sandbox, wish: Operation) -> None:
    sandbox.fault("error", status=401, times=2, action=UPDATE)
    assert services.send_operation(wish.pk).status == OperationStatus.FAILED
    assert len(posts(sandbox)) == 2


def test_a_success_after_a_failed_try_carries_no_error_of_it(sandbox: Sandbox, wish: Operation) -> None:
    """Neither in the row nor in the ledger, which nobody could mend."""
    sandbox.fault("error", status=503, action=UPDATE)
    operation = services.send_operation(wish.pk)
    assert operation.result_code
    word = GraphOperation("op-1", "completed", operation.client_context, None)
    with transaction.atomic():
        ingest.take_operation(operation.call, operation, word, actor=operation.requested_by, now=timezone.now())
    operation.refresh_from_db()
    assert (operation.status, operation.result_code, operation.result_message) == ("completed", "", "")
    (entry,) = LedgerEntry.objects.filter(action="correction.settled")
    assert ledger.body_of(entry)["result_code"] == ""


def test_a_storm_of_429_without_a_wait_does_not_burn_the_tries(sandbox: Sandbox, wish: Operation) -> None:
    sandbox.fault("error", status=429, retry_after="-5", times=None, action=UPDATE)
    operation = services.send_operation(wish.pk)
    assert operation.status == OperationStatus.PENDING
    assert operation.attempts.count() == 3
    last = operation.attempts.order_by("-number")[0]
    assert operation.send_after == last.result.recorded_at + timedelta(seconds=4)


def test_most_calls_not_found_in_one_pass_sets_nothing(sandbox: Sandbox, mira: User, caplog: Caplog) -> None:
    """Invariant 5: the credential of another app would see just that."""
    at = timezone.now()
    for number in range(4):
        call = cast.call(f"call-{number}", at=at, told="recording")
        by = Requester.at_screen(mira)
        services.request_correction(call, wish="failed", reason="x", by=by, now=at)
    assert services.send_due(at + timedelta(seconds=60)) == 4
    assert "credential" in caplog.text
    assert not Call.objects.filter(gone_at__isnull=False).exists()
    assert Operation.objects.filter(status=OperationStatus.PENDING).count() == 4
    assert posts(sandbox) == []


def test_a_row_that_breaks_does_not_keep_the_others_from_their_turn(
    sandbox: Sandbox, mira: User, monkeypatch: pytest.MonkeyPatch, caplog: Caplog
) -> None:
    at = timezone.now()
    for number in range(2):
        sandbox.add_call(call_id=f"call-{number}", state="established")
        call = cast.call(f"call-{number}", at=at, told="recording")
        services.request_correction(call, wish="failed", reason="x", by=Requester.at_screen(mira), now=at)
    first = Operation.objects.order_by("id")[0]
    send = services.sending.send_operation

    def breaking(key: UUID, **options: Any) -> Operation:
        if key == first.pk:
            raise RuntimeError("broken row")
        return send(key, **options)

    monkeypatch.setattr(services.sending, "send_operation", breaking)
    services.send_due(at + timedelta(seconds=60))
    assert "broken row" in caplog.text
    assert sorted(Operation.objects.values_list("status", flat=True)) == ["completed", "pending"]


def test_a_short_retry_after_is_sat_out(sandbox: Sandbox, wish: Operation) -> None:
    sandbox.fault("error", status=429, retry_after="0", action=UPDATE)
    operation = services.send_operation(wish.pk)
    assert results(operation) == [AttemptOutcome.THROTTLED, AttemptOutcome.ACCEPTED]
    assert operation.status == OperationStatus.COMPLETED


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [("120", 110, 121), ("86400", 3_500, 3_601), ("rubbish", 0, 61), (None, 0, 61)],
)
def test_a_long_retry_after_is_left_to_the_worker_and_bounded(
    sandbox: Sandbox, wish: Operation, retry_after: str | None, least: int, most: int
) -> None:
    sandbox.fault("error", status=429, retry_after=retry_after, action=UPDATE)
    operation = services.send_operation(wish.pk)
    assert operation.status == OperationStatus.PENDING
    assert operation.send_after is not None
    wait = operation.send_after - operation.attempts.get().result.recorded_at
    assert timedelta(seconds=least) <= wait <= timedelta(seconds=most)


@pytest.mark.parametrize("status", [400, 403, 409, 412])
def test_a_refusal_is_failed_and_never_repeated(sandbox: Sandbox, wish: Operation, status: int) -> None:
    sandbox.fault("error", status=status, code="7504", action=UPDATE)
    operation = services.send_operation(wish.pk)
    assert (operation.status, operation.result_code) == (OperationStatus.FAILED, "7504")
    assert services.send_due(timezone.now() + timedelta(days=1)) == 0
    assert len(posts(sandbox)) == 1


def test_8506_marks_the_call_as_no_recording_call(sandbox: Sandbox, wish: Operation) -> None:
    sandbox.fault("error", status=403, code="8506", action=UPDATE)
    assert services.send_operation(wish.pk).status == OperationStatus.FAILED
    call = Call.objects.get()
    assert call.is_policy_call is False
    change = call.statuschange_set.get(field="is_policy_call")
    assert (change.old, change.new) == ("yes", "no")
    cast.tell("call.joined", "call-1", at=timezone.now(), tenantId=call.tenant_id, isPolicyCall=True)
    call.refresh_from_db()
    assert call.is_policy_call is False, "a late word of joining does not undo Graph's refusal"


def test_a_404_to_the_post_marks_the_call_gone_and_does_not_end_it(sandbox: Sandbox, wish: Operation) -> None:
    sandbox.fault("error", status=404, code="8522", action=UPDATE)
    assert services.send_operation(wish.pk).status == OperationStatus.FAILED
    call = Call.objects.get()
    assert call.gone_at is not None
    assert call.ended_at is None


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_408_and_every_5xx_are_unknown_never_a_guess(sandbox: Sandbox, wish: Operation, status: int) -> None:
    sandbox.fault("error", status=status, action=UPDATE)
    operation = services.send_operation(wish.pk)
    assert operation.status == OperationStatus.UNKNOWN
    assert Call.objects.get().recording_status == "recording"
    assert len(posts(sandbox)) == 1


@pytest.mark.parametrize("fault", ["close", "garbage", "half"])
def test_an_answer_that_is_cut_or_unreadable_is_unknown(sandbox: Sandbox, wish: Operation, fault: str) -> None:
    sandbox.fault(fault, when="after", action=UPDATE)
    assert services.send_operation(wish.pk).status == OperationStatus.UNKNOWN


def test_an_answer_after_the_deadline_is_unknown(sandbox: Sandbox, wish: Operation, settings: Settings) -> None:
    settings.GRAPH_TIMEOUT, settings.GRAPH_DEADLINE = "1,1", 2.0
    sandbox.fault("hang", when="after", action=UPDATE)
    operation = services.send_operation(wish.pk)
    assert operation.status == OperationStatus.UNKNOWN
    assert operation.attempts.get().result.outcome == AttemptOutcome.UNKNOWN


def test_what_never_left_stays_pending_without_an_attempt(wish: Operation, settings: Settings) -> None:
    settings.GRAPH_BASE_URL = "https://localhost:9/v1.0"
    operation = services.send_operation(wish.pk)
    assert operation.status == OperationStatus.PENDING
    assert operation.send_after is not None
    assert operation.attempts.count() == 0
    assert "Not sent yet" in operation.result_message


def test_a_refused_sign_in_fails_without_an_attempt(wish: Operation, settings: Settings) -> None:
    settings.GRAPH_CLIENT_SECRET = "wrong"
    operation = services.send_operation(wish.pk)
    assert operation.status == OperationStatus.FAILED
    assert "Nothing was sent" in operation.result_message
    assert operation.attempts.count() == 0


def test_a_call_that_ended_meanwhile_is_cancelled_before_anything_is_sent(sandbox: Sandbox, wish: Operation) -> None:
    sandbox.end_call("call-1")
    operation = services.send_operation(wish.pk)
    assert operation.status == OperationStatus.CANCELLED
    assert posts(sandbox) == []
    assert Call.objects.get().gone_at is not None


def test_a_recorder_that_started_again_meanwhile_stops_the_wish(sandbox: Sandbox, wish: Operation) -> None:
    cast.tell("capture.started", "call-1", at=timezone.now())
    operation = services.send_operation(wish.pk)
    assert operation.status == OperationStatus.CANCELLED
    assert "Stop the recorder first" in operation.result_message
    assert posts(sandbox) == []


def test_a_wish_whose_proof_has_grown_old_waits_for_a_second_person(sandbox: Sandbox, wish: Operation) -> None:
    later = timezone.now() + timedelta(minutes=5)
    operation = services.send_operation(wish.pk, clock=lambda: later)
    assert operation.status == OperationStatus.AWAITING_APPROVAL
    assert posts(sandbox) == []


def test_the_worker_leaves_a_fresh_wish_to_the_process_that_was_asked(sandbox: Sandbox, wish: Operation) -> None:
    assert services.send_due(timezone.now()) == 0
    at: datetime = timezone.now() + timedelta(seconds=40)
    cast.heartbeat(at=timezone.now(), capture="stopped")
    assert services.send_due(at) == 1
    wish.refresh_from_db()
    assert wish.status == OperationStatus.COMPLETED


def test_every_post_has_exactly_one_attempt(sandbox: Sandbox, wish: Operation) -> None:
    sandbox.fault("error", status=401, action=UPDATE)
    sandbox.fault("error", status=429, retry_after="0", action=UPDATE)
    operation = services.send_operation(wish.pk)
    sent = [str(post["client_request_id"]) for post in posts(sandbox)]
    assert sorted(sent) == sorted(str(attempt.client_request_id) for attempt in operation.attempts.all())
    assert len(set(sent)) == 3
