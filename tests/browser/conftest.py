"""A real Chromium on the real site: what a person sees, and what the browser complains of."""

import os
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from tests import cast

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Debian's Chromium, or the one CHROMIUM names; the browser builds of the test tool are never downloaded."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.fail("Chromium is missing. Debian: apt-get install chromium, or leave these tests out with BROWSER=0.")
    return {"executable_path": found, "args": ["--no-sandbox", "--disable-background-networking"]}


class Desk:
    """One person at one screen. Whatever the browser complains of is kept, and must be nothing."""

    def __init__(self, page: Page, site: str) -> None:
        self.page, self.site = page, site
        self.complaints: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("response", self._see)

    def _hear(self, message: Any) -> None:
        # A 4xx that a test provokes is noted by the browser, too; what it was shows in `_see`.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def _see(self, response: Any) -> None:
        if response.status == 404 or response.status >= 500:
            self.complaints.append(f"{response.status} for {response.url}")

    def open(self, path: str) -> Page:
        self.page.goto(self.site + path)
        return self.page

    def sign_in(self, user: User, path: str = "/") -> Page:
        self.open(f"/login/?next={path}")
        self.page.get_by_label("User name").fill(user.get_username())
        self.page.get_by_label("Password", exact=True).fill(cast.PASSWORD)
        self.page.get_by_role("button", name=re.compile("sign in", re.IGNORECASE)).click()
        self.page.wait_for_url(self.site + path)
        return self.page


@pytest.fixture
def desk(browser: Browser, live_server: LiveServer) -> Iterator[Desk]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    at = Desk(context.new_page(), live_server.url)
    yield at
    context.close()
    assert at.complaints == []
