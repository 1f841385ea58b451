"""Working the queue: 120 stuck calls corrected at once, five of which fail, until every one is accounted for."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings

from recordings import findings
from recordings.choices import BulkItemStatus, Resolution
from recordings.models import BulkItem, BulkJob, Call, Finding, LedgerEntry
from sandbox.server import Sandbox
from tests import cast
from tests.at_graph import UPDATE, posts
from tests.browser.conftest import Desk
from tests.processes import environment, manage

pytestmark = pytest.mark.django_db(transaction=True)

STUCK = 120
# What the first POST of each of these comes to. Trying again can mend the first three.
TROUBLES: dict[str, dict[str, Any]] = {
    "call-in-conflict": {"do": "error", "status": 409},
    "call-too-early": {"do": "error", "status": 412},
    "call-microsoft-failed": {"do": "operation", "operation": {"status": "failed", "code": 500, "subcode": 7}},
    "call-without-policy": {"do": "error", "status": 403, "code": "8506"},
    "call-gone": {"do": "error", "status": 404, "code": "8522"},
}
ENDED = ("call-ended-1", "call-ended-2", "call-ended-3")
A_WHILE = 60_000


@pytest.fixture
def queue(sandbox: Sandbox, settings: Settings) -> datetime:
    """The recorders broke down five minutes ago; Teams still shows recording, of three calls even after their end."""
    # A gone call is stuck at once, so that nobody waits for it.
    settings.STUCK_AFTER_END = 0.0
    now = timezone.now()
    names = [*TROUBLES, *(f"call-{number:03}" for number in range(STUCK - len(TROUBLES)))]
    begun = now - timedelta(minutes=5)
    for name in names:
        sandbox.add_call(call_id=name, state="established")
        cast.call(name, at=begun, capture="failed", told="recording")
    for name in ENDED:
        cast.call(name, at=begun, capture="failed", told="recording", ended_at=now - timedelta(minutes=2))
    for name, trouble in TROUBLES.items():
        sandbox.fault(action=UPDATE, call_id=name, **trouble)
    findings.sweep(now)
    assert Call.objects.stuck().count() == STUCK + len(ENDED)
    return now


@pytest.fixture
def worker(sandbox: Sandbox, queue: datetime) -> Iterator[None]:
    """The real background work, a process of its own."""
    process = manage("work", "--every", "1", env=environment(sandbox, STUCK_AFTER_END="0"))
    yield
    process.terminate()
    process.communicate(timeout=60)


@pytest.mark.usefixtures("worker")
def test_a_hundred_and_twenty_calls_are_put_right_and_each_is_accounted_for(
    sandbox: Sandbox, desk: Desk, mira: User
) -> None:
    page = desk.sign_in(mira, "/calls/?stuck=1")
    start_the_correction(page)
    see_it_fill(page)
    first = BulkJob.objects.get()
    assert outcomes(first) == {"done": STUCK - 5, "failed": 5, "refused": len(ENDED)}
    five_reasons(page)
    retry_the_failed(page)
    again = BulkJob.objects.get(retry_of=first)
    assert outcomes(again) == {"done": 3}
    attest_the_ended(page, first)
    attested = BulkJob.objects.get(kind="attest")
    assert outcomes(attested) == {"done": len(ENDED) + 1}
    everything_is_accounted_for(sandbox)


def start_the_correction(page: Page) -> None:
    page.get_by_label("Select all 123 calls that fit the filter").check()
    expect(page.locator("#live")).to_have_text("All 123 selected")
    page.get_by_role("button", name="Correct…").click()
    page.wait_for_url(re.compile("/calls/bulk/"))
    expect(page.locator("main")).to_contain_text("that fitted “Stuck only”")
    page.get_by_role("radio", name=re.compile("Failed")).check()
    expect(page.locator("#group-canAct")).to_contain_text("120")
    expect(page.locator("#group-attestOnly")).to_contain_text("3")
    page.get_by_label("Reason").fill("the recorders broke down at noon")
    page.get_by_role("button", name="Start: tell Teams “Failed” for 120 calls; leave out 3").dblclick()
    page.wait_for_url(re.compile(r"/bulk/[0-9a-f-]{36}/"))


def see_it_fill(page: Page) -> None:
    """Without a reload: the progress, the counts, and what became of each call."""
    page.evaluate("window.neverReloaded = true")
    expect(page.locator("#bulk-progress")).to_contain_text("Finished: 123 of 123 accounted for", timeout=A_WHILE)
    expect(page.locator("#bulk-items .tabs")).to_contain_text(re.compile(r"Done\s*115"))
    expect(page.locator("#bulk-items .tabs")).to_contain_text(re.compile(r"Failed\s*5"))
    expect(page.locator("#bulk-items .tabs")).to_contain_text(re.compile(r"Left out by On Record\s*3"))
    expect(page.locator("#live")).to_have_text("The job is over: 115 of 123 done.")
    expect(page.locator("#bulk-steps")).to_contain_text("Bulk job finished")
    assert page.evaluate("window.neverReloaded") is True


def five_reasons(page: Page) -> None:
    page.locator("#bulk-items .tabs").get_by_role("link", name=re.compile("Failed")).click()
    rows = page.locator("#bulk-item-rows tbody tr")
    expect(rows).to_have_count(5)
    titles = rows.locator(".explainer b:first-of-type").all_inner_texts()
    assert len({title for title in titles if not title.startswith("Next")}) == 5


def retry_the_failed(page: Page) -> None:
    expect(page.locator("#bulk-actions")).to_contain_text("3 failed in a way that trying again can mend")
    expect(page.locator("#bulk-actions")).to_contain_text("2 cannot come right by trying again")
    page.get_by_role("button", name="Try the 3 failed again").click()
    expect(page.locator("h1")).to_have_text("Correction of 3 calls")
    expect(page.locator("#bulk-progress")).to_contain_text("Finished: 3 of 3 accounted for", timeout=A_WHILE)


def attest_the_ended(page: Page, job: BulkJob) -> None:
    """Those that ended before, and the one that Microsoft did not find any more."""
    gone_is_stuck = Finding.objects.open().filter(call__graph_id="call-gone")
    for _ in range(300):
        if gone_is_stuck.exists():
            break
        page.wait_for_timeout(100)
    page.goto(re.sub(r"/bulk/.*", f"/bulk/{job.pk}/", page.url))
    expect(page.locator("#bulk-actions")).to_contain_text("4 calls are over and still stuck.")
    page.get_by_role("button", name="Attest them").click()
    page.get_by_label("Cause").select_option("recorderCrash")
    page.get_by_label("What happened").fill("the recorders broke down before the end")
    page.get_by_label("Evidence").fill("incident 4711")
    page.get_by_role("button", name="Start: close the findings of 4 calls on my word").click()
    expect(page.locator("h1")).to_have_text("Attestation of 4 calls")
    expect(page.locator("#bulk-progress")).to_contain_text("Finished: 4 of 4 accounted for", timeout=A_WHILE)


def everything_is_accounted_for(sandbox: Sandbox) -> None:
    """Every call was told, or attested, or takes no status at all and says so. Nothing was sent twice."""
    told = set(Call.objects.filter(recording_status="failed").values_list("graph_id", flat=True))
    assert len(told) == STUCK - 2
    by_word = Finding.objects.filter(resolution=Resolution.ATTESTED, evidence="incident 4711")
    attested = set(by_word.values_list("call__graph_id", flat=True))
    assert attested == {*ENDED, "call-gone"}
    left = set(Call.objects.values_list("graph_id", flat=True)) - told - attested
    assert left == {"call-without-policy"}
    assert Call.objects.get(graph_id="call-without-policy").status_refused_at
    assert len(posts(sandbox)) == STUCK + 3
    assert LedgerEntry.objects.filter(action="bulk.finished").count() == 3


def outcomes(job: BulkJob) -> dict[str, int]:
    items = list(BulkItem.objects.filter(job=job).values_list("status", flat=True))
    return {status.value: items.count(status) for status in BulkItemStatus if status in items}
