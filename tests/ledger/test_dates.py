"""The dates of entries and seals: what is put in behind cannot pass for old, nor a seal for older than its entries."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction

from recordings import ledger
from recordings.choices import LedgerAction
from recordings.ledger.verifying import dates
from recordings.ledger.verifying.alarms import Alarms, Found
from recordings.ledger.verifying.dates import check_dates
from recordings.models import Actor, LedgerEntry, Seal, Unsealed
from recordings.models.keys import first_key, new_key
from tests import ledgers
from tests.ledger.attacked import alarms, fill, places
from tests.ledger.test_verify_late import seal_without
from tests.owning import change, place_of, switch_triggers_off

KEY = ledgers.signing_key()
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture
def filled(db: None, now: datetime) -> datetime:
    fill(now)
    ledger.seal(now, key=KEY)
    return now


def put_in(*, dated: datetime, recorded_at: datetime | None = None) -> LedgerEntry:
    """What the site's own role may insert: an entry that says it was written then."""
    at, key = recorded_at or dated, UUID(int=first_key(dated).int | new_key().int & (1 << 80) - 1)
    made = ledger.entry_of(
        LedgerAction.SIGN_IN, actor=Actor.objects.shell(), now=at, about=ledger.References(), facts={}
    )
    made.body, made.id = made.body.replace(str(made.pk), str(key)), key
    with transaction.atomic():
        ledger.append([made])
    return made


def sealed_now(now: datetime) -> None:
    assert ledger.seal(now, key=KEY)


def test_an_entry_that_is_put_in_as_an_old_one_is_named_by_its_place(filled: datetime) -> None:
    entry = put_in(dated=filled - 300 * DAY)
    sealed_now(filled)

    (found,) = alarms()
    assert (found.kind.name, found.index, found.entry) == ("ENTRY_MISDATED", place_of(entry), entry.pk)
    assert f"is dated {filled - 300 * DAY:%Y-%m-%d %H:%M:%S} UTC, more than an hour before" in found.sentence


def test_it_is_named_while_it_waits_for_its_seal(filled: datetime) -> None:
    entry = put_in(dated=filled - 2 * HOUR)

    (found,) = alarms()
    assert (found.kind.name, found.index, found.entry) == ("ENTRY_MISDATED", None, entry.pk)


@pytest.mark.parametrize("off", [-300 * DAY, -HOUR - MINUTE, HOUR + MINUTE, 300 * DAY])
def test_an_entry_whose_key_says_another_time_is_named(filled: datetime, off: timedelta) -> None:
    entry = put_in(dated=filled, recorded_at=filled + off)
    sealed_now(filled)

    (found,) = alarms()
    assert (found.kind.name, found.index, found.entry) == ("ENTRY_MISDATED", place_of(entry), entry.pk)
    assert "recorded at another time than its key says" in found.sentence


def test_what_was_committed_within_the_hour_is_no_alarm(filled: datetime) -> None:
    put_in(dated=filled - HOUR + MINUTE)
    put_in(dated=filled, recorded_at=filled - HOUR + MINUTE)
    put_in(dated=filled + HOUR - MINUTE)
    sealed_now(filled)

    assert places() == []


def test_what_waited_for_days_is_no_alarm_though_one_seal_does_not_take_it_all(filled: datetime) -> None:
    """The worker was away: the oldest are sealed first, all of them long after they were written."""
    later = filled + 5 * DAY
    for hours in range(0, 96, 2):
        put_in(dated=filled + hours * HOUR)
    while ledger.seal(later, key=KEY, limit=7):
        pass

    assert dated_wrongly() == []


def dated_wrongly() -> list[Found]:
    """All but that these days lie in the future."""
    found = Alarms()
    assert sum(check_dates(found)) == 0
    return [one for one in found.kept() if not one.sentence.endswith("in the future.")]


def test_an_entry_of_the_future_is_named_with_its_seal_and_makes_no_other_look_old(filled: datetime) -> None:
    entry = put_in(dated=filled + 300 * DAY)
    sealed_now(filled)
    ledgers.sealed(5, at=filled)

    (found,) = alarms()
    assert (found.kind.name, found.index) == ("SEAL_MISDATED", place_of(entry))
    assert f"before entry {place_of(entry)} ({entry.pk}), which it covers" in found.sentence


@pytest.mark.parametrize("key", [UUID(int=0), UUID(int=2**128 - 1)])
def test_a_key_that_bears_no_time_stops_nothing(filled: datetime, key: UUID) -> None:
    entry = ledger.entry_of(
        LedgerAction.SIGN_IN, actor=Actor.objects.shell(), now=filled, about=ledger.References(), facts={}
    )
    entry.body, entry.id = entry.body.replace(str(entry.pk), str(key)), key
    with transaction.atomic():
        ledger.append([entry])
    sealed_now(filled)

    assert {name for name, _ in places()} <= {"ENTRY_MISDATED", "SEAL_MISDATED"}
    assert ("ENTRY_MISDATED", place_of(entry)) in places()


def test_what_was_committed_late_is_no_alarm(db: None, now: datetime) -> None:
    late = ledgers.entries(40, at=now)[::7]
    seal_without(late, at=now)
    ledgers.sealed(5, at=now)

    assert places() == []


@pytest.mark.parametrize("off", [-99 * DAY, 99 * DAY])
@pytest.mark.parametrize("which", [0, 1, 2, 3])
def test_a_seal_that_was_moved_is_named(filled: datetime, which: int, off: timedelta) -> None:
    switch_triggers_off()
    seal = Seal.objects.order_by("size")[which]
    change(seal, sealed_at=filled + off)

    assert {one.kind.name for one in alarms()} == {"SEAL_MISDATED"}
    assert any(f"over the first {seal.size} entries" in one.sentence for one in alarms())


def test_a_seal_whose_date_is_none_is_named(filled: datetime) -> None:
    switch_triggers_off()
    seal = Seal.objects.order_by("size")[1]
    with connection.cursor() as cursor:
        text = "infinity" if connection.vendor == "postgresql" else "yesterday"
        cursor.execute("UPDATE recordings_seal SET sealed_at = %s WHERE size = %s", [text, seal.size])

    (found,) = alarms()
    assert found.kind.name == "SEAL_MISDATED"
    assert found.sentence == f"The seal over the first {seal.size} entries has a date that is none."


def test_an_entry_whose_moment_is_none_stops_nothing(filled: datetime) -> None:
    switch_triggers_off()
    entry = LedgerEntry.objects.filter(action=LedgerAction.HISTORY_READ).earliest("pk")
    with connection.cursor() as cursor:
        text = "-infinity" if connection.vendor == "postgresql" else "yesterday"
        key = entry.pk if connection.vendor == "postgresql" else entry.pk.hex
        cursor.execute("UPDATE recordings_ledgerentry SET recorded_at = %s WHERE id = %s", [text, key])

    assert sum(check_dates(Alarms())) == 0
    assert ("COLUMN_CHANGED", place_of(entry)) in places()


def test_it_comes_to_every_entry_and_seal_a_page_at_a_time(filled: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BATCHES", "SEALS", "ENTRIES"):
        monkeypatch.setattr(dates, name, 2)
    entry = put_in(dated=filled - 2 * HOUR, recorded_at=filled)
    sealed_now(filled)
    put_in(dated=filled, recorded_at=filled - 2 * HOUR)
    assert Unsealed.objects.count() == 1

    found = dated_wrongly()
    assert (len(found), found[0].entry) == (3, entry.pk)
