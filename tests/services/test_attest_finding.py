"""Closing on a person's word what Graph can no longer be told."""

import hashlib
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

from recordings import findings, services
from recordings.choices import LedgerAction, Resolution
from recordings.ledger import body_of
from recordings.models import Call, EvidenceFile, Finding, LedgerEntry
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
    Call.objects.update(due_after=now)
    findings.sweep(now + timedelta(hours=1))
    assert not Finding.objects.open().filter(call__isnull=False).exists()


def test_a_condition_that_begins_anew_is_found_again(left_over: Finding, mira: User, now: datetime) -> None:
    """A call found gone was attested; it was alive after all, and then really ended while told recording."""
    call = left_over.call
    assert call is not None
    Call.objects.filter(pk=call.pk).update(ended_at=None, gone_at=now, state="established")
    attest(left_over, by=mira, now=now)
    later = now + timedelta(minutes=5)
    Call.objects.filter(pk=call.pk).update(ended_at=later, gone_at=None, due_after=later)
    findings.sweep(later + timedelta(seconds=31))
    assert Finding.objects.open().get(rule="R7").since_at == later


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


def test_what_is_about_a_recorder_is_closed_with_its_cause_instead(mira: User, now: datetime) -> None:
    cast.heartbeat(at=now, capture="capturing")
    findings.sweep(now + timedelta(minutes=3))
    with pytest.raises(CannotAttest, match="this finding is about a recorder"):
        attest(Finding.objects.get(), by=mira, now=now)


def test_it_is_closed_once_and_the_second_hears_by_whom(
    left_over: Finding, mira: User, tom: User, now: datetime
) -> None:
    attest(left_over, by=mira, now=now)
    with pytest.raises(CannotAttest, match="closed already by mira: attested by a person"):
        attest(left_over, by=tom, now=now, reason="another story")
    left_over.refresh_from_db()
    assert left_over.reason == "seen in the recorder's log"


def test_the_cause_is_one_of_the_list(left_over: Finding, mira: User, now: datetime) -> None:
    by = Requester.at_screen(mira)
    with pytest.raises(CannotAttest, match="one of the root causes"):
        services.attest(left_over, by=by, reason="x", root_cause="magic", evidence="INC-1", now=now)


# Files


def attest_with(file: tuple[str, bytes], finding: Finding, *, by: User, now: datetime) -> Finding:
    requester = Requester.at_screen(by)
    return services.attest(finding, by=requester, reason="see log", root_cause="network", file=file, now=now)


def test_a_file_alone_is_evidence_and_is_kept_with_its_sha256(left_over: Finding, mira: User, now: datetime) -> None:
    content = b"14:32:08 the line dropped\n"
    closed = attest_with(("rec-01.log", content), left_over, by=mira, now=now)
    kept = EvidenceFile.objects.get()
    assert closed.evidence_file == kept
    assert (kept.name, kept.size_bytes, bytes(kept.content)) == ("rec-01.log", len(content), content)
    assert kept.sha256 == hashlib.sha256(content).hexdigest()
    entry = body_of(LedgerEntry.objects.get(action=LedgerAction.FINDING_ATTESTED))
    assert (entry["file"], entry["file_sha256"]) == (str(kept.pk), kept.sha256)


def test_a_file_of_five_megabytes_is_taken_and_one_byte_more_is_not(
    left_over: Finding, mira: User, now: datetime
) -> None:
    largest = b"x" * EvidenceFile.LARGEST_BYTES
    with pytest.raises(CannotAttest, match="larger than 5 MB"):
        attest_with(("big.log", largest + b"x"), left_over, by=mira, now=now)
    assert not EvidenceFile.objects.exists()
    assert attest_with(("big.log", largest), left_over, by=mira, now=now).evidence_file is not None


def test_an_empty_file_is_no_evidence(left_over: Finding, mira: User, now: datetime) -> None:
    with pytest.raises(CannotAttest, match="file is empty"):
        attest_with(("empty.log", b""), left_over, by=mira, now=now)
    left_over.refresh_from_db()
    assert left_over.is_open


def test_what_cannot_be_seen_in_a_files_name_is_left_out(left_over: Finding, mira: User, now: datetime) -> None:
    attest_with(("log\r\n\u202egpj.exe", b"x"), left_over, by=mira, now=now)
    assert EvidenceFile.objects.get().name == "loggpj.exe"


def test_no_file_is_kept_where_the_finding_was_closed_first(
    left_over: Finding, mira: User, tom: User, now: datetime
) -> None:
    attest(left_over, by=mira, now=now)
    with pytest.raises(CannotAttest):
        attest_with(("rec-01.log", b"x"), left_over, by=tom, now=now)
    assert not EvidenceFile.objects.exists()


def test_one_file_that_is_kept_serves_several_findings(left_over: Finding, mira: User, now: datetime) -> None:
    by = Requester.at_screen(mira)
    kept = services.keep_evidence("outage.pdf", b"%PDF", by=by, now=now)
    services.attest(left_over, by=by, reason="outage", root_cause="network", file=kept, now=now)
    left_over.refresh_from_db()
    assert (left_over.evidence_file, left_over.evidence) == (kept, "File outage.pdf")
