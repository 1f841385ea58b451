"""What the pages do for the one in front of them: keep typed text honest, close menus, stay out of the way."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from recordings.models import Call
from sandbox.server import Sandbox
from tests import cast
from tests.browser.conftest import Desk

pytestmark = pytest.mark.django_db(transaction=True)

POLL = re.compile(r"\?poll=1")


@pytest.fixture
def call(sandbox: Sandbox) -> Call:
    now = timezone.now()
    sandbox.add_call(call_id="call-1", state="established")
    cast.call("call-1", at=now - timedelta(minutes=1), capture="stopped", told="recording")
    cast.heartbeat("call-1", at=now, capture="stopped")
    return Call.objects.get(graph_id="call-1")


def test_typed_text_stays_and_says_when_the_facts_have_changed(call: Call, desk: Desk, mira: User) -> None:
    page = desk.sign_in(mira, "/calls/call-1/")
    page.get_by_label("Reason").fill("the desk checked")
    note = page.get_by_text("The facts of this call have changed since you began.")
    with page.expect_response(POLL):
        pass
    expect(note).to_be_hidden()
    cast.tell("capture.failed", "call-1", at=timezone.now())
    with page.expect_response(POLL):
        pass
    expect(note).to_be_visible()
    expect(page.get_by_label("Reason")).to_have_value("the desk checked")
    expect(page.locator("#call-status")).to_contain_text("Capture failed")


def test_escape_closes_the_account_menu_and_leads_back_to_it(call: Call, desk: Desk, mira: User) -> None:
    page = desk.sign_in(mira, "/calls/")
    summary = page.locator("summary", has_text="Account")
    summary.click()
    page.get_by_role("button", name="Dark").focus()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(summary).to_be_focused()


def test_the_result_does_not_cover_the_correction_panel(call: Call, desk: Desk, mira: User) -> None:
    page = desk.sign_in(mira, "/calls/call-1/")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("radio", name=re.compile("Not recording")).check()
    page.get_by_label("Reason").fill("the desk checked")
    page.get_by_role("button", name="Send the correction").click()
    toast, panel = page.locator(".toast").bounding_box(), page.locator("#correct").bounding_box()
    assert toast
    assert panel
    assert toast["x"] + toast["width"] < panel["x"]


def test_without_script_no_page_promises_to_update(call: Call, desk: Desk, mira: User) -> None:
    promises = re.compile("Updates every 5 s|Figures refresh every")
    page = desk.sign_in(mira, "/calls/call-1/")
    expect(page.get_by_text(promises)).to_be_visible()
    expect(page.get_by_text("Reload the page to see")).to_be_hidden()
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False)
    plain = Desk(context.new_page(), desk.site)
    plain.sign_in(mira)
    for path in ("/calls/call-1/", "/"):
        page = plain.open(path)
        expect(page.get_by_text(promises)).to_be_hidden()
        expect(page.get_by_text(re.compile("Reload the page (to see|for newer)"))).to_be_visible()
    context.close()
