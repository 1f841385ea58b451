"""Who held which role on a day, and on which entries the answer rests."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from recordings import ledger
from recordings.ledger.access import Holding
from recordings.ledger.keys import key_from
from recordings.models import LedgerEntry
from tests.owning import switch_triggers_off

pytestmark = pytest.mark.django_db

URL = "/ledger/access/"
MONDAY = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def give(user: User, role: str, *, at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        user.groups.add(Group.objects.get(name=role))


def take(user: User, role: str, *, at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        user.groups.remove(Group.objects.get(name=role))


def give_unseen(user: User, role: str) -> None:
    """As a fixture or a hand in the database does it: without a signal, and so without an entry."""
    User.groups.through.objects.create(user=user, group=Group.objects.get(name=role))


@pytest.fixture
def pat(db: None) -> User:
    return User.objects.create_user("pat")


def held(day: datetime) -> list[tuple[str, str]]:
    return [(each.holder, each.held) for each in ledger.access_on(day.date()).roles]


def only(day: datetime) -> Holding:
    (holding,) = ledger.access_on(day.date()).roles
    return holding


def text_of(client: Client, query: str = "", status: int = 200) -> str:
    response = client.get(f"{URL}{query}")
    assert response.status_code == status
    return " ".join(response.content.decode().split())


# -- what the entries say


def test_a_role_is_held_from_its_entry_to_its_end_with_the_days_themselves(pat: User) -> None:
    give(pat, "Auditor", at=MONDAY)
    take(pat, "Auditor", at=MONDAY + 2 * DAY)

    assert held(MONDAY - DAY) == []
    for day in range(3):
        assert held(MONDAY + day * DAY) == [("pat", "Auditor")]
    assert held(MONDAY + 3 * DAY) == []


def test_each_statement_names_its_entry_and_the_place_of_that(pat: User) -> None:
    give(pat, "Auditor", at=MONDAY)
    ledger.seal(MONDAY, key=key_from(Ed25519PrivateKey.generate(), name="onrecord.local/ledger"))
    take(pat, "Auditor", at=MONDAY + DAY)

    given, taken = LedgerEntry.objects.filter(action="role.changed").order_by("pk")
    holding = only(MONDAY)
    assert holding.since
    assert holding.until
    assert (holding.since.entry_id, holding.since.index, holding.since.at) == (given.pk, 0, MONDAY)
    assert (holding.until.entry_id, holding.until.index, holding.until.at) == (taken.pk, None, MONDAY + DAY)
    assert holding.since.by == "On Record: roles"


def test_a_role_given_again_is_held_twice(pat: User) -> None:
    give(pat, "Auditor", at=MONDAY)
    take(pat, "Auditor", at=MONDAY + timedelta(hours=1))
    give(pat, "Auditor", at=MONDAY + timedelta(hours=2))

    assert [(each.until is None) for each in ledger.access_on(MONDAY.date()).roles] == [False, True]


def test_a_person_with_a_new_name_is_the_same_person(pat: User) -> None:
    give(pat, "Auditor", at=MONDAY)
    pat.username = "pat.new"
    pat.save()
    take(pat, "Auditor", at=MONDAY + DAY)

    assert held(MONDAY + 2 * DAY) == []
    assert only(MONDAY + DAY).since


def test_who_is_disabled_holds_nothing_until_they_are_back(pat: User) -> None:
    give(pat, "Auditor", at=MONDAY)
    for days, is_active in ((1, False), (3, True)):
        pat.is_active = is_active
        with time_machine.travel(MONDAY + days * DAY, tick=False):
            pat.save()

    assert held(MONDAY + 2 * DAY) == []
    assert held(MONDAY + 3 * DAY) == [("pat", "Auditor")]


def test_what_a_role_allowed_is_told_as_well(pat: User) -> None:
    role = Group.objects.get(name="Auditor")
    with time_machine.travel(MONDAY, tick=False):
        role.permissions.add(Permission.objects.get(codename="correct", content_type__app_label="recordings"))

    rights = {(each.holder, each.held): each for each in ledger.access_on(MONDAY.date()).rights}
    assert rights["Auditor", "recordings.correct"].since
    assert rights["Auditor", "recordings.look"].is_as_made
    before = {(each.holder, each.held) for each in ledger.access_on((MONDAY - DAY).date()).rights}
    assert ("Auditor", "recordings.correct") not in before


def test_a_right_that_no_migration_gives_and_no_entry_tells_of_is_marked(db: None) -> None:
    right, role = Permission.objects.get(codename="approve"), Group.objects.get(name="Auditor")
    Group.permissions.through.objects.create(group=role, permission=right)

    rights = {(each.holder, each.held): each for each in ledger.access_on(MONDAY.date()).rights}
    assert rights["Auditor", "recordings.approve"].has_no_entry
    assert not rights["Auditor", "recordings.approve"].is_as_made
    assert rights["Auditor", "recordings.verify"].is_as_made


# -- what no entry says


def test_a_role_nobody_wrote_down_shows_on_every_day_as_held_without_an_entry(pat: User) -> None:
    give_unseen(pat, "Auditor")

    assert only(MONDAY).has_no_entry
    assert only(MONDAY + 300 * DAY).has_no_entry


def test_a_role_that_was_only_ever_taken_was_held_before_the_ledger_knew(pat: User) -> None:
    give_unseen(pat, "Auditor")
    take(pat, "Auditor", at=MONDAY)

    holding = only(MONDAY - DAY)
    assert holding.since is None
    assert holding.until
    assert held(MONDAY + DAY) == []


def test_a_role_that_vanished_without_an_entry_is_marked(pat: User) -> None:
    give(pat, "Auditor", at=MONDAY)
    User.groups.through.objects.filter(user=pat).delete()

    assert only(MONDAY).ended_unsaid


def test_an_entry_that_was_made_unreadable_is_counted_and_the_rest_is_told(pat: User) -> None:
    give(pat, "Auditor", at=MONDAY)
    give(pat, "Approver", at=MONDAY)
    switch_triggers_off()
    broken = LedgerEntry.objects.filter(body__contains="Approver").get()
    LedgerEntry.objects.filter(pk=broken.pk).update(body="nonsense")

    report = ledger.access_on(MONDAY.date())

    assert report.unreadable == [broken.pk]
    assert ("pat", "Auditor") in [(each.holder, each.held) for each in report.roles]


# -- superusers and staff


def make(user: User, *, at: datetime, **flags: bool) -> None:
    with time_machine.travel(at, tick=False):
        for name, value in flags.items():
            setattr(user, name, value)
        user.save()


def kept(day: datetime) -> list[tuple[str, str, bool]]:
    """Who is what, and whether an entry says since when."""
    accounts = ledger.access_on(day.date()).accounts
    return [(each.holder, each.held, each.since is not None) for each in accounts]


def test_superusers_and_staff_are_told_as_what_they_are_from_their_entries(pat: User) -> None:
    make(pat, at=MONDAY, is_superuser=True, is_staff=True)
    make(pat, at=MONDAY + DAY, is_superuser=False)

    assert kept(MONDAY - DAY) == []
    assert kept(MONDAY + DAY) == [("pat", "staff", True), ("pat", "superuser", True)]
    assert kept(MONDAY + 2 * DAY) == [("pat", "staff", True)]
    assert held(MONDAY) == []


def test_a_superuser_made_by_hand_in_the_database_is_held_against_the_entries(pat: User) -> None:
    User.objects.filter(pk=pat.pk).update(is_superuser=True)

    report = ledger.access_on(MONDAY.date())
    (holding,) = report.accounts
    assert (holding.holder, holding.held, holding.has_no_entry) == ("pat", "superuser", True)
    assert report.unsaid == [holding]


@pytest.mark.parametrize("past_django", [{"is_staff": False, "is_superuser": False}, {"is_active": False}])
def test_a_superuser_who_is_none_any_more_without_an_entry_is_marked(pat: User, past_django: dict[str, bool]) -> None:
    make(pat, at=MONDAY, is_superuser=True, is_staff=True)
    give(pat, "Auditor", at=MONDAY)
    assert ledger.access_on(MONDAY.date()).unsaid == []

    User.objects.filter(pk=pat.pk).update(**past_django)

    gone = {each.held for each in ledger.access_on(MONDAY.date()).unsaid}
    assert gone == {"staff", "superuser"} | ({"Auditor"} if "is_active" in past_django else set())


# -- the page


def test_the_page_says_at_once_that_the_tables_say_otherwise(client: Client, ada: User, pat: User) -> None:
    client.force_login(ada)
    assert "The tables say otherwise" not in text_of(client)
    User.objects.filter(pk=pat.pk).update(is_superuser=True)
    assert "The tables say otherwise than the ledger in 1 line." in text_of(client)


def test_the_page_names_superusers_beside_the_roles(client: Client, ada: User, pat: User) -> None:
    make(pat, at=MONDAY, is_superuser=True)
    client.force_login(ada)
    page = text_of(client, f"?on={MONDAY:%Y-%m-%d}")
    rows = page.partition('id="account-rows"')[2].partition("</table>")[0]
    assert ">pat<" in rows
    assert ">superuser<" in rows


def test_the_page_tells_of_a_day(client: Client, ada: User, pat: User) -> None:
    give(pat, "Recording admin", at=MONDAY)
    client.force_login(ada)
    page = text_of(client, f"?on={MONDAY:%Y-%m-%d}")
    assert "Who held which role on 16 Nov 2026" in page
    assert "pat" in page
    assert "entry, not sealed yet" in page
    assert "Who held a role before, it cannot say" in page or "The ledger begins later" in page
    given = LedgerEntry.objects.filter(action="role.changed").earliest("recorded_at")
    assert f'href="/ledger/{given.pk}/"' in page


def test_without_a_day_it_is_about_today(client: Client, ada: User) -> None:
    client.force_login(ada)
    today = datetime.now(UTC)
    assert f"{today.day} {today:%b %Y}" in text_of(client)


def test_a_day_before_the_ledger_is_said_to_be_unknown(client: Client, ada: User) -> None:
    client.force_login(ada)
    page = text_of(client, "?on=2001-01-01")
    assert "The ledger begins later" in page
    assert "Who held a role on that day, it cannot say." in page


def test_what_no_entry_says_is_marked_on_the_page(client: Client, ada: User, pat: User) -> None:
    give_unseen(pat, "Approver")
    client.force_login(ada)
    assert "Held now without an entry" in text_of(client)


@pytest.mark.parametrize(
    ("on", "words"),
    [("tomorrow", "This is no day"), ("2999-01-01", "Nobody knows yet"), ("2026-02-30", "This is no day")],
)
def test_a_day_that_is_none_is_refused_with_a_reason(client: Client, ada: User, on: str, words: str) -> None:
    client.force_login(ada)
    assert words in text_of(client, f"?on={on}", status=422)
    assert client.get(f"/ledger/access.csv?on={on}").status_code == 400


def test_without_a_role_nobody_reads_it(client: Client, sam: User) -> None:
    client.force_login(sam)
    assert client.get(URL).status_code == 403
    assert client.get("/ledger/access.csv").status_code == 403


def test_the_report_takes_as_many_queries_for_many_people(
    ada: User, pat: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(7):
        ledger.access_on(MONDAY.date())
    for number in range(20):
        give(User.objects.create_user(f"person-{number}", is_staff=True), "Auditor", at=MONDAY)
    with django_assert_num_queries(7):
        ledger.access_on(MONDAY.date())


# -- as a file


def test_the_file_has_the_same_statements_and_the_ledger_knows_who_took_it(
    client: Client, ada: User, pat: User
) -> None:
    give(pat, "Approver", at=MONDAY)
    make(pat, at=MONDAY, is_superuser=True)
    client.force_login(ada)
    answer = client.get(f"/ledger/access.csv?on={MONDAY:%Y-%m-%d}&flavour=exact")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    (row,) = [each for each in rows if each["kind"] == "role" and each["holder"] == "pat"]
    given = LedgerEntry.objects.filter(action="role.changed").earliest("recorded_at")
    assert (row["held"], row["from"], row["from_entry_id"]) == (
        "Approver",
        "2026-11-16T09:00:00.000000Z",
        str(given.pk),
    )
    assert {each["kind"] for each in rows} == {"role", "account", "right"}
    assert ("account", "pat", "superuser") in {(each["kind"], each["holder"], each["held"]) for each in rows}
    finished = ledger.body_of(LedgerEntry.objects.filter(action="export.finished").latest("pk"))
    assert (finished["what"], finished["rows"], finished["bytes"]) == ("access", len(rows), len(answer.content))


def test_a_name_that_would_run_in_a_spreadsheet_does_not(client: Client, ada: User) -> None:
    give(User.objects.create_user("+cmd|x"), "Approver", at=MONDAY)
    client.force_login(ada)
    assert '"\'+cmd|x"' in client.get(f"/ledger/access.csv?on={MONDAY:%Y-%m-%d}").content.decode()
    assert client.get("/ledger/access.csv?flavour=nonsense").status_code == 400


# -- on the command line


def printed(*words: str) -> str:
    out = StringIO()
    call_command("access_report", *words, stdout=out)
    return out.getvalue()


def test_the_command_prints_the_same(pat: User) -> None:
    give(pat, "Approver", at=MONDAY)
    given = LedgerEntry.objects.get(action="role.changed")
    said = printed("--on", "2026-11-16")
    assert (
        f"pat holds Approver: from 2026-11-16 09:00:00 by On Record: roles (entry {given.pk}, not sealed yet)." in said
    )
    assert "Auditor allows recordings.verify: from an unknown time. As On Record makes this role" in said
    assert f"Roles on {date(2026, 11, 16)} (UTC)." in said
    assert "The tables say otherwise" not in said


def test_the_command_names_superusers_and_where_the_tables_say_otherwise(pat: User) -> None:
    make(pat, at=MONDAY, is_superuser=True)
    made = LedgerEntry.objects.get(action="account.changed")
    User.objects.filter(pk=pat.pk).update(is_staff=True)
    said = printed("--on", "2026-11-16")
    assert f"pat is superuser: from 2026-11-16 09:00:00 by On Record: roles (entry {made.pk}, not sealed yet)." in said
    assert "pat is staff: from an unknown time. Held now without an entry" in said
    assert "The tables say otherwise than the entries in 1 of these lines" in said


def test_the_command_refuses_what_is_no_day_of_the_past(db: None) -> None:
    with pytest.raises(CommandError, match="is no day"):
        printed("--on", "yesterday")
    with pytest.raises(CommandError, match="Nobody knows yet"):
        printed("--on", "2999-01-01")
