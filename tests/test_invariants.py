"""The ten invariants of the design, each by its name. What takes more than a few lines is proven in full elsewhere."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from recordings import checks, ingest, ledger, operations, services
from recordings.choices import CallState, OperationStatus
from recordings.graph.wire import recording_status_body
from recordings.models import Actor, Attempt, Call, LedgerEntry, Operation, StatusChange
from recordings.services import CorrectionRefused, Requester
from recordings.services.bulk.pool import Pool
from recordings.services.tries import Tried
from sandbox.server import Sandbox
from tests import cast, test_one_writer
from tests.at_graph import UPDATE, posts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def call(sandbox: Sandbox) -> Call:
    now = timezone.now()
    sandbox.add_call(call_id="call-1", state="established")
    cast.call(at=now, capture="stopped", told="recording")
    cast.heartbeat(at=now, capture="stopped")
    return Call.objects.get(graph_id="call-1")


def ask(call: Call, wish: str, *, by: User) -> Operation:
    requester = Requester.at_screen(by)
    return services.request_correction(call, wish=wish, reason="x", by=requester, now=timezone.now())


def test_invariant_1_intent_before_action(
    sandbox: Sandbox, call: Call, mira: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When Graph sees the POST, another connection already sees the operation, its entry and the attempt."""
    seen: list[tuple[int, int, int, bool]] = []
    send = services.sending._post

    def looking_post(attempt: Attempt, *, until: float) -> Tried:
        in_transaction = connection.in_atomic_block
        entries = LedgerEntry.objects.filter(action="correction.sent").count()
        seen.append((Operation.objects.count(), entries, Attempt.objects.count(), in_transaction))
        return send(attempt, until=until)

    monkeypatch.setattr(services.sending, "_post", looking_post)
    services.send_operation(ask(call, "notRecording", by=mira).pk)
    assert seen == [(1, 1, 1, False)]
    assert checks.durable_database(databases=["default"]) == []


def test_invariant_1_holds_for_a_bulk_job(
    sandbox: Sandbox, call: Call, mira: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is handed to the threads that post stands outside any transaction, with its operation and its entry."""
    seen: list[tuple[int, int, int, bool]] = []
    send = Pool.send

    def looking_send(pool: Pool, attempts: list[Attempt], **moments: float) -> None:
        stored = Attempt.objects.filter(pk__in=[attempt.pk for attempt in attempts]).count()
        entries = LedgerEntry.objects.filter(action="correction.sent").count()
        seen.append((Operation.objects.count(), entries, stored, connection.in_atomic_block))
        send(pool, attempts, **moments)

    monkeypatch.setattr(Pool, "send", looking_send)
    now, selection = timezone.now(), services.Selection("the call")
    by = Requester.at_screen(mira)
    services.start_bulk(Call.objects.all(), wish="notRecording", reason="x", by=by, selection=selection, now=now)
    services.run_bulk_due(timezone.now())
    assert seen == [(1, 1, 1, False)]
    assert len(posts(sandbox)) == 1


def test_invariant_1_no_entry_no_correction(
    sandbox: Sandbox, call: Call, mira: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fail closed: where the ledger cannot be written, nothing is stored and nothing is sent."""

    def refuse(*_: object, **__: object) -> None:
        raise IntegrityError("the ledger is full")

    monkeypatch.setattr(ledger, "append", refuse)
    with pytest.raises(IntegrityError):
        ask(call, "notRecording", by=mira)
    assert not Operation.objects.exists()
    assert posts(sandbox) == []


def test_invariant_2_one_writer() -> None:
    """On the syntax tree of every module; that the check sees a planted write is proven in test_one_writer.py."""
    found = {
        str(path): test_one_writer.offences(path.read_text(), test_one_writer.room_of(path))
        for path in test_one_writer.FILES
    }
    assert len(found) > 50
    assert {path: rows for path, rows in found.items() if rows} == {}


def test_invariant_3_a_lost_answer_is_unknown_never_a_guess(sandbox: Sandbox, call: Call, mira: User) -> None:
    sandbox.fault("close", when="after", action=UPDATE)
    operation = services.send_operation(ask(call, "notRecording", by=mira).pk)
    assert operation.status == OperationStatus.UNKNOWN
    call.refresh_from_db()
    assert call.recording_status == "recording"


def test_invariant_4_at_most_one_live_operation_a_call(call: Call, mira: User) -> None:
    first = ask(call, "notRecording", by=mira)
    with pytest.raises(CorrectionRefused):
        ask(call, "failed", by=mira)
    with pytest.raises(operations.OperationInProgress), transaction.atomic():
        operations.create(call, requested_status="failed", actor=first.requested_by, reason="x", now=timezone.now())


def test_invariant_5_ended_is_absorbing_and_only_a_real_end_ends(call: Call) -> None:
    now = timezone.now()
    ingest.observe(call, ingest.Observation(now, gone=True))
    assert (call.gone_at, call.ended_at) == (now, None)
    ingest.observe(call, ingest.Observation(now + timedelta(seconds=1), gone=False))
    assert (call.gone_at, call.ended_at) == (None, None)
    ingest.observe(call, ingest.Observation(now, state=CallState.TERMINATED))
    ingest.observe(call, ingest.Observation(now + timedelta(seconds=1), state=CallState.ESTABLISHED))
    assert (call.state, call.ended_at) == (CallState.TERMINATED, now)


def test_invariant_6_append_only_in_the_database_itself(call: Call) -> None:
    change = call.statuschange_set.all()[0]
    with pytest.raises(IntegrityError, match="append only"), transaction.atomic():
        StatusChange.objects.filter(pk=change.pk).update(new="failed")
    with pytest.raises(IntegrityError, match="append only"), transaction.atomic():
        StatusChange.objects.filter(pk=change.pk).delete()


@pytest.mark.parametrize("status", ["unknown", "unknownFutureValue", "", "Recording "])
def test_invariant_7_only_three_statuses_are_ever_sent(call: Call, mira: User, status: str) -> None:
    with pytest.raises(CorrectionRefused):
        ask(call, status, by=mira)
    with pytest.raises(ValueError, match="only recording, notRecording and failed"):
        recording_status_body(status, "onrecord:x")


def test_invariant_7_never_for_a_call_of_another_tenant(call: Call, mira: User, settings: Settings) -> None:
    settings.GRAPH_TENANT_ID = "5a11d0c5-0000-4000-8000-000000000002"
    with pytest.raises(CorrectionRefused, match="another tenant"):
        ask(call, "failed", by=mira)


def test_invariant_8_nothing_is_sent_against_the_recorders_fresh_word(sandbox: Sandbox, call: Call, mira: User) -> None:
    """The word is read again just before the POST: a recorder that starts in between stops the wish."""
    operation = ask(call, "notRecording", by=mira)
    cast.tell("capture.started", "call-1", at=timezone.now())
    assert services.send_operation(operation.pk).status == OperationStatus.CANCELLED
    assert posts(sandbox) == []


def test_invariant_9_no_secret_leaves(
    sandbox: Sandbox, call: Call, mira: User, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    """Graph is told our context and nothing of the person or the reason; no token reaches a log or the ledger."""
    caplog.set_level("DEBUG")
    operation = services.send_operation(ask(call, "notRecording", by=mira).pk)
    (post,) = posts(sandbox)
    assert post["body"] == {"status": "notRecording", "clientContext": f"onrecord:{operation.pk}"}
    bodies = " ".join(LedgerEntry.objects.values_list("body", flat=True))
    for text in (caplog.text, bodies):
        assert settings.GRAPH_CLIENT_SECRET not in text
        assert "Bearer " not in text
        assert "eyJ" not in text


def test_invariant_9_a_foreign_host_in_production_needs_a_word(settings: Settings) -> None:
    settings.DEBUG, settings.ALLOW_STAND_IN = False, False
    settings.GRAPH_BASE_URL = "https://graph.microsoft.com.evil.example/v1.0"
    assert [message.id for message in checks.stand_in()] == ["onrecord.E004"]
    settings.ALLOW_STAND_IN = True
    assert checks.stand_in() == []


def test_invariant_10_moments_are_derived_in_one_named_method() -> None:
    """`Call.observe` sets them; `save()` derives nothing."""
    at = datetime(2026, 11, 18, 14, 32, 8, tzinfo=UTC)
    call = Call(graph_id="call-9", created_at=at)
    ingest.observe(call, ingest.Observation(at, state=CallState.ESTABLISHED, capture_state="capturing"))
    assert (call.established_at, call.capture_at, call.capture_changed_at) == (at, at, at)
    assert "save" not in vars(Call)
    assert "save" not in vars(Operation)


def test_actors_keep_the_label_they_had(mira: User) -> None:
    before = Actor.objects.person(mira)
    mira.username = "mira.holt"
    after = Actor.objects.person(mira)
    assert before.pk != after.pk
    assert before.is_same_person_as(after)
