"""What one person sets for one session: the colours, and whether pages update themselves."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_a_theme_is_kept_and_the_page_shows_it(client: Client, theme: str) -> None:
    response = client.post(reverse("set_theme"), {"theme": theme, "next": reverse("login")})
    assert response.headers["Location"] == reverse("login")
    assert f'data-theme="{theme}"' in client.get(reverse("login")).content.decode()


def test_an_unknown_theme_changes_nothing(client: Client) -> None:
    response = client.post(reverse("set_theme"), {"theme": "pink"})
    assert response.status_code == 400
    assert "theme" not in client.session


def test_the_way_back_is_the_page_one_was_on_and_only_ever_ours(client: Client) -> None:
    ours = "http://testserver/operations/?status=unknown"
    assert client.post(reverse("set_theme"), {"theme": "dark"}, headers={"referer": ours}).headers["Location"] == ours
    for stranger in ("https://evil.example/", "//evil.example"):
        back = client.post(reverse("set_theme"), {"theme": "dark", "next": stranger}).headers["Location"]
        assert back == reverse("overview")
        back = client.post(reverse("set_theme"), {"theme": "dark"}, headers={"referer": stranger}).headers["Location"]
        assert back == reverse("overview")


def test_the_theme_is_set_by_a_post_only(client: Client) -> None:
    assert client.get(reverse("set_theme"), {"theme": "dark"}).status_code == 405


def test_the_theme_stays_when_somebody_signs_out(client: Client, olga: User) -> None:
    client.force_login(olga)
    client.post(reverse("set_theme"), {"theme": "dark"})
    client.post(reverse("logout"))
    assert client.session["theme"] == "dark"


def test_updates_are_paused_and_resumed(client: Client, olga: User) -> None:
    client.force_login(olga)
    client.post(reverse("pause_updates"))
    assert client.session.get("updates_paused")
    assert 'hx-trigger="every 10s"' not in client.get(reverse("operation_list")).content.decode()
    client.post(reverse("pause_updates"))
    assert not client.session.get("updates_paused")
    assert 'hx-trigger="every 10s"' in client.get(reverse("operation_list")).content.decode()


def test_pressing_pause_twice_does_not_resume(client: Client, olga: User) -> None:
    client.force_login(olga)
    for _ in range(2):
        client.post(reverse("pause_updates"), {"paused": "1"})
    assert client.session["updates_paused"] is True


def test_pausing_needs_a_sign_in(client: Client) -> None:
    assert reverse("login") in client.post(reverse("pause_updates")).headers["Location"]
