"""Sending a correction with an impatient hand: one POST, one answer, and the person is told where it stands."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, Request, Route, expect

from recordings.models import Call, Operation
from sandbox.server import Sandbox
from tests import cast
from tests.browser.conftest import Desk

pytestmark = pytest.mark.django_db(transaction=True)

SEND = re.compile("Send the correction|Sending")


@pytest.fixture
def call(sandbox: Sandbox) -> Call:
    now = timezone.now()
    sandbox.add_call(call_id="stuck-call", state="established")
    cast.call("stuck-call", at=now - timedelta(minutes=1), capture="stopped", told="recording")
    cast.heartbeat("stuck-call", at=now, capture="stopped")
    return Call.objects.get(graph_id="stuck-call")


def filled_in(desk: Desk, user: User) -> Page:
    page = desk.sign_in(user, "/calls/stuck-call/")
    page.get_by_role("radio", name=re.compile("Not recording")).check()
    page.get_by_label("Reason").fill("the desk checked")
    return page


def test_a_double_click_sends_one_correction_and_says_so(call: Call, desk: Desk, mira: User) -> None:
    page = filled_in(desk, mira)
    sent: list[str] = []
    held: list[Route] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            sent.append(request.url)

    def hold(route: Route) -> None:
        held.append(route)

    page.on("request", note)
    page.route("**/correct/", hold)
    page.get_by_role("button", name=SEND).dblclick()
    button = page.locator("#correct button[type=submit]")
    expect(button).to_be_disabled()
    expect(button).to_have_text(re.compile("Sending…"))
    expect(button.locator(".idle")).to_be_hidden()
    expect(button.locator(".busy")).to_be_visible()
    held[0].continue_()

    expect(page.locator("#ops")).to_contain_text("Completed")
    expect(page.locator("h1")).to_be_focused()
    expect(page.locator("#live")).to_have_text("Correction: Completed.")
    expect(page.locator(".toast")).to_contain_text("Microsoft confirmed it.")
    assert len(sent) == 1
    assert Operation.objects.count() == 1


def test_the_panel_and_the_other_regions_still_update_after_it(call: Call, desk: Desk, mira: User) -> None:
    """The focus rests outside what polls replace, so nothing of it is held back."""
    page = filled_in(desk, mira)
    page.get_by_role("button", name=SEND).click()
    expect(page.locator("h1")).to_be_focused()
    regions = ("#call-status", "#timeline", "#changes", "#ops", "#correct")
    assert not any(page.locator(f"{region}:focus-within").count() for region in regions)


def test_a_poll_copies_no_style_attribute_into_what_it_brings(call: Call, desk: Desk, mira: User) -> None:
    """A tool may have styled a region by script; htmx would copy that attribute, which the policy refuses."""
    page = desk.sign_in(mira, "/calls/stuck-call/")
    page.evaluate("document.getElementById('timeline').style.pointerEvents = 'auto'")
    with page.expect_response(re.compile(r"\?poll=1")):
        pass
    page.wait_for_function("!document.getElementById('timeline').hasAttribute('style')")


def test_without_script_pause_and_theme_keep_one_on_the_page(call: Call, desk: Desk, mira: User) -> None:
    browser = desk.page.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False)
    plain = Desk(context.new_page(), desk.site)
    plain.sign_in(mira)
    page = plain.open("/calls/?q=dana&phase=open")
    here = page.url
    page.get_by_role("button", name="Pause updates").click()
    expect(page.get_by_role("button", name="Resume updates")).to_be_visible()
    page.locator("summary", has_text="Account").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.url == here
    context.close()
    assert plain.complaints == []


def test_with_script_pause_leads_back_to_the_filtered_list(call: Call, desk: Desk, mira: User) -> None:
    page = desk.sign_in(mira, "/calls/")
    page.get_by_role("link", name="In progress", exact=True).click()
    page.wait_for_url(re.compile("phase=open"))
    page.locator("#q").fill("dana")
    page.locator("#q").press("Enter")
    page.wait_for_url(re.compile("q=dana"))
    page.get_by_role("button", name="Pause updates").click()
    expect(page.get_by_role("button", name="Resume updates")).to_be_visible()
    assert "q=dana" in page.url
