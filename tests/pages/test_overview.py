"""Looking at the first page: how many, how bad, what waits, what happened last."""

import html
import json
import re
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from tests import cast
from tests.pages import calls_cast
from tests.pages.conftest import HTMX, SignIn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]

# Session, person, rights; 3 for the navigation; 4 for the figures; 4 for the health strip, 3 for the ledger; worst,
# latest, chart.
QUERIES = 21


def test_an_officer_sees_how_many_calls_teams_was_told_of(now: datetime, olga: User, signed_in: SignIn) -> None:
    calls_cast.capturing_untold(now=now)
    calls_cast.recorded(now=now)
    response = signed_in(olga).get(reverse("overview"))
    figures = response.context["figures"]
    assert (figures.in_progress, figures.established, figures.told, figures.findings) == (2, 2, 1, 1)
    assert "Teams told recording" in response.text
    assert "Recording now" not in response.text


def test_the_worst_finding_says_what_is_known_and_leads_to_its_call(
    now: datetime, mira: User, signed_in: SignIn
) -> None:
    calls_cast.capturing_untold(now=now)
    page = signed_in(mira).get(reverse("overview")).text
    assert "The recorder has been capturing for" in page
    assert reverse("call_detail", args=["call-untold"]) + "#correct" in page


def test_the_chart_counts_every_call_of_the_last_24_hours_once(now: datetime, olga: User, signed_in: SignIn) -> None:
    calls_cast.recorded("call-a", now=now)
    calls_cast.recorded("call-b", now=now - timedelta(hours=3))
    calls_cast.recorded("call-old", now=now - timedelta(hours=30))
    hours = signed_in(olga).get(reverse("overview")).context["hours"]
    assert len(hours) == 24
    assert sum(hour.total for hour in hours) == 2


def test_a_poll_brings_the_four_regions_and_no_page(now: datetime, olga: User, signed_in: SignIn) -> None:
    calls_cast.recorded(now=now)
    part = signed_in(olga).get(reverse("overview"), {"poll": 1}, headers=HTMX).text
    assert "<html" not in part
    for region in ("health", "figures", "worst", "feed"):
        assert f'id="{region}"' in part
    assert part.count('hx-swap-oob="true"') == 4


def test_paused_updates_poll_nothing(olga: User, signed_in: SignIn) -> None:
    client = signed_in(olga)
    assert "data-poll" in client.get(reverse("overview")).text
    client.post(reverse("pause_updates"))
    assert "data-poll" not in client.get(reverse("overview")).text


def test_an_empty_site_says_what_will_appear(olga: User, signed_in: SignIn) -> None:
    page = signed_in(olga).get(reverse("overview")).text
    assert "Nothing is stuck" in page
    assert "Nothing has changed yet" in page


def test_the_overview_asks_the_database_as_often_for_many_calls_as_for_one(
    now: datetime, olga: User, signed_in: SignIn, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        calls_cast.capturing_untold(f"call-{number}", now=now)
    client = signed_in(olga)
    with django_assert_num_queries(QUERIES):
        client.get(reverse("overview"))


def test_a_stranger_is_asked_to_sign_in(client: Client) -> None:
    response = client.get(reverse("overview"))
    assert response.status_code == 302
    assert response.headers["Location"].startswith(reverse("login"))


def test_a_person_without_a_role_is_told_what_to_do(sam: User, signed_in: SignIn) -> None:
    response = signed_in(sam).get(reverse("overview"))
    assert response.status_code == 403
    assert "Your role does not include this" in response.text
    assert reverse("logout") in response.text
    assert 'aria-label="Main"' not in response.text


def test_a_person_without_a_role_gets_no_page_inside_a_fragment(sam: User, signed_in: SignIn) -> None:
    response = signed_in(sam).get(reverse("overview"), {"poll": 1}, headers=HTMX)
    assert response.status_code == 403
    assert response.headers["HX-Retarget"] == "#main"
    assert "<html" not in response.text


def test_every_page_says_that_it_talks_to_a_stand_in(settings: Settings, olga: User, signed_in: SignIn) -> None:
    words = "This site talks to a stand-in for Microsoft, not to Microsoft."
    settings.GRAPH_BASE_URL, settings.ALLOW_STAND_IN = "https://127.0.0.1:8443/v1.0", True
    assert words in signed_in(olga).get(reverse("overview")).text
    settings.GRAPH_BASE_URL = "https://graph.microsoft.com/v1.0"
    settings.GRAPH_AUTHORITY = ""
    assert words not in signed_in(olga).get(reverse("overview")).text


def test_a_theme_is_what_the_session_says(olga: User, signed_in: SignIn) -> None:
    client = signed_in(olga)
    assert 'data-theme="auto"' in client.get(reverse("overview")).text
    client.post(reverse("set_theme"), {"theme": "dark"})
    assert 'data-theme="dark"' in client.get(reverse("overview")).text


def test_the_latest_changes_stand_in_the_order_they_were_heard_of(now: datetime, olga: User, signed_in: SignIn) -> None:
    call = calls_cast.recorded(now=now)
    cast.tell("status.told", call.graph_id, at=now - timedelta(minutes=2), status="failed")
    calls_cast.told_late(call, at=now - timedelta(minutes=1), heard_at=now)
    feed = signed_in(olga).get(reverse("overview")).text.split('id="feed"')[1]
    shown = re.findall(r'class="when"><time datetime="([^"]+)"', feed)
    assert len(shown) == 5
    assert shown == sorted(shown, reverse=True)
    assert "heard 1 min 0 s later" in feed


def test_pause_and_theme_lead_back_to_the_very_page(olga: User, signed_in: SignIn) -> None:
    client = signed_in(olga)
    here = f"{reverse('call_list')}?q=dana&phase=open"
    fields = re.findall(r'name="next" value="([^"]+)"', client.get(here).text)
    assert [html.unescape(field) for field in fields] == [here, here]
    for name, choice in (("pause_updates", {"paused": "1"}), ("set_theme", {"theme": "dark"})):
        assert client.post(reverse(name), {**choice, "next": here}).headers["Location"] == here


def test_htmx_copies_no_style_attribute_which_the_policy_would_refuse(olga: User, signed_in: SignIn) -> None:
    page = signed_in(olga).get(reverse("overview")).text
    config = json.loads(html.unescape(page.split("content='")[1].split("'")[0]))
    assert config["attributesToSettle"] == ["class"]


def test_the_icon_that_browsers_ask_for_by_themselves_is_there(client: Client) -> None:
    assert client.get("/favicon.ico").headers["Location"].endswith(".svg")
