"""The downloads: who may have them, that they follow the page's filter, and what a bad question gets."""

import csv
import html
import io
import re
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.crypto import salted_hmac

from recordings.choices import LedgerAction
from recordings.ledger import body_of
from recordings.models import LedgerEntry
from tests import cast

pytestmark = pytest.mark.django_db

PATHS = ("/export/history.csv", "/export/calls.csv", "/export/operations.csv")


@pytest.fixture(autouse=True)
def calls(db: None) -> None:
    now = timezone.now()
    cast.call("call-told", at=now, told="recording")
    cast.call("call-untold", at=now, capture="started")


def download(who: User, path: str) -> list[dict[str, str]]:
    client = Client()
    client.force_login(who)
    response = client.get(path)
    assert response.status_code == 200, response.content
    return list(csv.DictReader(io.StringIO(b"".join(response).decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("path", PATHS)
def test_everybody_who_may_export_may_and_nobody_else(
    path: str, olga: User, mira: User, tom: User, ada: User, sam: User
) -> None:
    for who in (olga, mira, tom, ada):
        download(who, path)
    client = Client()
    assert client.get(path).status_code == 302
    client.force_login(sam)
    assert client.get(path).status_code == 403
    assert LedgerEntry.objects.filter(action=LedgerAction.EXPORT_STARTED).count() == 4


def test_the_file_has_a_name_and_is_kept_nowhere(olga: User) -> None:
    client = Client()
    client.force_login(olga)
    response = client.get("/export/calls.csv")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="calls-20')
    assert "no-store" in response["Cache-Control"]
    assert "Content-Length" not in response
    response.close()


def test_calls_and_history_follow_the_filter_of_the_calls_page(olga: User) -> None:
    assert {row["call_id"] for row in download(olga, "/export/calls.csv?told=recording")} == {"call-told"}
    assert {row["call_id"] for row in download(olga, "/export/history.csv?told=recording")} == {"call-told"}
    assert {row["call_id"] for row in download(olga, "/export/history.csv?call=call-untold")} == {"call-untold"}
    assert {row["call_id"] for row in download(olga, "/export/history.csv")} == {"call-told", "call-untold"}


def test_the_link_of_the_calls_page_gives_the_whole_history_of_its_calls(olga: User) -> None:
    """A call that was heard of three days ago, and corrected today."""
    now = timezone.now()
    old = now - timedelta(days=3)
    cast.call("call-old", at=old)
    cast.tell("capture.started", "call-old", at=now)
    day = (old - timedelta(minutes=1)).date()
    client = Client()
    client.force_login(olga)
    page = client.get(f"/calls/?from={day}&to={day}").text
    (link,) = set(re.findall(r'href="(/export/history\.csv[^"]*)"', page))
    rows = download(olga, html.unescape(link))
    assert {row["call_id"] for row in rows} == {"call-old"}
    assert "capturing" in {row["new"] for row in rows}


def test_history_has_its_own_words_for_the_times_of_events(olga: User) -> None:
    assert download(olga, "/export/history.csv?event_from=2020-01-01T00:00:00Z")
    assert not download(olga, "/export/history.csv?event_to=2020-01-01T00:00:00Z&told=recording")
    assert not download(olga, "/export/history.csv?to=2020-01-01")


def asked_for(olga: User, query: str) -> str:
    download(olga, f"/export/{query}")
    return str(body_of(LedgerEntry.objects.filter(action=LedgerAction.EXPORT_STARTED).latest("pk"))["filter"])


def test_what_was_asked_stands_in_the_ledger(olga: User) -> None:
    assert asked_for(olga, "calls.csv?told=recording&flavour=exact&page=2") == "told=recording"
    assert asked_for(olga, "history.csv?stuck=&event_to=2020-01-01&call=call-1") == "call=call-1&event_to=2020-01-01"
    assert asked_for(olga, "operations.csv?q=onrecord:00000000-0000-4000-8000-00000000000a").endswith("000a")


@pytest.mark.parametrize(
    "query",
    ["calls.csv?q=Dana+Kessler", "history.csv?q=Dana", "operations.csv?q=%2B4930123456", "calls.csv?q=4930123456"],
)
def test_a_name_that_was_searched_for_is_not_in_the_ledger(olga: User, query: str) -> None:
    words = parse_qs(query.partition("?")[2])["q"][0]
    digest = salted_hmac("recordings.exports.filter", words, algorithm="sha256").hexdigest()[:12]
    assert parse_qs(asked_for(olga, query)) == {"q": [f"(text, hmac {digest})"]}
    assert asked_for(olga, query) == asked_for(olga, query)
    bodies = " ".join(LedgerEntry.objects.values_list("body", flat=True))
    assert "Dana" not in bodies
    assert "4930123456" not in bodies


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("calls.csv?chain=Dana+Kessler", "chain"),
        ("calls.csv?scenario=Kessler", "scenario"),
        ("calls.csv?stuck=Dana+Kessler", "stuck"),
        ("history.csv?call=Dana_Kessler", "call"),
        ("operations.csv?requester=kessler2", "requester"),
    ],
)
def test_neither_is_a_name_in_any_other_field(olga: User, query: str, word: str) -> None:
    said = parse_qs(asked_for(olga, query))
    assert list(said) == [word]
    assert said[word][0].startswith("(text, hmac ")
    assert not LedgerEntry.objects.filter(body__icontains="kessler").exists()


def test_ids_days_and_what_a_field_offers_stand_there_as_they_are(olga: User) -> None:
    cast.recorder(now=timezone.now())
    for query in (
        "calls.csv?chain=chain-1&from=2026-01-02&phase=open&recorder=rec-01&stuck=true&to=2026-01-03&told=recording",
        "history.csv?action=status.changed&call=call-1&event_from=2026-01-02T03%3A04",
        "operations.csv?phase=live&status=completed&wish=notRecording",
    ):
        assert asked_for(olga, query) == query.partition("?")[2]


def test_neither_is_what_no_filter_knows_nor_who_asked_by_name(olga: User) -> None:
    assert asked_for(olga, "calls.csv?name=Dana+Kessler") == ""
    assert "mira" not in asked_for(olga, "operations.csv?requester=mira")


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("calls.csv?flavour=xlsx", "flavour must be spreadsheet or exact"),
        ("calls.csv?told=maybe", "told:"),
        ("history.csv?told=maybe", "told:"),
        ("history.csv?from=yesterday", "from:"),
        ("history.csv?from=2020-01-01T00:00:00Z", "from:"),
        ("history.csv?event_from=yesterday", "event_from is"),
        ("history.csv?event_to=9999-12-31", "event_to is"),
        ("history.csv?event_from=%00", "event_from is"),
        ("history.csv?call=%00", "call is not an id"),
        ("history.csv?action=%00", "action is"),
        ("history.csv?q=%00", "q:"),
        ("calls.csv?flavour=%00", "flavour must be"),
        ("calls.csv?recorder=%00", "recorder:"),
        ("calls.csv?to=10000-01-01", "to:"),
        ("operations.csv?requester=%00", "requester:"),
        ("operations.csv?q=%00", "q:"),
        ("operations.csv?status=maybe", "status:"),
    ],
)
def test_a_question_nobody_understands_gets_one_clear_answer(olga: User, query: str, named: str) -> None:
    client = Client()
    client.force_login(olga)
    response = client.get(f"/export/{query}")
    assert response.status_code == 400
    assert named in response.text
    assert "Nothing was exported." in response.text
    assert not LedgerEntry.objects.filter(action=LedgerAction.EXPORT_STARTED).exists()


def test_http_10_is_refused_since_it_cannot_show_a_cut(olga: User) -> None:
    client = Client()
    client.force_login(olga)
    response = client.get("/export/calls.csv", SERVER_PROTOCOL="HTTP/1.0")
    assert response.status_code == 505
    assert "HTTP/1.1" in response.text


def test_only_get_downloads(olga: User) -> None:
    client = Client()
    client.force_login(olga)
    assert client.post("/export/calls.csv").status_code == 405
