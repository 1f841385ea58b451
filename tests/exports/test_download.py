"""The downloads: who may have them, that they follow the page's filter, and what a bad question gets."""

import csv
import io

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

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


def test_history_takes_moments_where_the_calls_page_takes_days(olga: User) -> None:
    assert download(olga, "/export/history.csv?from=2020-01-01T00:00:00Z")
    assert not download(olga, "/export/history.csv?to=2020-01-01T00:00:00Z&told=recording")


def test_what_was_asked_stands_in_the_ledger(olga: User) -> None:
    download(olga, "/export/calls.csv?told=recording&flavour=exact&page=2")
    entry = body_of(LedgerEntry.objects.get(action=LedgerAction.EXPORT_STARTED))
    assert (entry["filter"], entry["flavour"]) == ("told=recording", "exact")


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("calls.csv?flavour=xlsx", "flavour must be spreadsheet or exact"),
        ("calls.csv?told=maybe", "told:"),
        ("history.csv?told=maybe", "told:"),
        ("history.csv?from=yesterday", "from is"),
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
