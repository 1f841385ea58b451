"""What manage.py verify says beside its alarms: until when the ledger is witnessed, and what was not proven."""

from datetime import datetime
from pathlib import Path

import pytest
from pytest_django import Settings

from recordings import ledger, services
from recordings.models import Receipt, Seal
from tests import ledgers
from tests.commands.running import run

pytestmark = pytest.mark.django_db

YOUNGER = "Entries younger than that can be altered, left out or taken away unseen."


@pytest.fixture
def off_host(tmp_path: Path, settings: Settings, now: datetime) -> Seal:
    """A ledger whose first seal a witness on another machine has, and whose second one only a directory here."""
    first = ledgers.sealed(5, at=now)
    here = tmp_path / "here"
    here.mkdir()
    settings.LEDGER_WITNESSES = [here.as_uri(), "file://worm.example/mnt/witness"]
    Receipt.objects.create(seal=first, witness="file://worm.example/mnt/witness", received_at=now)
    second = ledgers.sealed(3, at=now)
    Receipt.objects.create(seal=second, witness=here.as_uri(), received_at=now)
    return first


def test_until_when_the_ledger_is_witnessed(off_host: Seal) -> None:
    out = run("verify").out

    until = ledger.witnessed_until()
    assert until == off_host.sealed_at
    assert f"Witnessed until {until:%Y-%m-%d %H:%M:%S} UTC: the first {off_host.size} entries.\n" in out
    assert YOUNGER in out


def test_the_same_where_it_is_held_against_a_checkpoint(off_host: Seal, tmp_path: Path) -> None:
    aside = tmp_path / "aside.checkpoint"
    aside.write_text(Seal.objects.latest("size").checkpoint)

    out = run("verify", "--since", str(aside)).out

    assert f"UTC: the first {off_host.size} entries.\n" in out
    assert YOUNGER in out


def test_a_witness_on_this_machine_proves_little(tmp_path: Path, settings: Settings, now: datetime) -> None:
    settings.LEDGER_WITNESSES = [tmp_path.as_uri()]
    seal = ledgers.sealed(5, at=now)
    services.hand_to_witnesses(now)

    assert f"the first {seal.size} entries, on this machine only, which proves little." in run("verify").out


def test_no_witness(now: datetime) -> None:
    ledgers.sealed(5, at=now)

    out = run("verify").out
    assert "Witnessed until: never, since no witness has said that it has a checkpoint of this ledger." in out
    assert "can alter entries of any age unseen" in out


def test_what_no_entry_carries_is_not_proven(now: datetime) -> None:
    ledgers.sealed(5, at=now)

    assert "Not proven: what no entry carries, above all the name behind an actor's number" in run("verify").out
