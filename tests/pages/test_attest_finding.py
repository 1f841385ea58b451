"""Closing a finding on a person's word, once Microsoft can no longer be told."""

import re
from datetime import datetime, timedelta
from io import BytesIO

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from recordings import findings
from recordings.choices import Resolution
from recordings.models import EvidenceFile, Finding
from recordings.views import uploads
from tests import cast
from tests.pages import calls_cast
from tests.pages.conftest import SignIn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]

WORDS = {"root_cause": "recorderCrash", "reason": "The recorder crashed.", "evidence": "INC-20418"}


@pytest.fixture
def finding(now: datetime) -> Finding:
    return calls_cast.told_after_end(now=now)


def page_of(finding: Finding) -> str:
    return reverse("attest_finding", args=[finding.pk])


def test_the_page_says_that_words_are_kept_for_ever(finding: Finding, mira: User, signed_in: SignIn) -> None:
    page = signed_in(mira).get(page_of(finding)).text
    assert "kept for ever in the ledger" in page
    assert "Recorder crashed" in page


def test_a_reason_and_evidence_close_the_finding(finding: Finding, mira: User, signed_in: SignIn) -> None:
    response = signed_in(mira).post(page_of(finding), WORDS, follow=True)
    finding.refresh_from_db()
    assert (finding.resolution, finding.root_cause) == (Resolution.ATTESTED, "recorderCrash")
    assert "The finding is closed on your word." in response.text
    page = " ".join(response.text.split())
    for words in ("Cause: Recorder crashed", "Reason: The recorder crashed.", "Evidence: INC-20418", "by mira."):
        assert words in page
    assert re.search(r"Since <time[^>]*>[\d:]+</time>, opened <time[^>]*>[\d:]+</time>, closed <time", page)
    assert "It lasted 5 min 0 s." in page


@pytest.mark.parametrize("missing", WORDS)
def test_nothing_is_closed_while_a_word_is_missing(
    missing: str, finding: Finding, mira: User, signed_in: SignIn
) -> None:
    response = signed_in(mira).post(page_of(finding), {**WORDS, missing: " "})
    assert response.status_code == 422
    assert f'id="{missing}-error"' in response.text
    finding.refresh_from_db()
    assert finding.is_open


def test_a_living_call_is_corrected_instead(now: datetime, mira: User, signed_in: SignIn) -> None:
    call = calls_cast.capturing_untold(now=now)
    finding = Finding.objects.get(call=call)
    client = signed_in(mira)
    assert reverse("correct_call", args=[call.graph_id]) in client.get(page_of(finding)).text
    response = client.post(page_of(finding), WORDS)
    assert response.status_code == 422
    assert "The call is still going on." in response.text


def test_a_closed_finding_is_not_closed_again(finding: Finding, mira: User, tom: User, signed_in: SignIn) -> None:
    signed_in(mira).post(page_of(finding), WORDS)
    response = signed_in(tom).post(page_of(finding), {**WORDS, "reason": "Another story."})
    assert response.status_code == 422
    assert "closed already" in response.text
    finding.refresh_from_db()
    assert finding.reason == WORDS["reason"]


def test_who_may_not_attest_sees_no_form(finding: Finding, olga: User, signed_in: SignIn) -> None:
    client = signed_in(olga)
    assert client.get(page_of(finding)).status_code == 403
    assert client.post(page_of(finding), WORDS).status_code == 403
    assert finding.call is not None
    assert page_of(finding) not in client.get(reverse("call_detail", args=[finding.call.graph_id])).text


# Files


def file_of(size: int, name: str = "rec-01.log") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, b"x" * size)


def without_words() -> dict[str, str]:
    return {name: words for name, words in WORDS.items() if name != "evidence"}


def test_a_file_alone_is_evidence(finding: Finding, mira: User, signed_in: SignIn) -> None:
    response = signed_in(mira).post(page_of(finding), {**without_words(), "file": file_of(2048)}, follow=True)
    assert "The finding is closed on your word." in response.text
    finding.refresh_from_db()
    assert finding.evidence_file is not None
    assert (finding.evidence_file.name, finding.evidence_file.size_bytes) == ("rec-01.log", 2048)
    assert reverse("evidence_download", args=[finding.evidence_file.pk]) in response.text


def test_a_file_of_five_megabytes_is_taken(finding: Finding, mira: User, signed_in: SignIn) -> None:
    signed_in(mira).post(page_of(finding), {**without_words(), "file": file_of(EvidenceFile.LARGEST_BYTES)})
    assert EvidenceFile.objects.get().size_bytes == EvidenceFile.LARGEST_BYTES


@pytest.mark.parametrize("size", [EvidenceFile.LARGEST_BYTES + 1, uploads.MOST_READ + 1])
def test_a_file_that_is_too_large_is_refused_with_the_limit_and_the_words_are_kept(
    size: int, finding: Finding, mira: User, signed_in: SignIn
) -> None:
    response = signed_in(mira).post(page_of(finding), {**WORDS, "file": file_of(size)})
    assert response.status_code == 422
    assert "The file is larger than 5 MB. Nothing was stored" in response.text
    assert WORDS["reason"] in response.text
    assert WORDS["evidence"] in response.text
    assert not EvidenceFile.objects.exists()
    finding.refresh_from_db()
    assert finding.is_open


def test_of_a_body_without_end_no_more_is_read_than_the_words(finding: Finding, mira: User, signed_in: SignIn) -> None:
    """The body claims a terabyte; of what follows the words, only what came with them is read."""
    client = signed_in(mira)
    head = "".join(
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{words}\r\n' for name, words in WORDS.items()
    )
    head += '--edge\r\nContent-Disposition: form-data; name="file"; filename="big.log"\r\n\r\n'
    body = Endless(head.encode())
    kind = "multipart/form-data; boundary=edge"
    told = {"wsgi.input": body, "CONTENT_LENGTH": str(2**40)}
    response = client.generic("POST", page_of(finding), b"", content_type=kind, **told)  # type: ignore[arg-type]
    assert response.status_code == 422
    assert "larger than 5 MB" in response.text
    assert body.read_bytes < 1024 * 1024


class Endless:
    """A stream that begins with the words of a form and goes on for ever."""

    def __init__(self, head: bytes) -> None:
        self.head = BytesIO(head)
        self.read_bytes = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "somebody wants all of it"
        read = self.head.read(size)
        read += b"x" * (size - len(read))
        self.read_bytes += size
        return read

    def readline(self) -> bytes:
        raise AssertionError("nobody reads a form by lines")


def test_an_empty_file_is_refused(finding: Finding, mira: User, signed_in: SignIn) -> None:
    response = signed_in(mira).post(page_of(finding), {**WORDS, "file": file_of(0)})
    assert response.status_code == 422
    assert "The file is empty." in response.text


def test_neither_words_nor_a_file_is_no_evidence(finding: Finding, mira: User, signed_in: SignIn) -> None:
    response = signed_in(mira).post(page_of(finding), without_words())
    assert response.status_code == 422
    assert "or attach a file" in response.text


def test_a_finding_about_a_recorder_leads_to_closing_it(now: datetime, mira: User, signed_in: SignIn) -> None:
    cast.heartbeat(at=now - timedelta(minutes=10), capture="capturing")
    findings.sweep(now)
    silent = Finding.objects.get(rule="R20")
    client = signed_in(mira)
    assert "An attestation is for a call that is over." in client.get(page_of(silent)).text
    response = client.post(page_of(silent), WORDS)
    assert response.status_code == 422
    assert "this finding is about a recorder" in response.text
