"""Every page, at a desk's and a phone's width, light and dark: no CSP violation, no axe finding, no sideways scroll."""

from datetime import datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from recordings import exports, findings, services
from recordings.choices import ExportSheet
from recordings.models import BulkJob, Call, Finding, Operation
from recordings.services import Requester, Selection
from sandbox.server import Sandbox
from tests import cast
from tests.at_graph import UPDATE
from tests.browser.conftest import Desk
from tests.exports.background import ask, made

pytestmark = pytest.mark.django_db(transaction=True)

WIDTHS = (1440, 390)
SCHEMES = ("light", "dark")
AXE = Axe()


@pytest.fixture
def story(sandbox: Sandbox, mira: User) -> dict[str, str]:
    """Calls in every condition that a page draws differently; the paths of the pages that show them."""
    now = timezone.now()
    by = Requester.at_screen(mira)
    for name in ("live", "lost", "refused", "waiting"):
        sandbox.add_call(call_id=f"{name}-call", state="established")
        cast.call(f"{name}-call", at=now - timedelta(minutes=2), capture="stopped", told="recording")
    cast.call(
        "ended-call",
        at=now - timedelta(minutes=2),
        capture="stopped",
        told="recording",
        ended_at=now - timedelta(minutes=1),
    )
    cast.call("new-call", at=now, state="incoming")
    findings.sweep(now)
    # Before the refusal of the whole tenant, which holds back what nobody waits for.
    job = _bulk_job(sandbox, by)
    waiting = _ask("waiting-call", "notRecording", by)
    _ask_with_fault(sandbox, "lost-call", by, "close", when="after")
    _ask_with_fault(sandbox, "refused-call", by, "error", status=403, code="7504")
    ended = Finding.objects.open().get(call__graph_id="ended-call")
    live = Finding.objects.open().get(call__graph_id="live-call")
    handled = _handle(Finding.objects.open().get(call__graph_id="waiting-call"), by, now=now)
    attested = _attested("attested-call", by, now=now)
    lost = Operation.objects.get(call__graph_id="lost-call")
    return {
        "overview": "/",
        "calls": "/calls/",
        "no calls": "/calls/?q=nothing-is-called-so",
        "live call": "/calls/live-call/",
        "ended call": "/calls/ended-call/",
        "call with a lost answer": "/calls/lost-call/",
        "call with a refusal": "/calls/refused-call/",
        "new call": "/calls/new-call/",
        "call as of a moment": f"/calls/lost-call/?as_of={now:%Y-%m-%dT%H:%M:%S}",
        "call before it was known": "/calls/lost-call/?as_of=2020-01-01T00:00:00",
        "evidence pack of a call": "/calls/live-call/pack/",
        "evidence pack of a finding": f"/findings/{live.pk}/pack/",
        "correct": "/calls/live-call/correct/",
        "findings": "/findings/",
        "my findings": "/findings/?phase=mine",
        "findings put off": "/findings/?phase=asleep",
        "closed findings": "/findings/?phase=closed",
        "no findings": "/findings/?subject=tenant",
        "finding": f"/findings/{live.pk}/",
        "finding that sleeps": f"/findings/{handled.pk}/",
        "finding of an ended call": f"/findings/{ended.pk}/",
        "attested finding": f"/findings/{attested.pk}/",
        "attest": f"/findings/{ended.pk}/attest/",
        "operations": "/operations/",
        "close": f"/operations/{lost.pk}/close/",
        "approvals": "/approvals/",
        "approval": f"/approvals/{waiting.pk}/",
        "bulk jobs": "/bulk/",
        "bulk job": f"/bulk/{job.pk}/",
        "bulk job, what failed": f"/bulk/{job.pk}/?status=failed",
        "stop": f"/bulk/{job.pk}/stop/",
        **_exports(by, now=now),
        "admin": "/admin/",
        "admin calls": "/admin/recordings/call/",
        "admin call": f"/admin/recordings/call/{lost.call_id}/change/",
        "admin operations": "/admin/recordings/operation/",
        "admin ledger": "/admin/recordings/ledgerentry/",
    }


def _bulk_job(sandbox: Sandbox, by: Requester) -> BulkJob:
    """One call done, one failed, one refused, since it is over."""
    now = timezone.now()
    for name in ("bulk-done", "bulk-failed"):
        sandbox.add_call(call_id=name, state="established")
        cast.call(name, at=now - timedelta(minutes=2), capture="failed", told="recording")
    sandbox.fault("error", action=UPDATE, call_id="bulk-failed", status=409)
    calls = Call.objects.filter(graph_id__in=("bulk-done", "bulk-failed", "ended-call"))
    words = Selection("3 calls, chosen one by one")
    job = services.start_bulk(calls, wish="failed", reason="the recorder broke down", by=by, selection=words, now=now)
    services.run_bulk_due(now)
    return job


def _exports(by: Requester, *, now: datetime) -> dict[str, str]:
    """One that is made, one that was stopped and one that waits."""
    made(by.user, now=now)
    exports.stop_export(ask(by.user, now=now, sheet=ExportSheet.CALLS), actor=by.actor, now=now)
    ask(by.user, now=now, sheet=ExportSheet.LEDGER, estimated_rows=100)
    pages = {f"new export of {sheet}": f"/exports/new/?sheet={sheet}" for sheet in exports.EVERY_SHEET}
    return {"exports": "/exports/", "no such exports": "/exports/new/?told=shouting", **pages}


def _ask(call_id: str, wish: str, by: Requester) -> Operation:
    call = Call.objects.get(graph_id=call_id)
    return services.request_correction(call, wish=wish, reason="the desk checked", by=by, now=timezone.now())


def _handle(finding: Finding, by: Requester, *, now: datetime) -> Finding:
    seen = services.assign(services.acknowledge(finding, by=by, now=now), to=by.user, by=by, now=now)
    services.comment(seen, text="The vendor looks at it.", by=by, now=now)
    return services.snooze(seen, until=now + timedelta(days=1), reason="until the vendor answers", by=by, now=now)


def _attested(call_id: str, by: Requester, *, now: datetime) -> Finding:
    ago = now - timedelta(minutes=2)
    cast.call(call_id, at=ago, capture="stopped", told="recording", ended_at=ago)
    findings.sweep(now)
    finding = Finding.objects.open().get(call__graph_id=call_id)
    file = ("rec-01.log", b"14:32:08 the line dropped")
    link = "https://tickets.contoso.example/INC-20418"
    return services.attest(
        finding, by=by, reason="seen in the log", root_cause="network", evidence=link, file=file, now=now
    )


def _ask_with_fault(sandbox: Sandbox, call_id: str, by: Requester, do: str, **fault: object) -> None:
    sandbox.fault(do, action=UPDATE, **fault)
    services.send_operation(_ask(call_id, "failed", by).pk)


def problems_of(page: Page, name: str) -> list[str]:
    found = [f"{name}: {v['id']}: {v['nodes'][0]['html'][:200]}" for v in AXE.run(page).response["violations"]]
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        found.append(f"{name}: scrolls sideways")
    return found


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_breaks_a_rule(
    browser: Browser, live_server: LiveServer, story: dict[str, str], tom: User, width: int, scheme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    desk = Desk(context.new_page(), live_server.url)
    desk.open("/login/")
    problems = problems_of(desk.page, "login")
    desk.sign_in(tom)
    for name, path in story.items():
        response = desk.page.goto(desk.site + path)
        assert response is not None
        assert response.status == 200, name
        policy = response.headers["content-security-policy"]
        assert "unsafe" not in policy
        problems += problems_of(desk.page, f"{name} at {width} px, {scheme}")
    context.close()
    assert desk.complaints == []
    assert problems == []


def test_a_violation_would_be_noticed(desk: Desk, tom: User) -> None:
    """The check itself can fail: an inline script of ours would be refused by the browser, and be seen here."""
    page = desk.sign_in(tom)
    page.evaluate("document.head.insertAdjacentHTML('beforeend', '<style>body{color:red}</style>')")
    page.wait_for_function("true")
    assert any("Content Security Policy" in complaint for complaint in desk.complaints)
    desk.complaints.clear()


def test_a_page_without_a_role_says_what_to_do(browser: Browser, live_server: LiveServer, sam: User) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 900})
    desk = Desk(context.new_page(), live_server.url)
    desk.open("/login/")
    desk.page.get_by_label("User name").fill(sam.get_username())
    desk.page.get_by_label("Password", exact=True).fill(cast.PASSWORD)
    desk.page.get_by_role("button", name="Sign in").click()
    assert "role" in desk.page.locator("main").inner_text()
    assert problems_of(desk.page, "no role") == []
    context.close()
