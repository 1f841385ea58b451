"""The page of an evidence pack, opened from disk and printed: it is whole without On Record, and fits on A4."""

import io
import re
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Browser, Page
from pytest_django import Settings

from recordings.exports import Subject
from recordings.models import Call
from tests.exports.background import file_of, seal
from tests.exports.test_evidence_pack import pack_of
from tests.pages import calls_cast
from tests.pages.corrections import completed

pytestmark = pytest.mark.django_db(transaction=True)

# A4 in points of 1/72 inch, as a PDF says it.
A4 = (595, 842)


@pytest.fixture
def evidence(settings: Settings, mira: User, tmp_path: Path) -> Path:
    """evidence.html, as somebody unpacked it."""
    key = Ed25519PrivateKey.generate()
    settings.LEDGER_SIGNING_KEY = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    now = timezone.now()
    call = calls_cast.capturing_untold("call-1", now=now - timedelta(minutes=5))
    completed(call, by=mira, now=now - timedelta(minutes=4))
    Call.objects.filter(pk=call.pk).update(subject="A very long subject " * 12)
    seal(now)
    pack = zipfile.ZipFile(io.BytesIO(file_of(pack_of(Subject(Call.objects.get()), mira, now=now))))
    return Path(pack.extract("evidence.html", tmp_path))


def opened(browser: Browser, file: Path, *, width: int) -> tuple[Page, list[str]]:
    page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("request", lambda request: told.append(request.url) if request.url != file.as_uri() else None)
    page.goto(file.as_uri())
    return page, told


@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_is_whole_and_readable_by_itself(width: int, browser: Browser, evidence: Path) -> None:
    page, told = opened(browser, evidence, width=width)
    assert told == []
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.get_by_role("heading", level=1).inner_text() == "Evidence pack of call call-1"


def test_it_prints_on_a4(browser: Browser, evidence: Path) -> None:
    page, _ = opened(browser, evidence, width=1440)
    printed = page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox ?\[ ?0 0 ([\d.]+) ([\d.]+) ?\]", printed)
    assert boxes
    for width, height in boxes:
        assert (round(float(width)), round(float(height))) == A4
