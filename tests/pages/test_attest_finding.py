"""Closing a finding on a person's word, once Microsoft can no longer be told."""

import re
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from recordings.choices import Resolution
from recordings.models import Finding
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
