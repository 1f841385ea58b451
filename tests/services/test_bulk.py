"""One wish for many calls: worked off in batches, stopped, tried again; every selected call accounted for."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from recordings import findings, ledger, services
from recordings.choices import BulkItemStatus, LedgerAction, OperationStatus, Resolution, RootCause
from recordings.ledger.verifying import verify_all
from recordings.models import Attempt, BulkItem, BulkJob, Call, Finding, LedgerEntry, Operation, RequestBudget
from recordings.services import BulkRefused, NotAllowed, Requester, Selection, budget, connection
from sandbox.server import Sandbox
from tests import cast, ledgers
from tests.at_graph import UPDATE, posts

pytestmark = pytest.mark.django_db(transaction=True)

DONE, FAILED, OPEN = BulkItemStatus.DONE, BulkItemStatus.FAILED, BulkItemStatus.OPEN


def stopped_calls(sandbox: Sandbox, *names: str) -> None:
    """Live calls at Graph; Teams shows recording, and their recorder has just said that capture stopped."""
    now = timezone.now()
    for name in names:
        sandbox.add_call(call_id=name, state="established")
        cast.call(name, at=now, capture="stopped", told="recording")
        cast.heartbeat(name, at=now, capture="stopped")


def start(by: User, *, wish: str = "notRecording", reason: str = "the desk checked") -> BulkJob:
    return services.start_bulk(
        Call.objects.order_by("id"),
        wish=wish,
        reason=reason,
        by=Requester.at_screen(by),
        selection=Selection("all calls"),
        now=timezone.now(),
    )


def run(*, at: datetime | None = None) -> int:
    """One pass of the worker; `at` another moment than now."""
    clock: Callable[[], datetime] = (lambda: at) if at else timezone.now
    return services.run_bulk_due(clock(), clock=clock)


def outcomes(job: BulkJob) -> dict[str, str]:
    return dict(BulkItem.objects.filter(job=job).order_by("id").values_list("call__graph_id", "status"))


def message_of(job: BulkJob, call_id: str) -> str:
    return BulkItem.objects.get(job=job, call__graph_id=call_id).message


def entries(action: LedgerAction) -> list[dict[str, object]]:
    return [dict(ledger.body_of(entry)) for entry in LedgerEntry.objects.filter(action=action).order_by("id")]


def test_every_call_of_a_job_is_corrected_and_kept_as_if_it_were_alone(sandbox: Sandbox, mira: User) -> None:
    stopped_calls(sandbox, "call-1", "call-2", "call-3")
    job = start(mira)
    run()
    assert outcomes(job) == {"call-1": DONE, "call-2": DONE, "call-3": DONE}
    assert set(Call.objects.values_list("recording_status", "recording_status_source")) == {("notRecording", "graph")}
    sent = {str(post["client_request_id"]) for post in posts(sandbox)}
    assert sent == {str(key) for key in Attempt.objects.values_list("client_request_id", flat=True)}
    for action in ("requested", "sent", "answered"):
        assert len(entries(LedgerAction(f"correction.{action}"))) == 3
    assert {(entry["reason"], entry["job"]) for entry in entries(LedgerAction.CORRECTION_REQUESTED)} == {
        ("the desk checked", str(job.pk))
    }
    assert Operation.objects.filter(reason="the desk checked", requested_by__label="mira").count() == 3


def test_a_job_is_finished_once_every_item_is_with_its_counts_in_the_ledger(sandbox: Sandbox, mira: User) -> None:
    stopped_calls(sandbox, "call-1", "call-2")
    job = start(mira)
    assert services.progress(job).is_running
    run()
    job.refresh_from_db()
    done = services.progress(job)
    assert (done.total, done.finished, done.percent, done.is_running) == (2, 2, 100, False)
    assert [entry["counts"] for entry in entries(LedgerAction.BULK_FINISHED)] == ["done 2"]
    assert run() == 0


def test_a_call_that_cannot_be_corrected_stays_in_the_job_and_says_why(sandbox: Sandbox, mira: User) -> None:
    stopped_calls(sandbox, "call-1")
    now = timezone.now()
    cast.call("ended", at=now, told="recording", ended_at=now)
    cast.call("busy", at=now, capture="started", told="recording")
    cast.heartbeat("busy", at=now, capture="capturing")
    job = start(mira)
    assert outcomes(job) == {"call-1": "waiting", "ended": "refused", "busy": "refused"}
    assert "Teams cannot be told any more" in message_of(job, "ended")
    assert "Stop the recorder first" in message_of(job, "busy")
    (entry,) = entries(LedgerAction.BULK_STARTED)
    assert entry["counts"] == "canAct 1, againstRecorder 1, attestOnly 1"
    assert (entry["requested_status"], entry["selection"], entry["calls"]) == ("notRecording", "all calls", 3)
    run()
    assert outcomes(job)["call-1"] == DONE
    assert len(posts(sandbox)) == 1


def test_the_facts_are_asked_again_when_an_items_turn_comes(sandbox: Sandbox, mira: User) -> None:
    stopped_calls(sandbox, "call-1", "call-2")
    job = start(mira)
    cast.heartbeat("call-2", at=timezone.now(), capture="capturing")
    run()
    assert outcomes(job) == {"call-1": DONE, "call-2": "refused"}
    assert "Stop the recorder first" in message_of(job, "call-2")
    (entry,) = entries(LedgerAction.CORRECTION_REFUSED)
    assert (entry["call"], entry["job"]) == ("call-2", str(job.pk))
    assert [str(post["path"]).split("/")[-2] for post in posts(sandbox)] == ["call-1"]


def test_without_a_fresh_word_of_the_recorder_a_second_person_is_asked(sandbox: Sandbox, mira: User) -> None:
    now = timezone.now()
    cast.call("call-1", at=now - timedelta(minutes=5), capture="stopped", told="recording")
    job = start(mira)
    run()
    assert outcomes(job) == {"call-1": BulkItemStatus.AWAITING_APPROVAL}
    assert Operation.objects.get().status == OperationStatus.AWAITING_APPROVAL
    assert posts(sandbox) == []
    job.refresh_from_db()
    assert job.finished_at


def test_what_the_second_person_decided_is_what_became_of_the_item(sandbox: Sandbox, mira: User, tom: User) -> None:
    sandbox.add_call(call_id="call-1", state="established")
    for name in ("call-1", "call-2", "call-3"):
        cast.call(name, at=timezone.now() - timedelta(minutes=5), capture="stopped", told="recording")
    job = start(mira)
    run()
    first, second, _ = Operation.objects.order_by("call_id")
    by, now = Requester.at_screen(tom), timezone.now()
    services.approve(first, by=by, reason="", evidence="seen in its log", now=now)
    services.decline(second, by=by, reason="it still captures", now=now)
    run()
    waits = BulkItemStatus.AWAITING_APPROVAL
    assert outcomes(job) == {"call-1": waits, "call-2": FAILED, "call-3": waits}
    services.send_operation(first.pk)
    run()
    assert outcomes(job) == {"call-1": DONE, "call-2": FAILED, "call-3": waits}
    assert len(entries(LedgerAction.BULK_FINISHED)) == 1


def test_a_correction_that_waits_for_approval_gives_way(sandbox: Sandbox, mira: User) -> None:
    now = timezone.now()
    sandbox.add_call(call_id="call-1", state="established")
    call = cast.call("call-1", at=now - timedelta(minutes=5), capture="stopped", told="recording")
    by = Requester.at_screen(mira)
    waiting = services.request_correction(call, wish="notRecording", reason="first", by=by, now=now)
    job = start(mira, wish="failed")
    run()
    waiting.refresh_from_db()
    assert waiting.status == OperationStatus.CANCELLED
    assert outcomes(job) == {"call-1": DONE}


def test_a_call_with_a_live_correction_is_left_to_it(sandbox: Sandbox, mira: User) -> None:
    stopped_calls(sandbox, "call-1", "call-2")
    job = start(mira)
    by = Requester.at_screen(mira)
    call = Call.objects.get(graph_id="call-2")
    services.request_correction(call, wish="failed", reason="meanwhile", by=by, now=timezone.now())
    run()
    assert outcomes(job) == {"call-1": DONE, "call-2": "refused"}
    assert "Another correction of this call is in progress" in message_of(job, "call-2")


def test_two_jobs_for_the_same_calls_send_each_correction_once(sandbox: Sandbox, mira: User) -> None:
    stopped_calls(sandbox, "call-1", "call-2")
    first, second = start(mira), start(mira)
    run()
    run()
    assert set(outcomes(first).values()) == {DONE}
    assert set(outcomes(second).values()) == {"refused"}
    assert len(posts(sandbox)) == 2


def test_a_refusal_of_graph_fails_its_item_only(sandbox: Sandbox, mira: User) -> None:
    stopped_calls(sandbox, "call-1", "call-2", "call-3")
    sandbox.fault("error", code="8506", call_id="call-2", action=UPDATE)
    job = start(mira)
    run()
    assert outcomes(job) == {"call-1": DONE, "call-2": FAILED, "call-3": DONE}
    assert message_of(job, "call-2")
    assert Call.objects.get(graph_id="call-2").is_policy_call is False


def test_a_lost_answer_stays_open_until_its_operation_is_settled(sandbox: Sandbox, mira: User) -> None:
    stopped_calls(sandbox, "call-1", "call-2")
    sandbox.settings(list_operations=True)
    sandbox.fault("close", when="after", call_id="call-2", action=UPDATE)
    job = start(mira)
    run()
    assert outcomes(job) == {"call-1": DONE, "call-2": OPEN}
    assert not BulkJob.objects.get().finished_at
    later = timezone.now() + timedelta(minutes=1)
    services.settle_due(later, clock=lambda: later)
    run()
    assert outcomes(job) == {"call-1": DONE, "call-2": DONE}
    assert len(posts(sandbox)) == 2
    assert BulkJob.objects.get().finished_at


def test_an_operation_graph_has_only_begun_keeps_its_item_open(sandbox: Sandbox, mira: User) -> None:
    stopped_calls(sandbox, "call-1")
    sandbox.fault("operation", operation={"status": "running"}, action=UPDATE)
    job = start(mira)
    run()
    run()
    assert outcomes(job) == {"call-1": OPEN}


def test_a_401_renews_the_token_and_each_gets_one_more_attempt(sandbox: Sandbox, mira: User) -> None:
    stopped_calls(sandbox, "call-1", "call-2")
    sandbox.fault("error", status=401, times=2, action=UPDATE)
    job = start(mira)
    run()
    assert set(outcomes(job).values()) == {DONE}
    assert sorted(Attempt.objects.values_list("number", "is_repeat")) == [
        (1, False),
        (1, False),
        (2, False),
        (2, False),
    ]


def test_a_429_closes_the_way_for_everyone_and_loses_nothing(sandbox: Sandbox, mira: User) -> None:
    stopped_calls(sandbox, *(f"call-{number}" for number in range(12)))
    sandbox.fault("error", status=429, retry_after="30", action=UPDATE)
    job = start(mira)
    run()
    sent = len(posts(sandbox))
    assert sent < 12
    assert budget.take(1, now=timezone.now()) > 25
    assert "Microsoft asked for a pause until" in message_of(job, "call-11")
    run()
    assert len(posts(sandbox)) == sent
    RequestBudget.objects.update(closed_until=None)  # what the readings before each POST ask knows no other clock
    later = timezone.now() + timedelta(seconds=40)
    for number in range(12):
        cast.heartbeat(f"call-{number}", at=later, capture="stopped")
    for _ in range(2):
        run(at=later)
        services.send_due(later, clock=lambda: later)
    run(at=later)
    assert set(outcomes(job).values()) == {DONE}
    assert len(posts(sandbox)) == 13


def test_where_most_calls_are_not_found_none_is_taken_for_gone(sandbox: Sandbox, mira: User) -> None:
    """Another app's credential would see just that (invariant 5)."""
    stopped_calls(sandbox, *(f"call-{number}" for number in range(20)))
    for number in range(20):
        sandbox.remove_call(f"call-{number}")
    job = start(mira)
    run()
    assert not Call.objects.filter(gone_at__isnull=False).exists()
    assert len(posts(sandbox)) == 8
    counts = services.progress(job).counts
    assert (counts[FAILED], counts[BulkItemStatus.WAITING]) == (8, 12)
    assert "the credential must be checked first" in message_of(job, "call-19")
    run()
    assert len(posts(sandbox)) == 8


def test_a_single_call_that_is_not_found_is_taken_for_gone(sandbox: Sandbox, mira: User) -> None:
    stopped_calls(sandbox, "call-1", "call-2", "call-3")
    sandbox.remove_call("call-2")
    job = start(mira)
    run()
    assert outcomes(job) == {"call-1": DONE, "call-2": FAILED, "call-3": DONE}
    assert Call.objects.get(graph_id="call-2").gone_at


def test_where_a_third_of_the_calls_is_gone_the_job_goes_on(sandbox: Sandbox, mira: User) -> None:
    """Of the few answers that come back at a time most may be gone by chance; of many they are not."""
    names = [f"call-{number:02}" for number in range(20)]
    gone, quick = names[8:14], names[:14]
    stopped_calls(sandbox, *names)
    for name in gone:
        sandbox.remove_call(name)
    for name in set(names) - set(quick):
        sandbox.fault("delay", seconds=0.5, call_id=name, action=UPDATE)
    job = start(mira)
    run()
    assert outcomes(job) == {name: FAILED if name in gone else DONE for name in names}
    assert set(Call.objects.exclude(gone_at=None).values_list("graph_id", flat=True)) == set(gone)


def test_where_microsoft_is_not_reached_the_rest_waits(sandbox: Sandbox, mira: User, settings: Settings) -> None:
    stopped_calls(sandbox, *(f"call-{number}" for number in range(12)))
    job = start(mira)
    connection.client().renew_token()
    settings.GRAPH_BASE_URL = "https://localhost:1/v1.0"
    run()
    counts = services.progress(job).counts
    assert (counts[OPEN], counts[BulkItemStatus.WAITING]) == (8, 4)
    assert message_of(job, "call-11").startswith("Not sent yet:")


def test_a_stopped_job_begins_nothing_more(sandbox: Sandbox, mira: User) -> None:
    stopped_calls(sandbox, "call-1", "call-2")
    job = start(mira)
    services.stop_bulk(job, by=Requester.at_screen(mira), now=timezone.now())
    run()
    assert set(outcomes(job).values()) == {BulkItemStatus.STOPPED}
    assert posts(sandbox) == []
    assert [entry["stopped"] for entry in entries(LedgerAction.BULK_STOPPED)] == [2]
    job.refresh_from_db()
    assert job.finished_at
    assert job.stopped_by
    with pytest.raises(BulkRefused, match="over already"):
        services.stop_bulk(job, by=Requester.at_screen(mira), now=timezone.now())


def test_what_came_back_unsent_is_not_sent_after_a_stop(sandbox: Sandbox, mira: User) -> None:
    stopped_calls(sandbox, "call-1", "call-2")
    sandbox.fault("error", status=429, retry_after="30", call_id="call-2", action=UPDATE)
    job = start(mira)
    run()
    assert outcomes(job)["call-2"] == OPEN
    services.stop_bulk(job, by=Requester.at_screen(mira), now=timezone.now())
    run()
    assert outcomes(job)["call-2"] == BulkItemStatus.STOPPED
    assert [entry["status"] for entry in entries(LedgerAction.CORRECTION_CANCELLED)] == ["cancelled"]
    assert BulkJob.objects.get().finished_at
    sent, later = len(posts(sandbox)), timezone.now() + timedelta(minutes=1)
    RequestBudget.objects.update(closed_until=None)
    services.send_due(later, clock=lambda: later)
    assert len(posts(sandbox)) == sent


def test_only_what_failed_and_can_come_right_is_tried_again(sandbox: Sandbox, mira: User) -> None:
    stopped_calls(sandbox, "call-1", "call-2", "call-3")
    sandbox.fault(
        "operation", operation={"status": "failed", "code": 500, "subcode": 1}, call_id="call-2", action=UPDATE
    )
    sandbox.fault("error", code="8506", call_id="call-3", action=UPDATE)
    job = start(mira)
    run()
    assert outcomes(job) == {"call-1": DONE, "call-2": FAILED, "call-3": FAILED}
    job.refresh_from_db()
    again = services.retry_failed(job, by=Requester.at_screen(mira), now=timezone.now())
    assert (again.retry_of, again.requested_status, again.reason) == (job, "notRecording", "the desk checked")
    assert outcomes(again) == {"call-2": "waiting"}
    run()
    assert outcomes(again) == {"call-2": DONE}
    with pytest.raises(BulkRefused):
        services.retry_failed(again, by=Requester.at_screen(mira), now=timezone.now())


def test_verification_finds_nothing_in_the_true_story_of_many_jobs(sandbox: Sandbox, mira: User) -> None:
    """An attestation of many, a job that came to several ends and was tried again, and one that was stopped."""
    ended_calls("call-7", "call-8")
    attest(mira, file=("log.txt", b"crashed"))
    run()
    stopped_calls(sandbox, "call-1", "call-2", "call-3", "call-4")
    failed = {"status": "failed", "code": 500, "subcode": 1}
    sandbox.fault("operation", operation=failed, call_id="call-2", action=UPDATE)
    sandbox.fault("error", code="8506", call_id="call-3", action=UPDATE)
    job = start(mira)
    run()
    job.refresh_from_db()
    by = Requester.at_screen(mira)
    services.retry_failed(job, by=by, now=timezone.now())
    run()
    stopped_calls(sandbox, "call-5", "call-6")
    services.stop_bulk(start(mira), by=by, now=timezone.now())
    run()
    assert {BulkItemStatus(each) for each in BulkItem.objects.values_list("status", flat=True)} >= {DONE, FAILED}

    while ledger.seal(timezone.now(), key=ledgers.signing_key()):
        pass
    report = verify_all()
    assert (list(report.alarms), report.unsealed) == ([], 0)
    assert report.checked == LedgerEntry.objects.count()


def test_a_running_job_is_not_tried_again(sandbox: Sandbox, mira: User) -> None:
    stopped_calls(sandbox, "call-1")
    job = start(mira)
    with pytest.raises(BulkRefused, match="not finished yet"):
        services.retry_failed(job, by=Requester.at_screen(mira), now=timezone.now())


@pytest.mark.parametrize("reason", ["", "   ", "x" * 1001, "half \ud800 a character"])
def test_a_reason_that_cannot_be_kept_starts_no_job(sandbox: Sandbox, mira: User, reason: str) -> None:
    stopped_calls(sandbox, "call-1")
    with pytest.raises(BulkRefused):
        start(mira, reason=reason)
    assert not BulkJob.objects.exists()


def test_a_job_that_could_do_nothing_is_refused(sandbox: Sandbox, mira: User) -> None:
    now = timezone.now()
    cast.call("ended", at=now, told="recording", ended_at=now)
    with pytest.raises(BulkRefused, match="none of the 1"):
        start(mira)
    assert not BulkJob.objects.exists()


def test_who_may_not_correct_starts_and_stops_nothing(sandbox: Sandbox, mira: User, olga: User) -> None:
    stopped_calls(sandbox, "call-1")
    with pytest.raises(NotAllowed):
        start(olga)
    job = start(mira)
    with pytest.raises(NotAllowed):
        services.stop_bulk(job, by=Requester.at_screen(olga), now=timezone.now())
    with pytest.raises(NotAllowed):
        services.retry_failed(job, by=Requester.at_screen(olga), now=timezone.now())


def attest(by: User, **words: object) -> BulkJob:
    said = {"root_cause": RootCause.RECORDER_CRASH, "reason": "seen in its log", "evidence": "ticket 12", "file": None}
    return services.start_bulk_attestation(
        Call.objects.order_by("id"),
        by=Requester.at_screen(by),
        selection=Selection("all calls"),
        now=timezone.now(),
        **{**said, **words},  # type: ignore[arg-type]
    )


def ended_calls(*names: str) -> None:
    """Calls that ended half an hour ago while Teams showed recording, with the finding that makes."""
    ended_at = timezone.now() - timedelta(minutes=30)
    for name in names:
        cast.call(name, at=ended_at, capture="stopped", told="recording", ended_at=ended_at)
    findings.sweep(timezone.now())
    assert Finding.objects.open().filter(call__isnull=False).count() == len(names)


def test_an_attestation_of_many_closes_every_finding_with_its_evidence(mira: User) -> None:
    ended_calls("call-1", "call-2")
    job = attest(mira, file=("log.txt", b"crashed"))
    run()
    assert set(outcomes(job).values()) == {DONE}
    closed = list(Finding.objects.filter(call__isnull=False))
    assert {finding.resolution for finding in closed} == {Resolution.ATTESTED}
    assert len({finding.evidence_file_id for finding in closed} - {None}) == 1
    assert len(entries(LedgerAction.FINDING_ATTESTED)) == 2
    findings.sweep(timezone.now())
    assert not Finding.objects.open().filter(call__isnull=False).exists()


def test_the_entry_of_an_attestation_names_its_job(sandbox: Sandbox, mira: User) -> None:
    ended_calls("ended")
    job = attest(mira)
    run()
    (entry,) = LedgerEntry.objects.filter(action=LedgerAction.FINDING_ATTESTED)
    assert ledger.body_of(entry)["job"] == str(job.pk)


def test_only_calls_that_are_over_are_attested(sandbox: Sandbox, mira: User) -> None:
    ended_calls("ended")
    stopped_calls(sandbox, "live")
    job = attest(mira)
    run()
    assert outcomes(job) == {"ended": DONE, "live": "refused"}
    assert "still going on" in message_of(job, "live")


@pytest.mark.parametrize(
    "words", [{"evidence": ""}, {"root_cause": "weather"}, {"reason": ""}, {"file": ("big", b"x" * 5_242_881)}]
)
def test_an_attestation_without_what_it_takes_starts_no_job(mira: User, words: dict[str, object]) -> None:
    ended_calls("call-1")
    with pytest.raises(BulkRefused):
        attest(mira, **words)
    assert not BulkJob.objects.exists()


def test_who_may_not_attest_starts_no_attestation(mira: User, olga: User) -> None:
    ended_calls("call-1")
    with pytest.raises(NotAllowed):
        attest(olga)
