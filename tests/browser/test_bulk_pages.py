"""Selecting many calls at the screen, with script and without; the pages behind the forms break no rule either."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from recordings import findings
from recordings.models import BulkJob
from sandbox.server import Sandbox
from tests import cast
from tests.browser.conftest import Desk
from tests.browser.test_every_page import SCHEMES, WIDTHS, problems_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def calls(sandbox: Sandbox) -> None:
    """Two that Microsoft can be told about, one that is over."""
    now = timezone.now()
    for name in ("call-1", "call-2"):
        sandbox.add_call(call_id=name, state="established")
        cast.call(name, at=now - timedelta(minutes=2), capture="failed", told="recording")
    begun = now - timedelta(minutes=9)
    cast.call("call-over", at=begun, capture="failed", told="recording", ended_at=now - timedelta(minutes=5))
    findings.sweep(now)


def sort_all_as_failed(page: Page) -> None:
    page.get_by_label("Select all 3 calls").check()
    page.get_by_role("button", name="Correct…").click()
    page.get_by_role("radio", name=re.compile("Failed")).check()
    expect(page.locator("#group-canAct")).to_be_visible()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_behind_a_form_breaks_a_rule(
    browser: Browser, live_server: LiveServer, tom: User, width: int, scheme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    desk = Desk(context.new_page(), live_server.url)
    page = desk.sign_in(tom, "/findings/")
    page.locator(".pick").first.check()
    problems = problems_of(page, "findings with a selection")
    desk.open("/calls/")
    page.locator(".pick").first.check()
    problems += problems_of(page, "calls with a selection")
    sort_all_as_failed(page)
    page.locator("#group-canAct summary").click()
    problems += problems_of(page, "sorted calls")
    page.get_by_role("button", name="Attest this one").click()
    expect(page.locator("h1")).to_have_text("Attest what happened, for many calls")
    problems += problems_of(page, "attestation of many")
    desk.open("/calls/")
    page.locator(".pick").first.check()
    page.evaluate("document.querySelector('.pick').value = 'forged'")
    page.get_by_role("button", name="Attest…").click()
    expect(page.locator("h1")).to_have_text("Nothing was started")
    problems += problems_of(page, "nothing started")
    context.close()
    assert problems == []
    assert desk.complaints == []


def test_the_bar_counts_what_is_selected_and_says_it(desk: Desk, mira: User) -> None:
    page = desk.sign_in(mira, "/calls/")
    bar, said, whole_page = page.locator("#bulk-form"), page.locator("#live"), page.get_by_label("Select this page")
    expect(bar).to_be_hidden()
    page.locator(".pick").first.check()
    expect(bar).to_be_visible()
    expect(said).to_have_text("1 selected")
    whole_page.check()
    expect(said).to_have_text("3 selected")
    page.locator(".pick").first.uncheck()
    expect(whole_page).not_to_be_checked()
    expect(said).to_have_text("2 selected")
    page.get_by_role("button", name="Clear").click()
    expect(bar).to_be_hidden()
    expect(said).to_have_text("0 selected")


def test_another_status_keeps_the_focus_and_what_was_typed(desk: Desk, mira: User) -> None:
    page = desk.sign_in(mira, "/calls/")
    sort_all_as_failed(page)
    page.get_by_label("Reason").fill("half a sentence")
    page.get_by_role("radio", name=re.compile("Failed")).press("ArrowUp")
    expect(page.locator("#group-needsApproval")).to_be_visible()
    expect(page.get_by_role("radio", name=re.compile("Not recording"))).to_be_focused()
    expect(page.get_by_label("Reason")).to_have_value("half a sentence")


def test_without_script_the_same_job_is_started(desk: Desk, browser: Browser, mira: User) -> None:
    context = browser.new_context(java_script_enabled=False)
    plain = Desk(context.new_page(), desk.site)
    page = plain.sign_in(mira, "/calls/")
    expect(page.get_by_label("Select this page")).to_be_hidden()
    for row in page.locator(".pick").all():
        row.check()
    page.get_by_role("button", name="Correct…").click()
    page.get_by_role("radio", name=re.compile("Failed")).check()
    page.get_by_role("button", name="Sort the calls").click()
    page.get_by_label("Reason").fill("the recorder broke down")
    page.get_by_role("button", name="Start: tell Teams “Failed” for 2 calls; leave out 1").click()
    expect(page.locator("h1")).to_have_text("Correction of 3 calls")
    page.get_by_role("link", name="Stop the rest").click()
    page.get_by_role("button", name="Stop the rest").click()
    expect(page.locator("#bulk-progress")).to_contain_text("stopped by mira")
    assert BulkJob.objects.get().stopped_at
    context.close()
    assert plain.complaints == []
