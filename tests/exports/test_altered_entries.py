"""Entries whose text the owner of the database altered until nobody can read it: no export leaves one out unsaid."""

import csv
import io
import json
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from recordings import exports, findings
from recordings.choices import ExportFormat, ExportSheet, ExportStatus, LedgerAction
from recordings.exports import Subject, WantedPack
from recordings.models import Actor, Call, Export, LedgerEntry
from tests import cast
from tests.exports.background import ask, file_of, make, manifest_of, seal, verify
from tests.owning import change, place_of, switch_triggers_off

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_key")]

MINUTE = timedelta(minutes=1)
UNREADABLE = [
    "no entry",
    "{}",
    '{"recorded_at":"2026-91-18T00:00:00.000000Z","occurred_at":"2026-91-18T00:00:00.000000Z"}',
    "[" * 100_000,
    "two\nlines",
]


@pytest.fixture
def story(now: datetime) -> datetime:
    """Two calls, one of them stuck, all of it sealed; the triggers are off."""
    cast.call("call-1", at=now - 10 * MINUTE, capture="stopped", told="recording")
    cast.call("call-2", at=now - 5 * MINUTE, capture="started", told="recording")
    findings.sweep(now - 2 * MINUTE)
    seal(now)
    switch_triggers_off()
    return now


def altered(body: str = UNREADABLE[0], action: LedgerAction = LedgerAction.STATUS_CHANGED) -> LedgerEntry:
    entry = LedgerEntry.objects.filter(action=action).order_by("pk")[1:].first()
    assert entry
    change(entry, body=body)
    return entry


def made(by: User, *, now: datetime, **words: Any) -> tuple[Export, zipfile.ZipFile]:
    export = ask(by, now=now, **words)
    make(now)
    export.refresh_from_db()
    assert export.status == ExportStatus.READY, export.message
    return export, zipfile.ZipFile(io.BytesIO(file_of(export)))


def rows_in(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


@pytest.mark.parametrize("body", UNREADABLE, ids=range(len(UNREADABLE)))
@pytest.mark.parametrize("sheet", [ExportSheet.HISTORY, ExportSheet.LEDGER])
def test_the_row_is_there_with_its_key_and_every_other_row_stays_proven(
    story: datetime, olga: User, tmp_path: Path, sheet: ExportSheet, body: str
) -> None:
    entry = altered(body)
    export, archive = made(olga, now=story, sheet=sheet)
    rows = {row["entry_id"]: row for row in rows_in(archive.read(f"{sheet}.csv"))}
    said = {name: value for name, value in rows[str(entry.pk)].items() if value}
    assert said == {
        "entry_id": str(entry.pk),
        "event": "Text cannot be read: it was altered",
        "actor_kind": entry.actor.kind,
        "actor": entry.actor.label,
    }
    manifest = manifest_of(archive)
    assert manifest["unreadable"] == {"entries": 1, "first": [{"entry_id": str(entry.pk), "place": place_of(entry)}]}
    assert (manifest["rows"], manifest["complete_range"]) == (len(rows), None)
    assert manifest["proven_rows"] == len(archive.read("entries.jsonl").splitlines())

    checked = verify(file_of(export), tmp_path)
    said_so = " ".join(checked.stdout.split())
    assert checked.returncode == 1
    assert f"{manifest['proven_rows']} rows of {sheet}.csv are genuine" in said_so
    assert "FAILED 1 of the ledger's entries could not be read when this export was made" in said_so
    assert f"Their ids: {entry.pk}." in said_so
    assert "FAILED: The export is as On Record made it" in said_so


@pytest.mark.parametrize("form", list(ExportFormat))
def test_it_is_so_in_every_format_and_as_of_a_moment(
    story: datetime, olga: User, tmp_path: Path, form: ExportFormat
) -> None:
    entry = altered()
    export, archive = made(olga, now=story, form=form, as_of=story)
    assert str(entry.pk) in archive.read(archive.namelist()[4]).decode()
    assert verify(file_of(export), tmp_path).stdout.count("FAILED  ") == 1


@pytest.mark.parametrize("sheet", [ExportSheet.CALLS, ExportSheet.FINDINGS])
def test_a_snapshot_with_its_entries_names_those_that_cannot_be_read(
    story: datetime, olga: User, tmp_path: Path, sheet: ExportSheet
) -> None:
    action = LedgerAction.STATUS_CHANGED if sheet == ExportSheet.CALLS else LedgerAction.FINDING_OPENED
    entry = altered(action=action)
    export, archive = made(olga, now=story, sheet=sheet, with_entries=True)
    assert str(entry.pk) not in archive.read("entries.jsonl").decode()
    assert manifest_of(archive)["unreadable"]["entries"] == 1
    checked = verify(file_of(export), tmp_path)
    assert (checked.returncode, str(entry.pk) in "".join(checked.stdout.split())) == (1, True)


def test_how_something_stood_is_not_worked_out_without_every_step(story: datetime, olga: User) -> None:
    entry = altered()
    pack = WantedPack(Subject(Call.objects.get(pk=entry.call_id or 0)), "the auditor asked")
    asked = [
        exports.request_pack(pack, actor=Actor.objects.person(olga), user=olga, now=story),
        ask(olga, now=story, sheet=ExportSheet.CALLS, as_of=story),
    ]
    assert make(story) == 2
    for export in asked:
        export.refresh_from_db()
        assert (export.status, export.tries) == (ExportStatus.FAILED, 1)
        assert export.message.startswith(f"The text of entry {entry.pk} cannot be read, so somebody altered the dat")
        assert "Verify the ledger." in export.message


def test_the_quick_download_has_the_row_too(story: datetime, olga: User, client: Client) -> None:
    entry = altered()
    client.force_login(olga)
    answer = client.get("/export/history.csv?call=call-1")
    (row,) = [row for row in rows_in(b"".join(answer)) if row["event"].startswith("Text cannot be read")]
    assert row["entry_id"] == str(entry.pk)
    finished = LedgerEntry.objects.get(action=LedgerAction.EXPORT_FINISHED)
    assert json.loads(finished.body)["rows"] > 1


def test_a_blind_spot_that_cannot_be_read_is_not_left_out(now: datetime, olga: User, client: Client) -> None:
    cast.heartbeat(at=now - 30 * MINUTE, capture="capturing")
    cast.heartbeat(at=now, capture="capturing")
    findings.sweep(now)
    entry = LedgerEntry.objects.filter(action=LedgerAction.BLIND_SPOT_OPENED).first()
    assert entry
    switch_triggers_off()
    change(entry, body="no entry")
    client.force_login(olga)
    rows = rows_in(b"".join(client.get("/export/history.csv?action=finding.opened")))
    assert str(entry.pk) in {row["entry_id"] for row in rows}


def test_bytes_that_are_no_text_end_nothing(story: datetime, olga: User) -> None:
    """SQLite keeps them; in PostgreSQL the text stays another that nobody can read."""
    entry = altered()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            altering = "UPDATE recordings_ledgerentry SET body = CAST(x'ff00' AS TEXT) WHERE id = %s"
            assert cursor.execute(altering, [entry.pk.hex]).rowcount == 1
    _, archive = made(olga, now=story, sheet=ExportSheet.LEDGER)
    assert str(entry.pk) in archive.read("ledger.csv").decode()
