"""Browsing the calls: filters in the address, tabs, pages without counting."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from recordings.filters import CallFilter
from recordings.models import Call
from recordings.views.call_rows import PAGE_SIZE
from sandbox.defaults import TENANT_ID
from tests import cast
from tests.pages import calls_cast
from tests.pages.conftest import HTMX, SignIn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]

# Session, person, rights; 3 for the navigation; calls, findings, changes, newest change, recorders to choose from.
QUERIES = 12


def shown(response: Any) -> list[str]:
    return [row.call.graph_id for row in response.context["page"].rows]


@pytest.fixture
def three_calls(now: datetime) -> None:
    calls_cast.capturing_untold(now=now)
    calls_cast.recorded(now=now)
    calls_cast.told_after_end(now=now)


@pytest.mark.usefixtures("three_calls")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"call-untold", "call-fine", "call-ended"}),
        ({"stuck": "1"}, {"call-untold", "call-ended"}),
        ({"phase": "open"}, {"call-untold", "call-fine"}),
        ({"phase": "ended"}, {"call-ended"}),
        ({"told": "recording"}, {"call-fine", "call-ended"}),
        ({"captured": "capturing"}, {"call-untold", "call-fine", "call-ended"}),
        ({"state": "terminated"}, {"call-ended"}),
        ({"q": "dana"}, {"call-untold", "call-fine", "call-ended"}),
        ({"q": "nobody of that name"}, set()),
        ({"recorder": "rec-01", "stuck": "1"}, {"call-untold", "call-ended"}),
        ({"from": "2026-11-18", "to": "2026-11-18"}, {"call-untold", "call-fine", "call-ended"}),
        ({"from": "2026-11-19"}, set()),
        ({"to": "9999-12-31"}, {"call-untold", "call-fine", "call-ended"}),
    ],
)
def test_a_filter_in_the_address_narrows_the_list(
    query: dict[str, str], expected: set[str], olga: User, signed_in: SignIn
) -> None:
    assert set(shown(signed_in(olga).get(reverse("call_list"), query))) == expected


@pytest.mark.parametrize("words", ["57dab8b1-894c-409a", " chain-of-57dab8b1-894c-409a "])
def test_an_id_is_found_whole(now: datetime, olga: User, signed_in: SignIn, words: str) -> None:
    cast.call("57dab8b1-894c-409a", at=now)
    cast.call("57dab8b1-894c-409b", at=now)
    assert shown(signed_in(olga).get(reverse("call_list"), {"q": words})) == ["57dab8b1-894c-409a"]


@pytest.mark.parametrize("words", ["57dab8b1", "57DAB8B1", "57dab8b1…409a", "57dab8b1...409a", "chain-of-57dab8b1"])
def test_an_id_is_found_by_its_beginning_and_as_the_page_shortens_it(
    now: datetime, olga: User, signed_in: SignIn, words: str
) -> None:
    cast.call("57dab8b1-894c-409a", at=now)
    cast.call("57dab8b2-894c-409a", at=now)
    expected = [] if words.isupper() else ["57dab8b1-894c-409a"]
    assert shown(signed_in(olga).get(reverse("call_list"), {"q": words})) == expected


@pytest.mark.parametrize("words", ["fixing", "Weekly fix", "call of lee"])
def test_a_call_is_found_by_words_of_its_title(now: datetime, olga: User, signed_in: SignIn, words: str) -> None:
    cast.call("call-other", at=now)
    Call.objects.create(
        graph_id="call-titled", tenant_id=TENANT_ID, created_at=now, subject="Weekly fixing", organizer_name="Lee Ode"
    )
    assert shown(signed_in(olga).get(reverse("call_list"), {"q": words})) == ["call-titled"]


@pytest.mark.usefixtures("three_calls")
def test_days_in_the_wrong_order_list_nothing_and_say_why(olga: User, signed_in: SignIn) -> None:
    client, days = signed_in(olga), {"from": "2026-11-19", "to": "2026-11-18"}
    answer = client.get(reverse("call_list"), days)
    assert "From is after To" in answer.text
    assert shown(answer) == []
    for name in ("export_calls", "export_history"):
        assert client.get(reverse(name), days).status_code == 400


def test_the_list_and_the_page_of_a_call_say_the_same_of_its_beginning(
    now: datetime, olga: User, signed_in: SignIn
) -> None:
    """Its capture may be known of a moment before everything else."""
    cast.call("call-1", at=now - timedelta(minutes=3))
    cast.tell("capture.started", "call-1", at=now - timedelta(minutes=9))
    client = signed_in(olga)
    (row,) = client.get(reverse("call_list")).context["page"].rows
    page = client.get(reverse("call_detail", args=["call-1"])).context["page"]
    assert (row.since, row.until) == (page.since, page.until)
    assert row.since == now - timedelta(minutes=9)


@pytest.mark.parametrize("words", ["57dab8b1-894c", "57dab8b1…894c"])
def test_an_id_is_asked_for_through_indexes(now: datetime, words: str) -> None:
    """SQLite says which way it goes; PostgreSQL reads a table as small as this one whole, whatever is asked."""
    found = CallFilter({"q": words}, queryset=Call.objects.all()).qs.order_by()
    plan = found.explain()
    assert "SCAN recordings_call" not in plan


def test_a_call_lasts_from_the_first_thing_known_of_it(now: datetime, olga: User, signed_in: SignIn) -> None:
    call = cast.call(at=now)
    calls_cast.told_late(call, at=now - timedelta(minutes=12), heard_at=now)
    (row,) = signed_in(olga).get(reverse("call_list")).context["page"].rows
    assert row.since == now - timedelta(minutes=12)


def test_a_filter_that_is_not_understood_says_so(olga: User, signed_in: SignIn) -> None:
    page = signed_in(olga).get(reverse("call_list"), {"from": "yesterday", "state": "singing"}).text
    assert "“From” was not understood" in page
    assert "“State” was not understood" in page


def test_pages_follow_one_another_without_a_gap_and_without_a_double(
    now: datetime, olga: User, signed_in: SignIn
) -> None:
    for number in range(PAGE_SIZE + 7):
        Call.objects.create(
            graph_id=f"call-{number}", tenant_id=TENANT_ID, created_at=now - timedelta(seconds=number // 5)
        )
    client = signed_in(olga)
    first = client.get(reverse("call_list"))
    second = client.get(first.context["older_url"])
    assert len(shown(first)) == PAGE_SIZE
    assert len(shown(second)) == 7
    assert len({*shown(first), *shown(second)}) == PAGE_SIZE + 7
    assert second.context["older_url"] == ""


def test_a_place_nobody_gave_shows_the_newest(olga: User, signed_in: SignIn, now: datetime) -> None:
    calls_cast.recorded(now=now)
    assert shown(signed_in(olga).get(reverse("call_list"), {"before": "nowhere"})) == ["call-fine"]


@pytest.mark.usefixtures("three_calls")
def test_an_htmx_request_gets_the_list_and_a_boosted_one_the_page(olga: User, signed_in: SignIn) -> None:
    client = signed_in(olga)
    assert "<html" not in client.get(reverse("call_list"), headers=HTMX).text
    assert "<html" in client.get(reverse("call_list"), headers={**HTMX, "HX-Boosted": "true"}).text


def test_a_poll_only_counts_what_is_new(now: datetime, olga: User, signed_in: SignIn) -> None:
    calls_cast.recorded(now=now)
    client = signed_in(olga)
    news_url = client.get(reverse("call_list")).context["news_url"]
    assert "new change" not in client.get(news_url, headers=HTMX).text
    cast.tell("capture.stopped", "call-fine", at=now)
    part = client.get(news_url, headers=HTMX).text
    assert "1 new change" in part
    assert "call-rows" not in part


def test_news_of_other_calls_than_the_filtered_ones_is_no_news(now: datetime, olga: User, signed_in: SignIn) -> None:
    calls_cast.recorded(now=now)
    client = signed_in(olga)
    news_url = client.get(reverse("call_list"), {"phase": "ended"}).context["news_url"]
    cast.tell("capture.stopped", "call-fine", at=now)
    assert "new change" not in client.get(news_url, headers=HTMX).text


@pytest.mark.usefixtures("three_calls")
def test_the_exports_take_the_same_filter(olga: User, signed_in: SignIn) -> None:
    page = signed_in(olga).get(reverse("call_list"), {"stuck": "1", "q": ""})
    assert f'href="{reverse("export_calls")}?stuck=1"' in page.text
    assert f'href="{reverse("export_history")}?stuck=1"' in page.text
    assert parse_qs(urlsplit(page.context["news_url"]).query)["stuck"] == ["1"]


def test_the_findings_link_of_the_navigation_is_the_current_one_on_the_stuck_calls(
    olga: User, signed_in: SignIn
) -> None:
    page = signed_in(olga).get(reverse("call_list"), {"stuck": "1"}).text
    assert f'href="{reverse("call_list")}?stuck=1" aria-current="page"' in " ".join(page.split())


@pytest.mark.parametrize("number_of_calls", [1, 12])
def test_the_list_asks_the_database_as_often_for_many_calls_as_for_one(
    number_of_calls: int,
    now: datetime,
    olga: User,
    signed_in: SignIn,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(number_of_calls):
        calls_cast.capturing_untold(f"call-{number}", now=now)
    client = signed_in(olga)
    with django_assert_num_queries(QUERIES):
        client.get(reverse("call_list"))
