"""The second person: approve with evidence, decline with a reason, or let the time pass."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.contrib.auth.models import User

from recordings import services
from recordings.choices import OperationStatus
from recordings.models import Call, LedgerEntry, Operation
from recordings.services import CorrectionRefused, NotAllowed, Requester, corrections
from recordings.services.locking import lock_both
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(mira: User, now: datetime) -> Operation:
    call = cast.call(at=now - timedelta(minutes=5), capture="stopped", told="recording")
    by = Requester.at_screen(mira)
    return services.request_correction(call, wish="notRecording", reason="the desk checked", by=by, now=now)


def approve(operation: Operation, *, by: User, now: datetime, evidence: str = "ticket 4711") -> Operation:
    return services.approve(operation, by=Requester.at_screen(by), reason="", evidence=evidence, now=now)


def test_an_approver_lets_it_go_to_the_wire(waiting: Operation, tom: User, now: datetime) -> None:
    approved = approve(waiting, by=tom, now=now)
    assert approved.status == OperationStatus.PENDING
    assert approved.approved_by is not None
    assert approved.approved_by.label == "tom"
    assert approved.evidence == "ticket 4711"


def test_an_approval_needs_evidence(waiting: Operation, tom: User, now: datetime) -> None:
    with pytest.raises(CorrectionRefused, match="needs evidence"):
        approve(waiting, by=tom, now=now, evidence=" ")


@pytest.mark.parametrize("is_superuser", [False, True])
def test_the_requester_never_approves_superuser_or_not(now: datetime, tom: User, is_superuser: bool) -> None:
    tom.is_superuser = is_superuser
    tom.save()
    call = cast.call(at=now - timedelta(minutes=5), capture="stopped", told="recording")
    by = Requester.at_screen(tom)
    own = services.request_correction(call, wish="notRecording", reason="x", by=by, now=now)
    with pytest.raises(CorrectionRefused, match="somebody else"):
        approve(own, by=tom, now=now)


def test_who_asked_at_the_command_line_does_not_approve_at_the_screen(now: datetime, tom: User) -> None:
    call = cast.call(at=now - timedelta(minutes=5), capture="stopped", told="recording")
    by = Requester.at_shell(tom)
    own = services.request_correction(call, wish="notRecording", reason="x", by=by, now=now)
    with pytest.raises(CorrectionRefused, match="somebody else"):
        approve(own, by=tom, now=now)


def test_a_recording_admin_may_not_approve_and_the_try_is_kept(waiting: Operation, mira: User, now: datetime) -> None:
    with pytest.raises(NotAllowed):
        approve(waiting, by=mira, now=now)
    entry = LedgerEntry.objects.get(action="correction.refused")
    assert entry.operation == waiting
    assert entry.actor.label == "mira"


def test_a_refused_no_is_kept_too(waiting: Operation, mira: User, now: datetime) -> None:
    with pytest.raises(NotAllowed):
        services.decline(waiting, by=Requester.at_screen(mira), reason="mine", now=now)
    assert LedgerEntry.objects.filter(action="correction.refused").count() == 1


def test_a_wish_the_recorder_now_contradicts_is_cancelled(waiting: Operation, tom: User, now: datetime) -> None:
    cast.tell("capture.started", "call-1", at=now)
    with pytest.raises(CorrectionRefused, match="Stop the recorder first"):
        approve(waiting, by=tom, now=now)
    waiting.refresh_from_db()
    assert waiting.status == OperationStatus.CANCELLED


def test_declining_needs_a_reason_and_ends_it(waiting: Operation, tom: User, now: datetime) -> None:
    with pytest.raises(CorrectionRefused, match="needs a reason"):
        services.decline(waiting, by=Requester.at_screen(tom), reason="", now=now)
    services.decline(waiting, by=Requester.at_screen(tom), reason="no proof", now=now)
    waiting.refresh_from_db()
    assert waiting.status == OperationStatus.DECLINED
    with pytest.raises(CorrectionRefused, match="no longer waits"):
        approve(waiting, by=tom, now=now)


def test_a_wish_nobody_approves_in_time_expires(waiting: Operation, tom: User, now: datetime) -> None:
    late = now + timedelta(minutes=31)
    with pytest.raises(CorrectionRefused, match="has passed"):
        approve(waiting, by=tom, now=late)
    assert services.expire_approvals(late) == 1
    waiting.refresh_from_db()
    assert waiting.status == OperationStatus.EXPIRED
    assert services.expire_approvals(late) == 0


def test_an_approval_that_cannot_expire_does_not_keep_the_others_waiting(
    waiting: Operation, mira: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = cast.call("call-2", at=now - timedelta(minutes=5), capture="stopped", told="recording")
    by = Requester.at_screen(mira)
    other = services.request_correction(second, wish="notRecording", reason="the desk checked", by=by, now=now)

    def breaking(key: UUID) -> tuple[Call, Operation]:
        if key == waiting.pk:
            raise OSError("the database blinked")
        return lock_both(key)

    monkeypatch.setattr(corrections, "lock_both", breaking)
    services.expire_approvals(now + timedelta(minutes=31))
    assert [Operation.objects.get(pk=one.pk).status for one in (waiting, other)] == ["awaitingApproval", "expired"]


def test_an_approved_wish_cannot_pass_one_that_is_live(
    waiting: Operation, mira: User, tom: User, now: datetime
) -> None:
    live = Operation.objects.get(pk=waiting.pk)
    live.pk, live.client_context, live.status = None, "onrecord:other", OperationStatus.UNKNOWN
    live.save(force_insert=True)
    with pytest.raises(CorrectionRefused, match="in progress"):
        approve(waiting, by=tom, now=now)
    waiting.refresh_from_db()
    assert waiting.status == OperationStatus.AWAITING_APPROVAL
