"""The manifest says what a file holds, how it came to be, and what nobody can know; and it is signed."""

import hashlib
import io
import tomllib
import zipfile
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from recordings import exports, findings, ingest
from recordings.choices import ExportFormat, ExportSheet
from recordings.exports import Period
from recordings.exports.archive import Contents, write_archive
from recordings.ledger import sealing
from recordings.ledger.keys import signing_key
from recordings.ledger.notes import is_signed, parse_note, sign_note
from recordings.models import ClockSkew, LedgerEntry, Receipt, Seal
from tests import cast
from tests.exports.background import made, manifest_of
from tests.processes import ROOT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_key")]

MINUTE = timedelta(minutes=1)


@pytest.fixture
def story(now: datetime) -> datetime:
    """A call, and half an hour in which its recorder was silent and On Record took nothing in."""
    cast.call("call-1", at=now - 60 * MINUTE, capture="started", told="recording")
    ingest.beat(now - 59 * MINUTE)
    findings.sweep(now - 50 * MINUTE)
    cast.heartbeat("call-1", at=now - 30 * MINUTE, capture="capturing")
    ingest.beat(now)
    ClockSkew.objects.create(from_at=now - 45 * MINUTE, until_at=now - 40 * MINUTE, seconds=-3.5, seen_at=now)
    return now


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"


def test_it_names_every_file_with_its_size_and_digest(story: datetime, olga: User) -> None:
    _, archive = made(olga, now=story)
    told = manifest_of(archive)["files"]
    assert set(told) == set(archive.namelist()) - {"manifest.json", "manifest.sig"}
    for name, said in told.items():
        content = archive.read(name)
        assert said == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_it_is_signed_with_the_ledgers_key(story: datetime, olga: User) -> None:
    _, archive = made(olga, now=story)
    note, key = parse_note(archive.read("manifest.sig").decode()), signing_key()
    digest = hashlib.sha256(archive.read("manifest.json")).hexdigest()
    assert note.text == f"onrecord-export-manifest/v1\n{digest}\n"
    assert is_signed(note, key.public_key, key.name)
    assert manifest_of(archive)["key_fingerprint"] == key.fingerprint


def test_it_says_what_was_asked_by_whom_and_how_fresh_it_is(story: datetime, olga: User) -> None:
    period = Period(story - 70 * MINUTE, story + MINUTE)
    export, archive = made(
        olga, now=story, query="told=recording", period=period, zone="Europe/Berlin", as_of=story - MINUTE
    )
    manifest, newest = manifest_of(archive), LedgerEntry.objects.filter(action="export.started").latest("pk")
    assert manifest["export"] == str(export.pk)
    assert manifest["filter"] == {"query": "told=recording", "sentence": "of the calls: Told to Teams: Recording"}
    assert (manifest["from_at"], manifest["until_at"]) == (stamp(story - 70 * MINUTE), stamp(story + MINUTE))
    assert (manifest["zone"], manifest["as_of"]) == ("Europe/Berlin", stamp(story - MINUTE))
    assert (manifest["requested_by"], manifest["reason"]) == ("olga", "the auditor asked")
    assert manifest["freshness"] == {
        "newest_entry_at": stamp(story),
        "newest_entry_id": str(newest.pk),
        "read_from_at": stamp(story),
        "read_until_at": stamp(story),
    }


def test_it_names_the_blind_spots_and_the_clock_skews_of_the_time(story: datetime, olga: User) -> None:
    _, archive = made(olga, now=story)
    manifest = manifest_of(archive)
    assert {spot["whose"] for spot in manifest["blind_spots"]} == {"rec-01", "On Record"}
    assert manifest["clock_skews"] == [
        {"from_at": stamp(story - 45 * MINUTE), "until_at": stamp(story - 40 * MINUTE), "milliseconds": -3500}
    ]
    _, before = made(olga, now=story, period=Period(until=story - 62 * MINUTE))
    assert (manifest_of(before)["blind_spots"], manifest_of(before)["clock_skews"]) == ([], [])


HERE, ELSEWHERE, FORMER = "file:///worm", "https://witness.example/checkpoints", "https://former.example/"


def witnessed(by: User, now: datetime, *has_it: str) -> dict[str, Any]:
    """What the manifest says once these witnesses have the newest checkpoint."""
    made(by, now=now)
    for witness in has_it:
        Receipt.objects.create(seal=Seal.objects.latest("size"), witness=witness, received_at=now)
    _, archive = made(by, now=now)
    found: dict[str, Any] = manifest_of(archive)["witnessed"]
    return found


def test_it_says_until_when_a_witness_off_this_host_has_the_ledger(
    story: datetime, olga: User, settings: Settings
) -> None:
    settings.LEDGER_WITNESSES = [HERE, ELSEWHERE]
    told = witnessed(olga, story, HERE, ELSEWHERE)
    assert (told["size"], told["sealed_at"]) == (Receipt.objects.latest("pk").seal_id, stamp(story))
    assert told["is_off_host"] is True
    assert "could have been changed before they were sealed" in told["note"]


def test_a_copy_on_this_host_does_not_count_where_a_witness_is_elsewhere(
    story: datetime, olga: User, settings: Settings
) -> None:
    settings.LEDGER_WITNESSES = [HERE, ELSEWHERE]
    told = witnessed(olga, story, HERE)
    assert (told["size"], told["sealed_at"], told["is_off_host"]) == (None, None, True)


def test_where_all_copies_are_on_this_host_it_says_so(story: datetime, olga: User, settings: Settings) -> None:
    settings.LEDGER_WITNESSES = [HERE]
    told = witnessed(olga, story, HERE)
    assert (told["size"], told["is_off_host"]) == (Receipt.objects.latest("pk").seal_id, False)
    assert "on the machine of On Record itself" in told["note"]


def test_a_witness_that_is_none_any_more_does_not_count(story: datetime, olga: User, settings: Settings) -> None:
    settings.LEDGER_WITNESSES = [ELSEWHERE]
    assert witnessed(olga, story, FORMER)["size"] is None


@pytest.mark.parametrize("sheet", exports.EVERY_SHEET)
def test_it_describes_every_column_and_by_which_fact_it_is_proven(story: datetime, olga: User, sheet: str) -> None:
    _, archive = made(olga, now=story, sheet=ExportSheet(sheet))
    columns = exports.EVERY_SHEET[sheet].columns
    assert manifest_of(archive)["columns"] == [
        {
            "name": column.name,
            "meaning": column.meaning,
            "proven": bool(column.facts),
            "entry_fact": list(column.facts) or None,
        }
        for column in columns
    ]


@pytest.mark.parametrize("sheet", exports.EVERY_SHEET)
def test_it_names_the_version_of_the_code_which_is_that_of_the_project(story: datetime, olga: User, sheet: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    _, archive = made(olga, now=story, sheet=ExportSheet(sheet))
    assert manifest_of(archive)["code_version"] == project["version"]


def test_the_same_rows_under_the_same_seal_are_the_same_bytes(story: datetime) -> None:
    key = signing_key()
    assert sealing.seal(story, key=key)
    seal, rows = Seal.objects.select_related("key").latest("size"), exports.History().entries()
    contents = Contents(exports.HISTORY, rows, form=ExportFormat.EXACT, seal=seal)
    first, second = (
        b"".join(write_archive(contents, told=lambda: {"reason": "twice"}, sign=lambda text: sign_note(text, key)))
        for _ in range(2)
    )
    assert first == second
    assert zipfile.ZipFile(io.BytesIO(first)).testzip() is None
