"""Entries that were committed late come into a later seal than their neighbours; verification finds each its place."""

from datetime import datetime

import pytest
from django.utils import timezone

from recordings import ledger
from recordings.ledger.verifying import leaves, verify_all
from recordings.ledger.verifying.entries import BLOCK
from recordings.models import LedgerEntry, Unsealed
from tests import ledgers
from tests.owning import change, delete, place_of, switch_triggers_off


def seal_without(late: list[LedgerEntry], *, at: datetime) -> None:
    """As if the transactions of these were still open at the time of the seal."""
    keys = [entry.pk for entry in late]
    Unsealed.objects.filter(pk__in=keys).delete()
    ledger.seal(at, key=ledgers.signing_key())
    Unsealed.objects.bulk_create(Unsealed(pk=key) for key in keys)


@pytest.fixture
def late(db: None, now: datetime) -> list[LedgerEntry]:
    """Every seventh of two hundred entries is sealed later than the others."""
    found = ledgers.entries(200, at=now)[::7]
    seal_without(found, at=now)
    ledgers.sealed(50, at=now)
    return found


def test_they_are_found_by_their_later_leaf(late: list[LedgerEntry]) -> None:
    report = verify_all()

    assert report.alarms == []
    assert report.checked == 251  # with the one of the key's first use
    assert report.unsealed == 0


@pytest.mark.parametrize("at", [0, 5, -1])
def test_a_changed_one_is_named_by_its_place(late: list[LedgerEntry], at: int) -> None:
    switch_triggers_off()
    change(late[at], body=late[at].body.replace("page=", "pagf="))

    assert [(one.kind.name, one.index) for one in verify_all().alarms] == [("BODY_CHANGED", place_of(late[at]))]


def test_a_deleted_one_is_missed(late: list[LedgerEntry]) -> None:
    switch_triggers_off()
    delete([late[3]])

    assert [(one.kind.name, one.entry) for one in verify_all().alarms] == [("ENTRY_MISSING", late[3].pk)]


def test_so_many_that_they_are_forgotten_and_looked_up(
    late: list[LedgerEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaves, "MOST_EARLY", 3)
    assert verify_all().alarms == []


@pytest.mark.django_db(transaction=True)
def test_more_than_a_block_and_outside_of_any_transaction() -> None:
    """On PostgreSQL the entries then come by a connection of their own."""
    seal = ledgers.sealed(BLOCK + 300, at=timezone.now())
    ledgers.entries(7, at=timezone.now())

    report = verify_all()
    assert report.alarms == []
    assert (report.checked, report.unsealed) == (seal.size, 8)
