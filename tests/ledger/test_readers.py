"""Who read what stands in the ledger: one entry a person, call and hour, however often the page is opened."""

import threading
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import DjangoAssertNumQueries

from recordings import findings, ledger, services
from recordings.models import Actor, Call, Finding, LedgerEntry, Reading
from tests import cast
from tests.commands.running import run
from tests.pages.corrections import asked, unknown

pytestmark = pytest.mark.django_db


def read_by(user: User, action: str = "call.read") -> int:
    return LedgerEntry.objects.filter(action=action, actor__subject_id=str(user.pk)).count()


def test_a_person_who_reads_a_call_leaves_one_entry_an_hour(mira: User, now: datetime) -> None:
    now = now.replace(minute=5)
    call = cast.call(at=now)
    for minutes in (0, 1, 20):
        ledger.note_call_read(call, user=mira, now=now + timedelta(minutes=minutes))
    assert read_by(mira) == 1
    assert LedgerEntry.objects.get(action="call.read").call == call

    ledger.note_call_read(call, user=mira, now=now + timedelta(hours=1))
    assert read_by(mira) == 2


def test_each_person_and_each_call_counts(mira: User, tom: User, now: datetime) -> None:
    calls = [cast.call("call-1", at=now), cast.call("call-2", at=now)]
    for call in calls:
        ledger.note_call_read(call, user=mira, now=now)
    ledger.note_call_read(calls[0], user=tom, now=now)
    assert (read_by(mira), read_by(tom)) == (2, 1)


def test_the_history_counts_beside_the_calls_and_names_its_filter(ada: User, now: datetime) -> None:
    ledger.note_call_read(cast.call(at=now), user=ada, now=now)
    ledger.note_history_read("?action=status.changed", user=ada, now=now)
    ledger.note_history_read("?action=signin.failed", user=ada, now=now)
    assert (read_by(ada), read_by(ada, "history.read")) == (1, 1)
    entry = LedgerEntry.objects.get(action="history.read")
    assert ledger.body_of(entry)["filter"] == "?action=status.changed"


def test_whoever_is_renamed_does_not_count_anew(mira: User, now: datetime) -> None:
    call = cast.call(at=now)
    ledger.note_call_read(call, user=mira, now=now)
    mira.username = "mira.new"
    ledger.note_call_read(call, user=mira, now=now)
    assert read_by(mira) == 1


def test_who_has_read_it_costs_one_query(
    mira: User, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    call = cast.call(at=now)
    ledger.note_call_read(call, user=mira, now=now)
    with django_assert_num_queries(1):
        ledger.note_call_read(call, user=mira, now=now)


def test_a_page_that_asks_for_news_does_not_count_anew_unless_it_was_never_opened(
    mira: User, tom: User, now: datetime
) -> None:
    call = cast.call(at=now)
    ledger.note_call_read(call, user=mira, now=now)
    ledger.note_call_read(call, user=mira, now=now + timedelta(hours=3), is_poll=True)
    ledger.note_call_read(call, user=tom, now=now, is_poll=True)
    assert (read_by(mira), read_by(tom)) == (1, 1)


@pytest.mark.parametrize("is_poll", [False, True])
def test_an_hour_to_come_that_somebody_wrote_down_hides_no_reading(mira: User, now: datetime, *, is_poll: bool) -> None:
    call = cast.call(at=now)
    Reading.objects.create(actor=Actor.objects.person(mira), call=call, hour_at=now.replace(year=2099))
    ledger.note_call_read(call, user=mira, now=now, is_poll=is_poll)
    assert read_by(mira) == 1


@pytest.mark.django_db(transaction=True)
def test_two_pages_at_once_leave_one_entry(mira: User, now: datetime) -> None:
    call = cast.call(at=now)
    together = threading.Barrier(4)

    def read() -> None:
        try:
            together.wait()
            ledger.note_call_read(call, user=mira, now=now)
        finally:
            connection.close()

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert (read_by(mira), Reading.objects.count()) == (1, 1)


# -- the pages


@pytest.mark.parametrize("page", ["call_detail", "correct_call"])
def test_opening_the_page_of_a_call_is_reading_it(page: str, client: Client, mira: User, now: datetime) -> None:
    call = cast.call(at=now)
    client.force_login(mira)
    assert client.get(reverse(page, args=[call.graph_id])).status_code == 200
    assert read_by(mira) == 1


@pytest.mark.parametrize("page", ["finding_detail", "attest_finding"])
def test_who_reads_the_steps_of_a_finding_has_read_its_call(
    page: str, client: Client, mira: User, now: datetime
) -> None:
    call = cast.call(at=now, capture="stopped", told="recording", ended_at=now)
    findings.sweep(now + timedelta(minutes=5))
    client.force_login(mira)
    for finding in Finding.objects.filter(call=call)[:2]:
        assert client.get(reverse(page, args=[finding.pk])).status_code == 200
    assert (read_by(mira), read_by(mira, "history.read")) == (1, 0)


def test_who_reads_a_finding_about_no_call_has_read_the_history(client: Client, mira: User, now: datetime) -> None:
    cast.heartbeat(at=now - timedelta(minutes=10), capture="capturing")
    findings.sweep(now)
    silent = Finding.objects.get(rule="R20")
    client.force_login(mira)
    assert client.get(reverse("finding_detail", args=[silent.pk])).status_code == 200
    entry = LedgerEntry.objects.get(action="history.read")
    assert (ledger.body_of(entry)["filter"], entry.finding) == (f"finding={silent.pk}", None)


def test_who_reads_a_wish_has_read_its_call(client: Client, ada: User, mira: User, now: datetime) -> None:
    call = cast.call(at=now)
    waiting = asked(call, by=mira, now=now, wish="notRecording")
    client.force_login(ada)
    assert client.get(reverse("approval_detail", args=[waiting.pk])).status_code == 200
    assert read_by(ada) == 1


def test_who_is_about_to_close_a_correction_has_read_its_call(client: Client, mira: User, now: datetime) -> None:
    lost = unknown(cast.call(at=now), by=mira, now=now)
    client.force_login(mira)
    assert client.get(reverse("close_operation", args=[lost.pk])).status_code == 200
    assert read_by(mira) == 1


def test_who_reads_what_came_of_a_bulk_job_has_read_the_history(
    client: Client, ada: User, mira: User, now: datetime
) -> None:
    cast.call(at=now, capture="stopped", told="recording")
    cast.heartbeat(at=now, capture="stopped")
    by, meant = services.Requester.at_screen(mira), services.Selection("all calls")
    job = services.start_bulk(
        Call.objects.all(), wish="notRecording", reason="the desk checked", by=by, selection=meant, now=now
    )
    client.force_login(ada)
    page = reverse("bulk_detail", args=[job.pk])
    for asked_as in ({}, {"HX-Request": "true"}):
        assert client.get(page, {"poll": "1"} if asked_as else {}, headers=asked_as).status_code in (200, 286)
    assert read_by(ada, "history.read") == 1
    assert ledger.body_of(LedgerEntry.objects.get(action="history.read"))["filter"] == f"job={job.pk}"


def test_a_call_printed_on_the_command_line_was_read_by_its_user_and_host(now: datetime) -> None:
    call = cast.call(at=now)
    for _ in range(2):
        run("show_call", call.graph_id)
    entry = LedgerEntry.objects.get(action="call.read")
    assert (entry.call, entry.actor) == (call, Actor.objects.shell())


def test_who_may_not_look_has_read_nothing(client: Client, sam: User, now: datetime) -> None:
    client.force_login(sam)
    client.get(reverse("call_detail", args=[cast.call(at=now).graph_id]))
    assert not LedgerEntry.objects.filter(action="call.read").exists()


def test_the_admins_page_of_a_call_counts_too(client: Client, ada: User, now: datetime) -> None:
    call = cast.call(at=now)
    client.force_login(ada)
    assert client.get(reverse("admin:recordings_call_change", args=[call.pk])).status_code == 200
    assert read_by(ada) == 1


ADMINS_LEDGER = "/admin/recordings/ledgerentry/"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("?action__exact=signin.failed&q=Dana+Kessler", f"{ADMINS_LEDGER}?action__exact=signin.failed"),
        ("?action__exact=Dana+Kessler", ADMINS_LEDGER),
        ("?body__contains=Dana+Kessler", ADMINS_LEDGER),
        ("?Dana+Kessler=1&p=0", ADMINS_LEDGER),
    ],
)
def test_of_the_admins_address_the_ledger_keeps_the_filters_it_offers_and_no_word_of_anybodys(
    asked: str, told: str, client: Client, ada: User
) -> None:
    client.force_login(ada)
    client.get(f"{ADMINS_LEDGER}{asked}", follow=True)
    entry = LedgerEntry.objects.get(action="history.read")
    assert ledger.body_of(entry)["filter"] == told


@pytest.mark.parametrize("asked", ["?nobodys=Dana+Kessler", "Dana_Kessler/change/"])
def test_who_is_only_led_elsewhere_has_read_nothing(asked: str, client: Client, ada: User) -> None:
    client.force_login(ada)
    assert client.get(f"{ADMINS_LEDGER}{asked}").status_code == 302
    assert read_by(ada, "history.read") == 0


HISTORIES = [
    "ledgerentry",
    "statuschange",
    "finding",
    "operation",
    "attempt",
    "attemptresult",
    "bulkjob",
    "bulkitem",
]


@pytest.mark.parametrize("model", HISTORIES)
def test_the_admins_lists_of_the_history_are_the_history(model: str, client: Client, ada: User, now: datetime) -> None:
    cast.call(at=now)
    client.force_login(ada)
    assert client.get(reverse(f"admin:recordings_{model}_changelist")).status_code == 200
    assert read_by(ada, "history.read") == 1
