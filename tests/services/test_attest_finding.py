"""Closing on a person's word what Graph can no longer be told."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

from recordings import findings, services
from recordings.choices import Resolution
from recordings.models import Call, Finding
from recordings.services import CannotAttest, NotAllowed, Requester
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def left_over(now: datetime) -> Finding:
    cast.call(at=now, capture="stopped", told="recording", ended_at=now)
    findings.sweep(now + timedelta(seconds=31))
    return Finding.objects.get(rule="R7")


def attest(finding: Finding, *, by: User, now: datetime, reason: str = "seen in the recorder's log") -> Finding:
    requester = Requester.at_screen(by)
    return services.attest(
        finding, by=requester, reason=reason, root_cause="recorderCrash", evidence="log of rec-01, line 88", now=now
    )


def test_it_closes_the_finding_and_says_who_and_why(left_over: Finding, mira: User, now: datetime) -> None:
    closed = attest(left_over, by=mira, now=now)
    assert closed.resolution == Resolution.ATTESTED
    assert closed.resolved_by is not None
    assert (closed.resolved_by.label, closed.root_cause) == ("mira", "recorderCrash")


def test_an_attested_finding_is_not_opened_again_by_the_sweep(left_over: Finding, mira: User, now: datetime) -> None:
    attest(left_over, by=mira, now=now)
    assert findings.sweep(now + timedelta(hours=1)) == 0
    assert not Finding.objects.open().exists()


def test_a_condition_that_begins_anew_is_found_again(left_over: Finding, mira: User, now: datetime) -> None:
    """A call found gone was attested; it was alive after all, and then really ended while told recording."""
    call = left_over.call
    Call.objects.filter(pk=call.pk).update(ended_at=None, gone_at=now, state="established")
    attest(left_over, by=mira, now=now)
    later = now + timedelta(minutes=5)
    Call.objects.filter(pk=call.pk).update(ended_at=later, gone_at=None, due_after=later)
    findings.sweep(later + timedelta(seconds=31))
    assert Finding.objects.open().get().since_at == later


def test_a_reason_is_needed(left_over: Finding, mira: User, now: datetime) -> None:
    with pytest.raises(CannotAttest, match="needs a reason"):
        attest(left_over, by=mira, now=now, reason=" ")


def test_the_auditor_may_not(left_over: Finding, ada: User, now: datetime) -> None:
    with pytest.raises(NotAllowed):
        attest(left_over, by=ada, now=now)


def test_a_call_that_goes_on_is_corrected_instead(mira: User, now: datetime) -> None:
    cast.call(at=now, capture="stopped", told="recording")
    findings.sweep(now + timedelta(seconds=31))
    with pytest.raises(CannotAttest, match="still going on"):
        attest(Finding.objects.get(), by=mira, now=now)


def test_it_is_closed_once(left_over: Finding, mira: User, now: datetime) -> None:
    attest(left_over, by=mira, now=now)
    with pytest.raises(CannotAttest, match="closed already"):
        attest(left_over, by=mira, now=now)
