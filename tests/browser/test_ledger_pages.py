"""The ledger in a real browser: its pages keep every rule, and a verification is watched without reloading."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from recordings import ledger, services
from recordings.ledger.keys import key_from
from recordings.models import LedgerEntry, Seal
from tests import cast
from tests.browser.conftest import Desk
from tests.browser.test_every_page import SCHEMES, WIDTHS, problems_of
from tests.conftest import lift_triggers
from tests.ledgers import interrupt_a_verification
from tests.pages.corrections import completed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sealed(mira: User, settings: Settings, tmp_path: Path) -> Seal:
    """Entries under a seal that one witness has; another one is away, and a third holds something else."""
    completed(cast.call("call-1", at=timezone.now()), by=mira, now=timezone.now())
    seal = ledger.seal(timezone.now(), key=key_from(Ed25519PrivateKey.generate(), name="onrecord.local/ledger"))
    assert seal
    kept, other = tmp_path / "kept", tmp_path / "other"
    for directory in (kept, other):
        directory.mkdir()
    (other / f"{seal.size}.checkpoint").write_text("something else")
    settings.LEDGER_WITNESSES = [f"file://worm.example{kept}", f"file://{tmp_path}/absent", f"file://{other}"]
    services.hand_to_witnesses(timezone.now())
    return seal


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_of_the_ledger_breaks_a_rule(
    browser: Browser, live_server: LiveServer, sealed: Seal, ada: User, width: int, scheme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    desk = Desk(context.new_page(), live_server.url)
    desk.sign_in(ada)
    entry = LedgerEntry.objects.get(action="correction.requested")
    pages = {
        "ledger": "/ledger/",
        "no entries": "/ledger/?actor=nobody",
        "at a number": "/ledger/?at=2",
        "at no number": "/ledger/?at=99",
        "entry": f"/ledger/{entry.pk}/",
        "entry not sealed": f"/ledger/{LedgerEntry.objects.latest('pk').pk}/",
        "seals": "/ledger/seals/",
        "seal": f"/ledger/seals/{sealed.size}/",
        "access report": "/ledger/access/",
        "access before the ledger": "/ledger/access/?on=2001-01-01",
    }
    problems = [problem for name, path in pages.items() for problem in _problems(desk, path, name)]
    lift_triggers()
    LedgerEntry.objects.filter(pk=entry.pk).update(body="nonsense")
    ledger.request_verification(entry.actor, now=timezone.now())
    problems += _problems(desk, "/ledger/", "ledger under verification")
    ledger.verify_due(timezone.now())
    for name, path in {"ledger altered": "/ledger/", "entry altered": f"/ledger/{entry.pk}/"}.items():
        problems += _problems(desk, path, name)
    interrupt_a_verification()
    for name, path in {"ledger, not verified to its end": "/ledger/", "what the overview says of it": "/"}.items():
        problems += _problems(desk, path, name)
    context.close()
    assert desk.complaints == []
    assert problems == []


def _problems(desk: Desk, path: str, name: str) -> list[str]:
    response = desk.page.goto(desk.site + path)
    assert response is not None
    assert response.status == 200, name
    desk.page.locator("details.data-t").evaluate_all("all => all.forEach(one => one.open = true)")
    return problems_of(desk.page, name)


def test_a_verification_is_watched_to_its_end(desk: Desk, sealed: Seal, ada: User) -> None:
    page = desk.sign_in(ada, "/ledger/")
    page.get_by_role("button", name="Verify now").click()
    expect(page.locator("#verified")).to_contain_text("asked for by ada")
    expect(page.get_by_role("button", name="Verify now")).to_have_count(0)
    ledger.verify_due(timezone.now())
    expect(page.locator("#verified")).to_contain_text("Nothing was altered", timeout=10_000)
    expect(page.get_by_role("button", name="Verify now")).to_be_visible()


def test_the_list_is_filtered_and_walked_without_a_reload(desk: Desk, sealed: Seal, ada: User) -> None:
    page = desk.sign_in(ada, "/ledger/")
    page.get_by_label("What").select_option("correction.requested")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#ledger-rows tbody tr")).to_have_count(1)
    page.locator("#ledger-rows summary").click()
    expect(page.locator("pre.body")).to_contain_text('"action":"correction.requested"')
    page.get_by_role("link", name="No. ").click()
    expect(page.get_by_role("heading", name="Its proof")).to_be_visible()
    expect(page.get_by_text("It leads to the root that was signed")).to_be_visible()
