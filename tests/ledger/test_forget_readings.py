"""What only keeps the rule of one entry an hour is not kept for ever; the entry of who read what is."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries, Settings

from recordings import ledger, tasks
from recordings.models import Actor, LedgerEntry, Reading, append_only
from tests import cast

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def read(user: User, *, at: datetime) -> None:
    ledger.note_history_read("", user=user, now=at)


def hours() -> list[datetime]:
    return sorted(Reading.objects.values_list("hour_at", flat=True))


def test_readings_of_days_ago_go_and_their_entries_stay(mira: User, now: datetime) -> None:
    call = cast.call(at=now - 3 * DAY)
    ledger.note_call_read(call, user=mira, now=now - 3 * DAY)
    for ago in (2 * DAY + HOUR, DAY, HOUR, timedelta()):
        read(mira, at=now - ago)
    entries = LedgerEntry.objects.count()

    assert ledger.forget_readings(now) == 2
    assert len(hours()) == 3
    assert min(hours()) > now - 2 * DAY
    assert LedgerEntry.objects.count() == entries
    assert ledger.forget_readings(now) == 0


def test_the_rule_of_one_an_hour_goes_on(mira: User, now: datetime) -> None:
    read(mira, at=now - 3 * DAY)
    read(mira, at=now)
    ledger.forget_readings(now)
    read(mira, at=now)
    assert LedgerEntry.objects.filter(action="history.read").count() == 2


def test_a_page_left_open_since_the_morning_does_not_count_anew(mira: User, now: datetime) -> None:
    read(mira, at=now - 7 * HOUR)
    ledger.forget_readings(now)
    ledger.note_history_read("", user=mira, now=now, is_poll=True)
    assert LedgerEntry.objects.filter(action="history.read").count() == 1


def test_a_row_of_a_clock_that_went_wrong_keeps_no_other(mira: User, now: datetime) -> None:
    actor = Actor.objects.person(mira)
    for hour_at in (now + 400 * DAY, now - 3 * DAY):
        Reading.objects.create(actor=actor, hour_at=hour_at)
    assert ledger.forget_readings(now) == 1
    assert len(hours()) == 1


def test_many_go_a_thousand_at_a_time(mira: User, now: datetime) -> None:
    actor = Actor.objects.person(mira)
    Reading.objects.bulk_create(Reading(actor=actor, hour_at=now - 3 * DAY - n * HOUR) for n in range(1001))
    assert [ledger.forget_readings(now) for _ in range(3)] == [1000, 1, 0]


def test_where_nothing_is_old_one_query_says_so(
    mira: User, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    read(mira, at=now)
    with django_assert_num_queries(1):
        assert ledger.forget_readings(now) == 0


def test_the_worker_does_it(settings: Settings) -> None:
    assert tasks.forget_readings in tasks.EVERY_TICK
    assert tasks.forget_readings.call() == 0


def test_the_table_is_none_of_those_that_only_grow() -> None:
    assert Reading._meta.db_table not in append_only.TABLES
