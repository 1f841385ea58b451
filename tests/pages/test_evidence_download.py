"""A file somebody attested with leaves as a download and never as a page of this site."""

import uuid
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from recordings import ledger, services
from recordings.models import EvidenceFile, LedgerEntry
from recordings.services import Requester
from tests.pages import calls_cast
from tests.pages.conftest import SignIn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]

PAGE = b"<script>alert(document.domain)</script>"


def kept(name: str, *, by: User, now: datetime) -> EvidenceFile:
    ended = calls_cast.told_after_end(now=now)
    requester = Requester.at_screen(by)
    closed = services.attest(ended, by=requester, reason="x", root_cause="network", file=(name, PAGE), now=now)
    assert closed.evidence_file is not None
    return closed.evidence_file


def url_of(file: EvidenceFile) -> str:
    return reverse("evidence_download", args=[file.pk])


def test_the_bytes_come_back_as_they_were_given(ada: User, mira: User, now: datetime, signed_in: SignIn) -> None:
    """Whoever may look may see the evidence; the auditor most of all."""
    response = signed_in(ada).get(url_of(kept("page.html", by=mira, now=now)))
    assert response.content == PAGE


def test_no_browser_shows_it_as_a_page(ada: User, mira: User, now: datetime, signed_in: SignIn) -> None:
    headers = signed_in(ada).get(url_of(kept("page.html", by=mira, now=now))).headers
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment; ")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "no-store" in headers["Cache-Control"]


@pytest.mark.parametrize(
    ("name", "plain", "whole"),
    [
        ("rec-01.log", "rec-01.log", "rec-01.log"),
        ('a"; filename="evil.exe', "a__ filename__evil.exe", "a%22%3B%20filename%3D%22evil.exe"),
        ("Übersicht 8.pdf", "_bersicht 8.pdf", "%C3%9Cbersicht%208.pdf"),
        ("..\\..\\boot.ini", ".._.._boot.ini", "..%5C..%5Cboot.ini"),
    ],
)
def test_a_name_cannot_break_out_of_its_header(
    name: str, plain: str, whole: str, mira: User, now: datetime, signed_in: SignIn
) -> None:
    said = signed_in(mira).get(url_of(kept(name, by=mira, now=now))).headers["Content-Disposition"]
    assert said == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}"


def test_who_may_not_look_gets_nothing(sam: User, mira: User, now: datetime, signed_in: SignIn) -> None:
    file = kept("rec-01.log", by=mira, now=now)
    assert signed_in(sam).get(url_of(file)).status_code == 403


def test_a_file_that_no_finding_refers_to_is_not_there(mira: User, now: datetime, signed_in: SignIn) -> None:
    file = services.keep_evidence("alone.log", b"x", by=Requester.at_screen(mira), now=now)
    client = signed_in(mira)
    assert client.get(url_of(file)).status_code == 404
    assert client.get(reverse("evidence_download", args=[uuid.uuid4()])).status_code == 404


def test_each_download_stands_in_the_ledger_with_who_took_what(
    ada: User, mira: User, now: datetime, signed_in: SignIn
) -> None:
    file = kept("page.html", by=mira, now=now)
    client = signed_in(ada)
    for _ in range(2):
        client.get(url_of(file))
    entries = LedgerEntry.objects.filter(action="evidence.downloaded")
    assert [entry.actor.label for entry in entries] == ["ada", "ada"]
    assert ledger.body_of(entries[0]).items() >= {"file": "page.html", "file_sha256": file.sha256}.items()
