"""The admin shows everything and changes nothing; only users and groups are kept there, and nobody is deleted."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from recordings import permissions
from recordings.models import (
    Call,
    ClockSkew,
    Export,
    ExportPart,
    LeafBatch,
    LedgerEntry,
    Node,
    Reading,
    Receipt,
    Recorder,
    Seal,
    SealingTurn,
    SealKey,
    SettingsNote,
    Unsealed,
    Verification,
    Witness,
)
from tests import cast
from tests.owning import switch_triggers_off
from tests.pages.corrections import completed

pytestmark = pytest.mark.django_db

# The ledger and the exports have pages of their own, which say what these rows mean.
WITHOUT_A_PAGE = [
    ClockSkew,
    Export,
    ExportPart,
    LeafBatch,
    Node,
    Reading,
    Receipt,
    Seal,
    SealKey,
    SealingTurn,
    SettingsNote,
    Unsealed,
    Verification,
    Witness,
]
# Texts that nobody wrote as an entry; the first one can at least be read.
FORGED = ['{"old":1}', "", "{", "[]", "[" * 100_000, '{"v":[1]}', '{"v":1e5}', '{"v":"\\ud800"}', f'{{"v":{"9" * 30}}}']
MODELS = [model for model in apps.get_app_config("recordings").get_models() if model not in WITHOUT_A_PAGE]


@pytest.fixture
def root(db: None) -> User:
    """Keeps the users; has no role."""
    return User.objects.create_superuser("root", password=cast.PASSWORD)


@pytest.fixture
def call(mira: User) -> Call:
    call = cast.call("call-1", at=timezone.now(), capture="started", told="recording")
    completed(call, by=mira, now=timezone.now())
    return call


def url(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:recordings_{model.__name__.lower()}_{page}", args=args)


def test_every_model_of_the_domain_is_registered_but_those_of_sealing() -> None:
    assert [model for model in MODELS if model not in admin.site._registry] == []
    assert [model for model in WITHOUT_A_PAGE if model in admin.site._registry] == []


def test_the_ledger_says_what_changed_and_why(client: Client, ada: User, call: Call) -> None:
    client.force_login(ada)
    page = client.get(url(LedgerEntry, "changelist")).content.decode()
    assert "capture_state: unknown → capturing" in page
    assert "failed, completed" in page
    assert "the desk checked" in page
    entry = LedgerEntry.objects.first()
    assert entry
    assert f">{str(entry.pk)[:8]}…{str(entry.pk)[-4:]}</a>" in page


@pytest.mark.parametrize("body", FORGED)
def test_a_forged_entry_hides_no_other(client: Client, ada: User, call: Call, body: str) -> None:
    first = LedgerEntry.objects.filter(action="status.changed").earliest("pk")
    connection.check_constraints()
    switch_triggers_off()
    LedgerEntry.objects.filter(pk=first.pk).update(body=body)
    client.force_login(ada)
    page = client.get(url(LedgerEntry, "changelist")).content.decode()
    assert "the desk checked" in page
    assert ("cannot be read" in page) == (body != FORGED[0])
    assert client.get(url(LedgerEntry, "change", first.pk)).status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_list_and_row_opens_and_nothing_can_be_changed(
    client: Client, ada: User, call: Call, model: type[Model]
) -> None:
    client.force_login(ada)
    response = client.get(url(model, "changelist"), {"q": "1"})
    assert response.status_code == 200
    response = client.get(url(model, "changelist"))
    assert response.status_code == 200
    page = response.content.decode()
    assert "delete_selected" not in page
    assert "addlink" not in page
    assert client.get(url(model, "add")).status_code == 403
    for row in model._default_manager.all()[:1]:
        page = client.get(url(model, "change", row.pk)).content.decode()
        assert 'name="_save"' not in page
        assert client.post(url(model, "change", row.pk), {}).status_code == 403
        assert client.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
        assert client.get(url(model, "history", row.pk)).status_code == 404


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_superuser_without_a_role_sees_no_row(client: Client, root: User, call: Call, model: type[Model]) -> None:
    client.force_login(root)
    assert client.get(url(model, "changelist")).status_code == 403


def test_a_superuser_sees_users_and_groups_and_a_reader_sees_neither(client: Client, root: User, ada: User) -> None:
    client.force_login(root)
    index = client.get(reverse("admin:index")).content.decode()
    assert "/admin/auth/user/" in index
    assert "/admin/recordings/" not in index
    client.force_login(ada)
    index = client.get(reverse("admin:index")).content.decode()
    assert "/admin/auth/" not in index
    assert "/admin/recordings/call/" in index
    assert client.get("/admin/auth/user/").status_code == 403


def test_a_person_without_staff_status_stays_outside(client: Client, olga: User) -> None:
    User.objects.filter(pk=olga.pk).update(is_staff=False)
    client.force_login(olga)
    assert reverse("login") in client.get("/admin/", follow=True).redirect_chain[-1][0]


def test_users_are_disabled_never_deleted(client: Client, root: User, olga: User) -> None:
    client.force_login(root)
    page = client.get("/admin/auth/user/").content.decode()
    assert "delete_selected" not in page
    assert client.post(f"/admin/auth/user/{olga.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post("/admin/auth/user/", {"action": "delete_selected", "_selected_action": olga.pk, "post": "yes"})
    assert User.objects.filter(pk=olga.pk).exists()
    response = client.post(
        f"/admin/auth/user/{olga.pk}/change/",
        {
            "username": "olga",
            "date_joined_0": "2026-01-01",
            "date_joined_1": "00:00:00",
            "groups": [group.pk for group in olga.groups.all()],
        },
    )
    assert response.status_code == 302
    olga.refresh_from_db()
    assert not olga.is_active


def test_the_groups_of_the_roles_keep_their_names_and_stay(client: Client, root: User) -> None:
    client.force_login(root)
    assert "delete_selected" not in client.get("/admin/auth/group/").content.decode()
    for name in permissions.ROLES:
        group = Group.objects.get(name=name)
        assert client.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"}).status_code == 403
        rights = [right.pk for right in group.permissions.all()]
        client.post(f"/admin/auth/group/{group.pk}/change/", {"name": "renamed", "permissions": rights})
        assert Group.objects.filter(pk=group.pk, name=name).exists()
    own = Group.objects.create(name="Something else")
    assert client.post(f"/admin/auth/group/{own.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Group.objects.filter(pk=own.pk).exists()


def test_the_action_leads_to_the_form_that_corrects(client: Client, mira: User, call: Call) -> None:
    client.force_login(mira)
    response = client.post(url(Call, "changelist"), {"action": "correct_status", "_selected_action": call.pk})
    assert response.headers["Location"] == reverse("correct_call", args=["call-1"])


def test_two_calls_at_once_are_refused_in_words(client: Client, mira: User, call: Call) -> None:
    other = cast.call("call-2", at=timezone.now())
    client.force_login(mira)
    chosen = {"action": "correct_status", "_selected_action": [call.pk, other.pk]}
    page = client.post(url(Call, "changelist"), chosen, follow=True).content.decode()
    assert "Select one call at a time for now. Nothing was sent." in page


def test_the_row_of_a_call_leads_to_the_form_and_to_the_site(client: Client, mira: User, call: Call) -> None:
    client.force_login(mira)
    page = client.get(url(Call, "change", call.pk)).content.decode()
    assert f'href="{reverse("correct_call", args=["call-1"])}"' in page
    assert f'href="{reverse("call_detail", args=["call-1"])}"' in page
    assert f'href="{reverse("overview")}"' in page


def test_who_may_not_correct_sees_neither_action_nor_button(client: Client, ada: User, call: Call) -> None:
    client.force_login(ada)
    assert "correct_status" not in client.get(url(Call, "changelist")).content.decode()
    assert "/correct/" not in client.get(url(Call, "change", call.pk)).content.decode()
    response = client.post(url(Call, "changelist"), {"action": "correct_status", "_selected_action": call.pk})
    assert "/correct/" not in response.headers.get("Location", "")


def test_no_secret_is_shown(client: Client, ada: User, call: Call) -> None:
    recorder = Recorder.objects.get()
    client.force_login(ada)
    assert recorder.token_hash not in client.get(url(Recorder, "change", recorder.pk)).content.decode()


def test_a_call_is_found_by_its_whole_id(client: Client, ada: User, call: Call) -> None:
    cast.call("call-2", at=timezone.now() - timedelta(minutes=1))
    client.force_login(ada)
    assert list(client.get(url(Call, "changelist"), {"q": "call-1"}).context["cl"].result_list) == [call]
    assert list(client.get(url(Call, "changelist"), {"q": "chain-of-call-1"}).context["cl"].result_list) == [call]
    assert list(client.get(url(Call, "changelist"), {"q": "call"}).context["cl"].result_list) == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_the_number_of_queries_does_not_grow_with_the_rows(
    client: Client, ada: User, mira: User, model: type[Model], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(6):
        completed(cast.call(f"call-{number}", at=timezone.now(), told="recording"), by=mira, now=timezone.now())
    client.force_login(ada)
    client.get(url(model, "changelist"))
    with django_assert_max_num_queries(7) as seen:
        client.get(url(model, "changelist"))
    counts = [query["sql"] for query in seen.captured_queries if "COUNT(" in query["sql"]]
    assert all("LIMIT" in sql for sql in counts), counts


def test_the_look_is_ours(client: Client, ada: User) -> None:
    client.force_login(ada)
    page = client.get(reverse("admin:index")).content.decode()
    assert page.index("admin/css/base.css") < page.index("recordings/tokens.css") < page.index("recordings/admin.css")
    assert "style=" not in page
    assert " onclick=" not in page
