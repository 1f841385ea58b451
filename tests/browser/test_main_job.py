"""The main job, as people do it: see a stuck call, correct it through Graph, prove it in a CSV."""

import csv
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from recordings import findings
from recordings.models import Call, Operation
from sandbox.server import Sandbox
from tests import cast
from tests.browser.conftest import Desk

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stuck(sandbox: Sandbox) -> Call:
    """The recorder stopped two minutes ago; Teams still shows recording."""
    now = timezone.now()
    sandbox.add_call(call_id="stuck-call", state="established")
    cast.call("stuck-call", at=now - timedelta(minutes=1), capture="stopped", told="recording")
    cast.heartbeat("stuck-call", at=now, capture="stopped")
    findings.sweep(now)
    return Call.objects.get(graph_id="stuck-call")


def test_the_admin_corrects_a_stuck_call_and_the_officer_finds_it_in_the_csv(
    sandbox: Sandbox, stuck: Call, desk: Desk, mira: User, olga: User, tmp_path: Path
) -> None:
    page = desk.sign_in(mira)
    worst = page.locator("#worst")
    expect(worst).to_contain_text("Told recording, but not capturing")
    worst.get_by_role("link", name=re.compile("Correct")).first.click()
    page.wait_for_url(re.compile("/calls/stuck-call/"))
    desk.open("/calls/stuck-call/")

    lane_before = page.locator("#timeline svg.tl").inner_html()
    changes_before = page.locator("#changes tbody tr").count()
    page.evaluate("window.neverReloaded = true")
    page.get_by_role("radio", name=re.compile("Not recording")).check()
    page.get_by_label("Reason").fill("rec-01 stopped at 14:30, desk confirmed")
    page.get_by_role("button", name=re.compile("Send the correction")).click()

    expect(page.locator("#call-status")).to_contain_text("Not recording")
    operation = Operation.objects.get()
    expect(page.locator("#ops")).to_contain_text(operation.graph_operation_id[:8])
    expect(page.locator("#ops")).to_contain_text("Completed")
    expect(page.locator("#changes tbody tr")).to_have_count(changes_before + 1)
    expect(page.locator("#changes")).to_contain_text("desk confirmed")
    assert page.locator("#timeline svg.tl").inner_html() != lane_before
    assert page.evaluate("window.neverReloaded") is True

    row = the_row_in_the_officers_csv(desk, olga, operation, tmp_path)
    assert (row["call_id"], row["old"], row["new"]) == ("stuck-call", "recording", "notRecording")
    assert row["reason"] == "rec-01 stopped at 14:30, desk confirmed"


def the_row_in_the_officers_csv(desk: Desk, olga: User, operation: Operation, directory: Path) -> dict[str, str]:
    page = desk.page
    page.context.clear_cookies()
    desk.sign_in(olga, "/calls/stuck-call/")
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("History")).first.click()
    target = directory / "history.csv"
    download.value.save_as(target)
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["operation_id"] == str(operation.pk)]
    (change,) = [row for row in rows if row["field"] == "recording_status"]
    (answered,) = [row for row in rows if row["action"] == "correction.answered"]
    assert answered["graph_operation_id"] == operation.graph_operation_id
    assert answered["request_id"]
    return change


def test_without_script_the_same_job_works(
    sandbox: Sandbox, stuck: Call, desk: Desk, mira: User, browser: object
) -> None:
    context = desk.page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    plain = Desk(context.new_page(), desk.site)
    page = plain.sign_in(mira, "/calls/stuck-call/")
    page.get_by_role("radio", name=re.compile("Not recording")).check()
    page.get_by_label("Reason").fill("desk confirmed")
    page.get_by_role("button", name=re.compile("Send the correction")).click()
    page.wait_for_url(re.compile("/calls/stuck-call/"))
    expect(page.locator("#call-status")).to_contain_text("Not recording")
    context.close()
    assert plain.complaints == []
