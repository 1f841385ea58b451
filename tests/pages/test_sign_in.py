"""Signing in and out: one door, one sentence for every refusal, and a session that ends."""

from datetime import timedelta
from urllib.parse import unquote

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recordings.choices import LedgerAction
from recordings.models import LedgerEntry
from tests import cast

pytestmark = pytest.mark.django_db


def test_the_right_password_leads_to_the_overview(client: Client, olga: User) -> None:
    response = client.post(reverse("login"), {"username": "olga", "password": cast.PASSWORD})
    assert response.headers["Location"] == reverse("overview")
    assert LedgerEntry.objects.filter(action=LedgerAction.SIGN_IN).count() == 1


def test_the_page_asked_for_is_the_page_reached(client: Client, olga: User) -> None:
    wanted = reverse("operation_list")
    asked = client.get(wanted)
    assert asked.headers["Location"] == f"{reverse('login')}?next={wanted}"
    page = client.get(asked.headers["Location"])
    assert f'name="next" value="{wanted}"' in " ".join(page.content.decode().split())
    response = client.post(reverse("login"), {"username": "olga", "password": cast.PASSWORD, "next": wanted})
    assert response.headers["Location"] == wanted


@pytest.mark.parametrize(
    "next_url", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil.example", "http:///evil"]
)
def test_nobody_is_sent_on_to_a_strangers_page(client: Client, olga: User, next_url: str) -> None:
    response = client.post(reverse("login"), {"username": "olga", "password": cast.PASSWORD, "next": next_url})
    assert response.headers["Location"] == reverse("overview")


def test_a_wrong_name_a_wrong_password_and_a_disabled_account_read_the_same(client: Client, olga: User) -> None:
    disabled = User.objects.create_user("gone", password=cast.PASSWORD, is_active=False)
    tries = [("nobody", cast.PASSWORD), ("olga", "wrong"), (disabled.username, cast.PASSWORD)]
    sentences = set()
    for username, password in tries:
        response = client.post(reverse("login"), {"username": username, "password": password})
        assert response.status_code == 422
        assert password not in response.content.decode()
        sentences.add(str(response.context["form"].non_field_errors()))
        assert "_auth_user_id" not in client.session
    assert len(sentences) == 1
    assert LedgerEntry.objects.filter(action=LedgerAction.SIGN_IN_FAILED).count() == 3


def test_the_session_key_changes_at_sign_in(client: Client, olga: User) -> None:
    client.post(reverse("set_theme"), {"theme": "dark"})
    before = client.session.session_key
    client.post(reverse("login"), {"username": "olga", "password": cast.PASSWORD})
    assert client.session.session_key != before
    assert client.session["theme"] == "dark"


def test_the_session_ends_eight_hours_after_sign_in_whatever_is_clicked_meanwhile(client: Client, olga: User) -> None:
    client.post(reverse("login"), {"username": "olga", "password": cast.PASSWORD})
    end = client.session.get_expiry_date()
    assert settings.SESSION_COOKIE_AGE == 8 * 3600
    assert abs(end - timezone.now() - timedelta(hours=8)) < timedelta(minutes=1)
    client.post(reverse("set_theme"), {"theme": "dark"})
    assert client.session.get_expiry_date() == end


def test_signing_out_is_a_post_and_ends_the_session(client: Client, olga: User) -> None:
    client.force_login(olga)
    assert client.get(reverse("logout")).status_code == 405
    assert "_auth_user_id" in client.session
    response = client.post(reverse("logout"))
    assert response.headers["Location"] == reverse("login")
    assert "_auth_user_id" not in client.session


def test_who_may_not_open_a_page_of_the_admin_is_told_so_instead_of_going_round_in_circles(
    client: Client, sam: User
) -> None:
    client.force_login(sam)
    response = client.get("/admin/", follow=True)
    assert response.status_code == 200
    assert "You are signed in as sam" in response.content.decode()


def test_the_admin_has_no_door_of_its_own(client: Client) -> None:
    response = client.get("/admin/recordings/call/", follow=True)
    assert unquote(response.redirect_chain[-1][0]) == f"{reverse('login')}?next=/admin/recordings/call/"


def test_a_form_without_its_token_is_refused_in_plain_words(olga: User) -> None:
    response = Client(enforce_csrf_checks=True).post(reverse("login"), {"username": "olga", "password": "x"})
    assert response.status_code == 403
    assert "Nothing was changed" in response.content.decode()
