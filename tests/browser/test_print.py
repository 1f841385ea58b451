"""A call on paper: what the screen folds away is there, what only a screen can do is not."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from sandbox.server import Sandbox
from tests import cast
from tests.browser.conftest import Desk

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_printed_call_is_a_copy_of_the_facts_with_full_dates(sandbox: Sandbox, desk: Desk, mira: User) -> None:
    now = timezone.now()
    sandbox.add_call(call_id="call-1", state="established")
    cast.call("call-1", at=now - timedelta(minutes=1), capture="stopped", told="recording")
    page = desk.sign_in(mira, "/calls/call-1/")
    expect(page.locator("#printed")).to_be_hidden()
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("#printed")).to_contain_text(re.compile(r"Printed by mira, \d+ \w{3} \d{4} [\d:]{8} UTC"))
    expect(page.get_by_role("region", name="Facts behind the timeline")).to_be_visible()
    day = page.locator("#changes time").first.evaluate("one => getComputedStyle(one, '::before').content")
    assert re.search(r"\d+ \w{3} \d{4}", day)
    for hidden in ("#correct", ".btn", ".rel", "summary"):
        assert page.locator(hidden).locator("visible=true").count() == 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    expect(page.get_by_role("region", name="Facts behind the timeline")).to_be_hidden()
