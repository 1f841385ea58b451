"""An export from the list it begins on to the file that an auditor checks."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from recordings.choices import ExportStatus
from recordings.models import Export
from tests import cast
from tests.browser.conftest import Desk
from tests.exports.background import make, seal, verify

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def calls() -> None:
    now = timezone.now()
    for number, told in enumerate(("recording", "recording", "failed")):
        cast.call(f"call-{number}", at=now - timedelta(minutes=5), capture="started", told=told)


def test_from_a_list_to_a_file_that_is_checked(calls: None, desk: Desk, olga: User, tmp_path: Path) -> None:
    page = desk.sign_in(olga, "/calls/?told=recording")
    page.get_by_role("link", name="Export with proof").click()
    estimate = page.locator("#estimate")
    expect(estimate).to_contain_text("2 rows by now")
    page.get_by_label("Told to Teams").select_option("failed")
    page.get_by_role("button", name="Count again").click()
    expect(estimate).to_contain_text("1 row by now")
    expect(estimate).to_contain_text("Told to Teams: Failed")
    page.get_by_role("button", name="Start export").click()
    expect(page.get_by_text("Say what the export is for.")).to_be_visible()
    page.get_by_label("Reason").fill("the auditor asked")
    page.get_by_label(re.compile("With the ledger")).check()
    page.get_by_role("button", name="Start export").click()
    expect(page.get_by_role("heading", name="Exports", exact=True)).to_be_visible()
    row = page.locator("#export-rows tbody tr")
    expect(row).to_contain_text("Waiting")
    seal(timezone.now())
    make(timezone.now())
    expect(row).to_contain_text("Ready")
    with page.expect_download() as download:
        row.get_by_role("link", name=re.compile("^Download")).click()
    export = Export.objects.get()
    assert export.status == ExportStatus.READY
    assert download.value.suggested_filename == f"calls-{export.requested_at:%Y%m%dT%H%M%SZ}.zip"
    checked = verify(download.value.path().read_bytes(), tmp_path)
    assert checked.returncode == 0, checked.stdout
    assert "PASSED" in checked.stdout


def test_without_script_it_is_asked_for_all_the_same(calls: None, desk: Desk, olga: User) -> None:
    browser = desk.page.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False)
    plain = Desk(context.new_page(), desk.site)
    page = plain.sign_in(olga, "/exports/new/?sheet=ledger")
    page.get_by_role("button", name="Count again").click()
    expect(page.locator("#estimate")).to_contain_text("rows by now")
    page.get_by_label("Reason").fill("the auditor asked")
    page.get_by_role("button", name="Start export").click()
    expect(page.get_by_text("It is in line.")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Stop")).click()
    expect(page.get_by_text("Stopped by olga.")).to_be_visible()
    context.close()
