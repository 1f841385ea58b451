"""Every way by which somebody comes to hold a right, or loses it, leaves entries; and nobody is ever deleted."""

from datetime import datetime

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse

from recordings import ledger
from recordings.models import Actor, LedgerEntry
from tests import cast

pytestmark = pytest.mark.django_db


def steps() -> list[tuple[str, str, bool]]:
    """Who or which role, the role or the right, and whether it is held now."""
    found = []
    for entry in LedgerEntry.objects.filter(action__in=("role.changed", "group.changed")).order_by("id"):
        body = ledger.body_of(entry)
        holder = body["role"] if "right" in body else Actor.objects.get(pk=str(body["subject"])).label
        found.append((str(holder), str(body.get("right") or body["role"]), bool(body["is_held"])))
    return found


@pytest.fixture
def guests() -> Group:
    return Group.objects.create(name="Guests")


@pytest.fixture
def look() -> Permission:
    return Permission.objects.get(codename="look")


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann")


def test_a_right_given_to_a_role_and_taken_away(guests: Group, look: Permission) -> None:
    guests.permissions.add(look)
    guests.permissions.add(look)
    guests.permissions.set([])
    look.group_set.add(guests)
    look.group_set.remove(guests)
    right = "recordings.look"
    assert steps() == [("Guests", right, True), ("Guests", right, False)] * 2


def test_a_group_that_is_deleted_takes_its_rights_and_its_people_with_it(
    guests: Group, look: Permission, ann: User
) -> None:
    guests.permissions.add(look)
    ann.groups.add(guests)
    guests.delete()
    assert steps()[2:] == [("Guests", "recordings.look", False), ("ann", "Guests", False)]


def test_a_group_with_a_new_name_is_another_role(guests: Group, look: Permission, ann: User) -> None:
    guests.permissions.add(look)
    ann.groups.add(guests)
    guests.name = "Visitors"
    guests.save()
    assert steps()[2:] == [
        ("Guests", "recordings.look", False),
        ("ann", "Guests", False),
        ("Visitors", "recordings.look", True),
        ("ann", "Visitors", True),
    ]


def test_who_is_disabled_holds_no_role_until_they_come_back(guests: Group, ann: User) -> None:
    ann.groups.add(guests)
    for is_active in (False, False, True):
        ann.is_active = is_active
        ann.save()
    assert steps() == [("ann", "Guests", True), ("ann", "Guests", False), ("ann", "Guests", True)]


def test_a_role_given_to_a_disabled_account_is_held_from_its_return_on(guests: Group, ann: User) -> None:
    User.objects.filter(pk=ann.pk).update(is_active=False)
    ann.refresh_from_db()
    ann.groups.add(guests)
    assert steps() == []
    ann.is_active = True
    ann.save()
    assert steps() == [("ann", "Guests", True)]


# -- superusers and staff


def flags() -> list[tuple[str, str, bool]]:
    """Whose account, which flag, and whether it is held now."""
    found = []
    for entry in LedgerEntry.objects.filter(action="account.changed").order_by("id"):
        body = ledger.body_of(entry)
        found.append((Actor.objects.get(pk=str(body["subject"])).label, str(body["flag"]), bool(body["is_held"])))
    return found


@pytest.mark.parametrize("flag", ["is_superuser", "is_staff"])
def test_who_is_made_superuser_or_staff_and_is_so_no_longer_leaves_entries(ann: User, flag: str) -> None:
    for is_held in (False, True, True, False):
        setattr(ann, flag, is_held)
        ann.save()
    assert flags() == [("ann", flag, True), ("ann", flag, False)]
    assert steps() == []  # neither is a role


def test_a_superuser_made_on_the_command_line_leaves_entries(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", cast.PASSWORD)
    call_command("createsuperuser", "--noinput", username="root", email="root@contoso.example", verbosity=0)
    assert flags() == [("root", "is_superuser", True), ("root", "is_staff", True)]


def test_a_superuser_who_is_disabled_is_none_until_they_come_back() -> None:
    root = User.objects.create_user("root", is_superuser=True)
    for is_active in (False, True):
        root.is_active = is_active
        root.save()
    assert flags() == [("root", "is_superuser", is_held) for is_held in (True, False, True)]


def test_an_account_made_disabled_is_a_superuser_from_its_return_on() -> None:
    root = User.objects.create_user("root", is_superuser=True, is_active=False)
    assert flags() == []
    root.is_active = True
    root.save()
    assert flags() == [("root", "is_superuser", True)]


def test_only_what_is_saved_is_recorded(guests: Group, ann: User) -> None:
    ann.groups.add(guests)
    before = steps()
    ann.is_superuser, ann.is_staff, ann.is_active = True, True, False
    ann.save(update_fields=["last_login"])
    assert (steps(), flags()) == (before, [])
    ann.save(update_fields=["is_staff"])
    assert (steps(), flags()) == (before, [("ann", "is_staff", True)])


def test_a_superuser_made_in_the_admin_leaves_an_entry(client: Client, ann: User) -> None:
    client.force_login(User.objects.create_superuser("root", password=cast.PASSWORD))
    page = reverse("admin:auth_user_change", args=[ann.pk])
    asked = {"username": "ann", "is_active": "on", "is_superuser": "on", "date_joined_0": "2026-11-18"}
    assert client.post(page, asked | {"date_joined_1": "14:32:08"}).status_code == 302
    assert flags()[-1] == ("ann", "is_superuser", True)


# -- nobody is deleted


def _by_sql(user: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM auth_user WHERE id = %s", [user.pk])


@pytest.mark.parametrize(
    "deed",
    [
        lambda user: user.delete(),
        lambda user: User.objects.filter(pk=user.pk).delete(),
        lambda user: User.objects.filter(pk=user.pk)._raw_delete("default"),
        _by_sql,
    ],
    ids=["delete", "queryset", "without looking", "SQL"],
)
def test_a_person_is_disabled_and_never_deleted(deed: object, ann: User) -> None:
    with pytest.raises((ProtectedError, DatabaseError), match="never deleted"), transaction.atomic():
        deed(ann)  # type: ignore[operator]
    assert User.objects.filter(pk=ann.pk).exists()


def test_nor_can_a_superuser_in_the_admin(client: Client, ann: User) -> None:
    root = User.objects.create_superuser("root", password=cast.PASSWORD)
    client.force_login(root)
    assert client.post(reverse("admin:auth_user_delete", args=[ann.pk]), {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=ann.pk).exists()


def test_a_label_stays_what_it_was_when_somebody_is_renamed(ann: User, now: datetime) -> None:
    before = Actor.objects.person(ann)
    ann.username = "ann.new"
    ann.save()
    assert Actor.objects.person(ann) != before
    before.refresh_from_db()
    assert before.label == "ann"
