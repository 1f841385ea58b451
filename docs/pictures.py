"""Make the pictures of README.md and the runbook: run the demo, look at it as mira, at 1440 px in the light theme.

    .venv/bin/python docs/pictures.py

Needs the development set (`make test` installs it) and Chromium; CHROMIUM names another one.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
WIDTH = 1440
LONGEST_WAIT_MS = 90_000
READY = "Ctrl-C stops everything."
_PERSON = re.compile(r"^ +(?P<name>\w+) +(?P<password>\S+) {3}(?P<role>.+)$")


@contextmanager
def demo() -> Iterator[tuple[str, dict[str, str]]]:
    """A demo on free ports: where it is, and each person's password."""
    port, sandbox_port = _free_ports()
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "manage.py", "demo", "--port", str(port), "--sandbox-port", str(sandbox_port)]
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*command, "--directory", directory], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        try:
            yield f"http://localhost:{port}", _passwords(process)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


def _free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


def _passwords(process: "subprocess.Popen[str]") -> dict[str, str]:
    """What the demo prints, read until it is ready."""
    passwords: dict[str, str] = {}
    assert process.stdout is not None
    for line in process.stdout:
        person = _PERSON.match(line.rstrip("\n"))
        if person:
            passwords[person["name"]] = person["password"]
        if READY in line:
            return passwords
    raise SystemExit("The demo ended before it was ready.")


def sign_in(page: Page, site: str, name: str, password: str) -> None:
    page.goto(f"{site}/login/")
    page.locator("input[name=username]").fill(name)
    page.locator("input[name=password]").fill(password)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(f"{site}/")


def take_pictures(page: Page, site: str) -> None:
    """The overview and the queue once findings are open, then the call that Teams still shows as recorded."""
    page.goto(f"{site}/")
    for rule in ("R1", "R2", "R7"):
        page.get_by_text(re.compile(rf"rule {rule}\b")).first.wait_for(timeout=LONGEST_WAIT_MS)
    page.goto(f"{site}/")
    _take(page, "overview", height=1150)
    page.goto(f"{site}/findings/")
    _take(page, "findings", height=1150)
    page.goto(f"{site}/")
    page.locator("#worst li", has_text=re.compile(r"rule R2\b")).first.locator("a.f-t").click()
    page.get_by_role("link", name="Correct it on the call's page").click()
    page.wait_for_url(re.compile(r"/calls/[\w-]+/"))
    _take(page, "call", height=1250)


def _take(page: Page, name: str, *, height: int) -> None:
    page.set_viewport_size({"width": WIDTH, "height": height})
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path, animations="disabled")
    sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KiB\n")


def main() -> None:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("Chromium is missing. Install it, or name it with CHROMIUM=/path.")
    PICTURES.mkdir(exist_ok=True)
    with demo() as (site, passwords), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light", locale="en-GB")
        sign_in(page, site, "mira", passwords["mira"])
        take_pictures(page, site)
        browser.close()


if __name__ == "__main__":
    main()
