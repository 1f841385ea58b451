"""The pages of exports: asking for one, the list, the download, and who may."""

import html
import io
import re
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from recordings import findings
from recordings.choices import ExportSheet, ExportStatus, LedgerAction
from recordings.models import Actor, Export, LedgerEntry
from tests import cast
from tests.exports.background import ask, file_of, made, make, manifest_of, seal, verify
from tests.pages.conftest import HTMX, signed_in, stopped_clock

__all__ = ["signed_in", "stopped_clock"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_key", "stopped_clock")]

# SQLite counts; the planner of PostgreSQL guesses.
COUNTED = r"(1 row by now|About \d+ rows?, an estimate)"
NEW, LIST = "/exports/new/", "/exports/"
REASON = {"reason": "the auditor asked", "step": "start"}


@pytest.fixture
def olgas(olga: User) -> Client:
    client = Client()
    client.force_login(olga)
    return client


@pytest.fixture
def story(now: datetime) -> datetime:
    cast.call("call-1", at=now - timedelta(minutes=10), capture="stopped", told="recording")
    cast.call("call-2", at=now - timedelta(minutes=5), capture="started", told="notRecording")
    findings.sweep(now)
    return now


def words_of(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def form(**words: str) -> dict[str, str]:
    return {"sheet": "history", "format": "exact", "zone": "UTC", **REASON, **words}


def test_the_page_takes_the_filter_of_the_list_it_came_from_and_counts_first(story: datetime, olgas: Client) -> None:
    page = words_of(olgas.get(f"{NEW}?sheet=calls&told=recording&from=2026-11-18&to=2026-11-18").text)
    assert re.search(COUNTED + " Told to Teams: Recording, from 2026-11-18 00:00:00, until before 2026-11-19", page)
    assert "holds names of people" in page
    assert not Export.objects.exists()


def test_counting_again_answers_the_estimate_alone(story: datetime, olgas: Client) -> None:
    answer = olgas.post(NEW, form(sheet="calls", step="count", told="notRecording"), headers=HTMX)
    assert answer.status_code == 200
    assert re.match(COUNTED + " Told to Teams: Not recording", words_of(answer.text))
    assert "<html" not in answer.text


@pytest.mark.parametrize("sheet", ["history", "calls", "operations", "findings", "ledger"])
def test_every_sheet_can_be_asked_for(story: datetime, olgas: Client, sheet: str) -> None:
    assert olgas.get(f"{NEW}?sheet={sheet}").status_code == 200
    answer = olgas.post(NEW, form(sheet=sheet), follow=True)
    assert answer.redirect_chain == [(LIST, 302)]
    assert "It is in line" in words_of(answer.text)
    assert Export.objects.get().sheet == sheet


def test_what_was_asked_for_is_what_the_worker_makes(story: datetime, olgas: Client) -> None:
    olgas.post(NEW, form(sheet="calls", told="recording", with_entries="1"))
    seal(story)
    make(story)
    export = Export.objects.get()
    answer = olgas.get(f"{LIST}{export.pk}/download/")
    assert answer["Content-Length"] == str(export.bytes)
    assert answer["Content-Disposition"] == 'attachment; filename="calls-20261118T143208Z.zip"'
    manifest = manifest_of(zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))))  # type: ignore[attr-defined]
    assert (manifest["rows"], manifest["entries_included"]) == (1, True)
    assert manifest["filter"] == {
        "query": "told=recording",
        "sentence": "Told to Teams: Recording, of all times",
    }
    assert (manifest["requested_by"], manifest["reason"]) == ("olga", "the auditor asked")
    assert LedgerEntry.objects.filter(action=LedgerAction.EXPORT_DOWNLOADED).count() == 1


def test_since_ones_last_export_the_file_proves_that_the_ledger_only_grew(
    story: datetime, olga: User, olgas: Client, tmp_path: Path
) -> None:
    first, archive = made(olga, now=story)
    cast.call("call-3", at=story + timedelta(minutes=1), capture="started")
    seal(story + timedelta(minutes=1))
    page = olgas.get(NEW).text
    assert re.search(rf'<option value="{first.pk}"', page)
    olgas.post(NEW, form(since=str(first.pk)))
    later = Export.objects.latest("requested_at", "pk")
    assert later.pk != first.pk
    make(story + timedelta(minutes=2))
    assert "consistency.json" not in archive.namelist()
    assert "consistency.json" in zipfile.ZipFile(io.BytesIO(file_of(later))).namelist()
    (tmp_path / "earlier.zip").write_bytes(file_of(first))
    checked = verify(file_of(later), tmp_path, "--earlier", str(tmp_path / "earlier.zip"))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "The ledger has only grown since your earlier checkpoint" in " ".join(checked.stdout.split())


@pytest.mark.parametrize("sheet", ["calls", "operations", "findings"])
def test_what_stood_at_a_moment_can_be_asked_for(story: datetime, olgas: Client, sheet: str) -> None:
    assert 'name="as_of"' in olgas.get(f"{NEW}?sheet={sheet}").text
    olgas.post(NEW, form(sheet=sheet, as_of="2026-11-18T14:30"))
    export = Export.objects.get()
    assert "as of 2026-11-18 14:30:00 (UTC)" in export.sentence
    seal(story)
    make(story)
    manifest = manifest_of(zipfile.ZipFile(io.BytesIO(file_of(export))))
    assert (manifest["as_of"], manifest["columns"][-2]["name"]) == ("2026-11-18T14:30:00.000000Z", "known_then")


def test_times_are_those_of_the_zone(story: datetime, olgas: Client) -> None:
    olgas.post(NEW, form(zone="Europe/Berlin", from_at="2026-11-18T15:00", until_at="2026-11-18T14:00:00Z"))
    assert not Export.objects.exists(), "15:00 in Berlin is 14:00 UTC"
    olgas.post(NEW, form(zone="Europe/Berlin", from_at="2026-11-18T15:00", until_at="2026-11-18T15:10"))
    export = Export.objects.get()
    assert (f"{export.from_at:%H:%M}", f"{export.until_at:%H:%M}") == ("14:00", "14:10")
    assert "from 2026-11-18 15:00:00, until before 2026-11-18 15:10:00 (Europe/Berlin)" in export.sentence


def test_the_list_says_who_why_how_far_and_the_sha(story: datetime, olga: User, olgas: Client) -> None:
    export, _ = made(olga, now=story)
    ask(olga, now=story, sheet=ExportSheet.CALLS, estimated_rows=2)
    page = words_of(olgas.get(LIST).text)
    assert "the auditor asked" in page
    assert export.sha256 in page.replace(" ", "")
    assert "Waiting" in page
    assert "0 of about 2" in page
    assert "Ready gone in 7 d" in page


def test_each_row_of_the_list_says_who_asked_and_how_many_rows_and_bytes_its_file_has(
    story: datetime, olga: User, ada: User, olgas: Client
) -> None:
    whole, _ = made(olga, now=story)
    one_call, _ = made(ada, now=story, sheet=ExportSheet.CALLS, query="told=recording")
    assert whole.rows > one_call.rows == 1
    table = re.findall(r'<table[^>]*id="export-rows".*?</table>', olgas.get(LIST).text, re.DOTALL)
    rows = [
        [words_of(cell) for cell in re.findall(r"<t[dh] .*?</t[dh]>", row, re.DOTALL)]
        for row in re.findall(r"<tr role=\"row\">.*?</tr>", table[0], re.DOTALL)[1:]
    ]
    assert [(row[2].partition(",")[0], row[3]) for row in rows] == [
        ("ada", f"1 {one_call.bytes / 1024:.1f} KB"),
        ("olga", f"{whole.rows} {whole.bytes / 1024:.1f} KB"),
    ]


def test_the_list_pins_its_queries(story: datetime, olga: User, olgas: Client, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    for _ in range(5):
        ask(olga, now=story)
    with django_assert_num_queries(8):
        olgas.get(LIST)


def test_while_one_is_made_the_list_asks_by_itself_and_then_stops(story: datetime, olga: User, olgas: Client) -> None:
    ask(olga, now=story)
    assert "data-poll" in olgas.get(LIST).text
    assert olgas.get(f"{LIST}?poll=1", headers=HTMX).status_code == 200
    seal(story)
    make(story)
    assert olgas.get(f"{LIST}?poll=1", headers=HTMX).status_code == 286


def test_one_that_waits_can_be_stopped(story: datetime, olga: User, olgas: Client) -> None:
    export = ask(olga, now=story)
    page = words_of(olgas.post(f"{LIST}{export.pk}/stop/", follow=True).text)
    assert "Stopped by olga." in page
    export.refresh_from_db()
    assert export.status == ExportStatus.FAILED
    Actor.objects.filter(label="olga").update(label="(erased) 1")
    assert "Stopped by (erased) 1." in words_of(olgas.get(LIST).text)


def test_an_expired_file_is_not_there_and_can_be_asked_for_again(story: datetime, olga: User, olgas: Client) -> None:
    export, _ = made(olga, now=story, query="told=recording")
    Export.objects.filter(pk=export.pk).update(status=ExportStatus.EXPIRED, expires_after=None)
    page = olgas.get(f"{LIST}{export.pk}/download/", follow=True).text
    assert "not there any more" in words_of(page)
    assert f"{NEW}?sheet=history&amp;told=recording&amp;zone=UTC&amp;format=exact" in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"reason": "  "}, "Say what the export is for."),
        ({"told": "shouting"}, "told: Select a valid choice."),
        ({"zone": "Mars/Olympus"}, "This is no time zone."),
        ({"from_at": "yesterday"}, "Write the time as 2026-11-18T14:30."),
        ({"from_at": "2026-11-19T00:00", "until_at": "2026-11-18T00:00"}, "From is not before Until"),
        ({"as_of": "2027-01-01T00:00"}, "As of lies in the future."),
        ({"sheet": "calls", "told": "recording", "as_of": "2026-11-18T00:00"}, "choose by how things stand now"),
        ({"call": "Dana Kessler"}, "call is not an id of a call"),
        ({"since": "01a2096f-0b7f-719d-9068-4efb7234399e"}, "that is none of your earlier exports"),
        ({"format": "pdf"}, "Select a valid choice."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_exported(
    story: datetime, olgas: Client, words: dict[str, str], said: str
) -> None:
    answer = olgas.post(NEW, form(**words))
    assert answer.status_code == 422
    assert said in words_of(answer.text)
    assert not Export.objects.exists()


def test_nobody_continues_from_the_export_of_somebody_else(story: datetime, olgas: Client, ada: User) -> None:
    theirs, _ = made(ada, now=story)
    assert str(theirs.pk) not in olgas.get(NEW).text
    assert olgas.post(NEW, form(since=str(theirs.pk))).status_code == 422


@pytest.mark.parametrize("path", [LIST, NEW, f"{LIST}01a2096f-0b7f-719d-9068-4efb7234399e/download/"])
def test_it_takes_the_right_to_export(db: None, sam: User, path: str) -> None:
    client = Client()
    client.force_login(sam)
    assert client.get(path).status_code == 403
    assert 'href="/exports/"' not in client.get("/").text


def test_the_navigation_leads_there(olgas: Client) -> None:
    assert re.search(r'href="/exports/"\s+aria-current="page"', olgas.get(LIST).text)
