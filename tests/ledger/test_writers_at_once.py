"""Writers of entries wait for nobody: no lock is shared by all of them."""

import threading
from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import OperationalError, connection, transaction

from recordings import ledger
from recordings.choices import LedgerAction
from recordings.models import Actor, LedgerEntry
from tests import ledgers

# On SQLite a database has one writer at a time.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

WAIT = "2s"


def write(who: str, now: datetime) -> LedgerEntry:
    return ledger.record(LedgerAction.SIGN_IN, actor=Actor.objects.job(who), now=now)


def in_another_session(deed: Callable[[], object]) -> BaseException | None:
    """Do it in a transaction of its own that waits for no lock longer than WAIT; what it failed with."""
    failed: list[BaseException] = []

    def act() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{WAIT}'")
                deed()
        except OperationalError as error:
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=act)
    thread.start()
    thread.join()
    return failed[0] if failed else None


def test_a_writer_is_done_while_another_ones_transaction_is_still_open(now: datetime) -> None:
    with transaction.atomic():
        open_one = write("first", now)
        assert in_another_session(lambda: write("second", now)) is None
        done = LedgerEntry.objects.exclude(pk=open_one.pk).get()
        assert done.actor.label == "On Record: second"
        write("first", now)
    assert LedgerEntry.objects.count() == 3


def test_nor_does_a_writer_wait_for_a_seal_that_is_being_made(now: datetime) -> None:
    ledgers.entries(3, at=now)
    with transaction.atomic():
        assert ledger.seal(now, key=ledgers.signing_key())
        assert in_another_session(lambda: write("second", now)) is None


def test_only_sealers_wait_for_each_other(now: datetime) -> None:
    """Which also shows that a wait would have been seen."""
    ledgers.entries(3, at=now)
    key = ledgers.signing_key()
    with transaction.atomic():
        assert ledger.seal(now, key=key)
        assert isinstance(in_another_session(lambda: ledger.seal(now, key=key)), OperationalError)
