"""Trouble with the ledger is said on the first page, and nothing is said where there is none."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from recordings import ledger, services
from recordings.ledger.keys import key_from
from recordings.models import LedgerEntry, Seal
from tests.ledgers import interrupt_a_verification
from tests.owning import switch_triggers_off

pytestmark = pytest.mark.django_db

SOON, LATER = timedelta(minutes=9), timedelta(minutes=11)


@pytest.fixture
def now() -> datetime:
    """Of this moment, since the keys of entries are."""
    return datetime.now().astimezone()


@pytest.fixture
def sealed(ada: User, now: datetime) -> Seal:
    seal_all(now)
    newest = ledger.newest_seal()
    assert newest
    return newest


def seal_all(now: datetime) -> None:
    key = key_from(Ed25519PrivateKey.from_private_bytes(b"\7" * 32), name="onrecord.local/ledger")
    while ledger.seal(now, key=key):
        pass  # the first use of a key is an entry of its own


def words(client: Client, user: User, *, at: datetime) -> str:
    with time_machine.travel(at, tick=False):
        client.force_login(user)
        seal_all(at)
        page = client.get("/")
    return " ".join(trouble.words for trouble in page.context["troubles"])


def test_where_all_is_well_nothing_is_said(client: Client, ada: User, sealed: Seal, now: datetime) -> None:
    assert words(client, ada, at=now + LATER) == ""


def test_a_verification_that_found_something_is_said(client: Client, ada: User, sealed: Seal, now: datetime) -> None:
    switch_triggers_off()
    LedgerEntry.objects.filter(pk=LedgerEntry.objects.earliest("pk").pk).update(body="{}")
    ledger.verify_due(now)
    assert "The ledger was altered" in words(client, ada, at=now)


def test_a_run_that_was_interrupted_takes_no_alarm_away(client: Client, ada: User, sealed: Seal, now: datetime) -> None:
    switch_triggers_off()
    LedgerEntry.objects.filter(pk=LedgerEntry.objects.earliest("pk").pk).update(body="{}")
    ledger.verify_due(now)
    interrupt_a_verification()
    said = words(client, ada, at=now)
    assert "The ledger was altered" in said
    assert "The last verification of the ledger could not be finished." in said


def test_a_run_that_could_not_be_finished_is_said_until_another_one_is(
    client: Client, ada: User, sealed: Seal, now: datetime
) -> None:
    interrupt_a_verification()
    assert words(client, ada, at=now) == "The last verification of the ledger could not be finished."
    ledger.verify_due(now)
    assert words(client, ada, at=now) == ""


def test_a_witness_is_said_to_be_away_only_when_it_stays_away(
    client: Client, ada: User, sealed: Seal, now: datetime, settings: Settings, tmp_path: Path
) -> None:
    settings.LEDGER_WITNESSES = [f"file://{tmp_path}/absent"]
    services.hand_to_witnesses(now)
    assert words(client, ada, at=now + SOON) == ""
    assert "takes no checkpoints" in words(client, ada, at=now + LATER)
    settings.LEDGER_WITNESSES = []
    assert words(client, ada, at=now + LATER) == ""


def test_a_witness_that_holds_something_else_is_said_at_once(
    client: Client, ada: User, sealed: Seal, now: datetime, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / f"{sealed.size}.checkpoint").write_text("something else")
    settings.LEDGER_WITNESSES = [f"file://{tmp_path}"]
    services.hand_to_witnesses(now)
    assert "holds something else than this ledger" in words(client, ada, at=now)


def test_entries_that_nobody_seals_are_said(client: Client, ada: User, now: datetime) -> None:
    for wait, is_said in ((SOON, False), (LATER, True)):
        with time_machine.travel(now + wait, tick=False):
            client.force_login(ada)
            page = client.get("/").content.decode()
        assert ("Entries of the ledger wait for their seal" in page) is is_said
