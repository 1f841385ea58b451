"""Asking for a correction: what is stored before anything is sent, and what is refused."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

from recordings import ledger, services
from recordings.choices import LedgerAction, OperationStatus
from recordings.models import Call, LedgerEntry, Operation
from recordings.services import CorrectionRefused, NotAllowed, Requester
from tests import cast

pytestmark = pytest.mark.django_db


def ask(call: Call, wish: str, *, by: User, now: datetime, reason: str = "the desk checked") -> Operation:
    return services.request_correction(call, wish=wish, reason=reason, by=Requester.at_screen(by), now=now)


def entries(action: LedgerAction) -> list[dict[str, object]]:
    return [dict(ledger.body_of(entry)) for entry in LedgerEntry.objects.filter(action=action).order_by("id")]


def test_a_permitted_wish_is_stored_with_its_ledger_entry_before_anything_is_sent(mira: User, now: datetime) -> None:
    call = cast.call(at=now, capture="stopped", told="recording")
    cast.heartbeat(at=now, capture="stopped")
    call.refresh_from_db()
    operation = ask(call, "notRecording", by=mira, now=now)
    assert operation.status == OperationStatus.PENDING
    assert operation.client_context == f"onrecord:{operation.pk}"
    assert operation.attempts.count() == 0
    (entry,) = entries(LedgerAction.CORRECTION_REQUESTED)
    assert entry["operation"] == str(operation.pk)
    assert entry["reason"] == "the desk checked"


def test_failed_needs_only_a_reason(mira: User, now: datetime) -> None:
    call = cast.call(at=now, told="recording")
    assert ask(call, "failed", by=mira, now=now).status == OperationStatus.PENDING


def test_without_a_fresh_word_of_the_recorder_a_second_person_is_asked(mira: User, now: datetime) -> None:
    call = cast.call(at=now - timedelta(minutes=5), capture="stopped", told="recording")
    operation = ask(call, "notRecording", by=mira, now=now)
    assert operation.status == OperationStatus.AWAITING_APPROVAL
    assert "second person" in operation.needs_approval_why
    assert operation.expires_after == now + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("wish", "reason", "why"),
    [
        ("recording", "x", "says it is not capturing"),
        ("unknown", "x", "not a status"),
        ("notRecording", "   ", "needs a reason"),
    ],
)
def test_a_refusal_leaves_a_ledger_entry_and_no_operation(
    mira: User, now: datetime, wish: str, reason: str, why: str
) -> None:
    call = cast.call(at=now, capture="stopped", told="recording")
    cast.heartbeat(at=now, capture="stopped")
    call.refresh_from_db()
    with pytest.raises(CorrectionRefused, match=why):
        ask(call, wish, by=mira, now=now, reason=reason)
    assert not Operation.objects.exists()
    (entry,) = entries(LedgerAction.CORRECTION_REFUSED)
    assert entry["requested_status"] == wish
    assert why in str(entry["why"])


@pytest.mark.parametrize("reason", ["x" * 1001, "half \ud800", "nul \x00"])
def test_a_reason_that_cannot_be_kept_whole_is_refused_and_the_refusal_kept(
    mira: User, now: datetime, reason: str
) -> None:
    call = cast.call(at=now, told="recording")
    with pytest.raises(CorrectionRefused, match=r"longer than 1000|cannot be stored"):
        ask(call, "failed", by=mira, now=now, reason=reason)
    assert not Operation.objects.exists()
    assert len(entries(LedgerAction.CORRECTION_REFUSED)) == 1


def test_an_ended_call_is_refused_with_the_way_to_attest(mira: User, now: datetime) -> None:
    call = cast.call(at=now, capture="stopped", told="recording", ended_at=now - timedelta(seconds=5))
    with pytest.raises(CorrectionRefused, match="cannot be told any more") as refusal:
        ask(call, "notRecording", by=mira, now=now)
    assert refusal.value.attest


def test_a_call_of_another_tenant_is_refused(mira: User, now: datetime, settings: object) -> None:
    call = cast.call(at=now, told="recording")
    Call.objects.filter(pk=call.pk).update(tenant_id="another-tenant")
    call.refresh_from_db()
    with pytest.raises(CorrectionRefused, match="another tenant"):
        ask(call, "failed", by=mira, now=now)


def test_the_officer_may_look_but_not_correct_and_the_try_is_kept(olga: User, now: datetime) -> None:
    call = cast.call(at=now, told="recording")
    with pytest.raises(NotAllowed):
        ask(call, "failed", by=olga, now=now)
    assert not Operation.objects.exists()
    assert len(entries(LedgerAction.CORRECTION_REFUSED)) == 1


def test_a_superuser_without_a_role_may_not_correct(sam: User, now: datetime) -> None:
    sam.is_superuser = True
    sam.save()
    with pytest.raises(NotAllowed):
        ask(cast.call(at=now, told="recording"), "failed", by=sam, now=now)


def test_a_second_correction_of_a_call_is_refused_while_the_first_is_live(mira: User, now: datetime) -> None:
    call = cast.call(at=now, told="recording")
    ask(call, "failed", by=mira, now=now)
    with pytest.raises(CorrectionRefused, match="in progress"):
        ask(call, "failed", by=mira, now=now)
    assert Operation.objects.count() == 1


def test_another_permitted_correction_takes_the_place_of_one_that_waits_for_approval(mira: User, now: datetime) -> None:
    call = cast.call(at=now - timedelta(minutes=5), capture="stopped", told="recording")
    waiting = ask(call, "notRecording", by=mira, now=now)
    ask(call, "failed", by=mira, now=now)
    waiting.refresh_from_db()
    assert waiting.status == OperationStatus.CANCELLED


def test_a_status_that_graph_confirmed_is_not_sent_again(mira: User, now: datetime) -> None:
    call = cast.call(at=now, told="failed")
    Call.objects.filter(pk=call.pk).update(recording_status_source="graph")
    call.refresh_from_db()
    with pytest.raises(CorrectionRefused, match="already confirmed"):
        ask(call, "failed", by=mira, now=now)
