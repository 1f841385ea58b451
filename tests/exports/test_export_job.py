"""An export in the background: asked for, made by the worker, kept for a while, downloaded, gone."""

import csv
import hashlib
import io
import json
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from recordings import exports, findings
from recordings.choices import ExportFormat, ExportSheet, ExportStatus, LedgerAction
from recordings.exports import BadFilter, NoFile, Period
from recordings.ledger import body_of
from recordings.models import Actor, Export, ExportPart, LedgerEntry, Seal
from recordings.permissions import NotAllowed
from tests import cast
from tests.exports.background import ask, file_of, made, make, manifest_of, seal, verify
from tests.owning import break_time, switch_triggers_off

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_key")]

MINUTE = timedelta(minutes=1)
MEMBERS = [
    "README.txt",
    "verify.py",
    "manifest.json",
    "manifest.sig",
    "history.csv",
    "entries.jsonl",
    "proofs.jsonl",
    "checkpoint.txt",
]


@pytest.fixture
def story(now: datetime) -> datetime:
    """Two calls that were told and captured, one of them stuck."""
    cast.call("call-1", at=now - 10 * MINUTE, capture="stopped", told="recording")
    cast.call("call-2", at=now - 5 * MINUTE, capture="started", told="recording")
    findings.sweep(now - 2 * MINUTE)
    return now


def entries(action: LedgerAction) -> list[dict[str, object]]:
    return [dict(body_of(entry)) for entry in LedgerEntry.objects.filter(action=action).order_by("pk")]


def rows_of(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"), newline=""), strict=True))


def test_a_history_comes_with_its_entries_and_a_proof_that_anybody_can_check(
    story: datetime, olga: User, tmp_path: Path
) -> None:
    export, archive = made(olga, now=story)
    assert export.status == ExportStatus.READY
    assert archive.namelist() == MEMBERS
    whole = file_of(export)
    assert (export.bytes, export.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())
    rows = rows_of(archive, "history.csv")
    assert export.rows == len(rows) > 5
    bodies = [json.loads(line) for line in archive.read("entries.jsonl").splitlines()]
    assert {body["id"] for body in bodies} == {row["entry_id"] for row in rows}
    checked = verify(whole, tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("form", list(ExportFormat))
@pytest.mark.parametrize("sheet", list(exports.EVERY_SHEET))
def test_every_sheet_in_every_format_is_verified(
    story: datetime, olga: User, tmp_path: Path, sheet: str, form: ExportFormat
) -> None:
    export, archive = made(olga, now=story, sheet=ExportSheet(sheet), form=form)
    checked = verify(file_of(export), tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert manifest_of(archive)["snapshot"] == (sheet not in (ExportSheet.HISTORY, ExportSheet.LEDGER))


def test_the_ledger_is_complete_from_its_first_entry_on(story: datetime, olga: User, tmp_path: Path) -> None:
    export, archive = made(olga, now=story, sheet=ExportSheet.LEDGER)
    manifest, rows = manifest_of(archive), rows_of(archive, "ledger.csv")
    assert manifest["complete_range"] == {"first": 0, "last": manifest["tree_size"] - 1}
    assert sorted(int(row["index"]) for row in rows if row["index"]) == list(range(manifest["tree_size"]))
    assert manifest["unproven_rows"] == sum(not row["index"] for row in rows)
    checked = verify(file_of(export), tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_calls_are_a_snapshot_unless_their_entries_are_asked_for(story: datetime, olga: User, tmp_path: Path) -> None:
    _, plain = made(olga, now=story, sheet=ExportSheet.CALLS)
    export, proven = made(olga, now=story, sheet=ExportSheet.CALLS, with_entries=True)
    assert plain.read("entries.jsonl") == b""
    bodies = [json.loads(line) for line in proven.read("entries.jsonl").splitlines()]
    assert {body["call"] for body in bodies} == {"call-1", "call-2"}
    assert (manifest_of(plain)["entries_included"], manifest_of(proven)["entries_included"]) == (False, True)
    checked = verify(file_of(export), tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_an_entry_younger_than_the_seal_is_a_row_that_is_not_proven(
    story: datetime, olga: User, tmp_path: Path
) -> None:
    seal(story)
    cast.call("call-3", at=story + MINUTE, capture="started")
    export = ask(olga, now=story + 2 * MINUTE)
    make(story + 2 * MINUTE)
    archive = zipfile.ZipFile(io.BytesIO(file_of(export)))
    manifest = manifest_of(archive)
    proven = {json.loads(line)["id"] for line in archive.read("entries.jsonl").splitlines()}
    young = [row for row in rows_of(archive, "history.csv") if row["entry_id"] not in proven]
    assert manifest["unproven_rows"] == len(young) == manifest["rows"] - manifest["proven_rows"]
    assert "call-3" in {row["call_id"] for row in young}
    checked = verify(file_of(export), tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_since_an_earlier_export_the_ledger_only_grew(story: datetime, olga: User, tmp_path: Path) -> None:
    _, first = made(olga, now=story)
    earlier = first.read("checkpoint.txt").decode()
    cast.call("call-3", at=story + MINUTE, capture="started")
    export, later = made(olga, now=story + 2 * MINUTE, since=earlier)
    shown = json.loads(later.read("consistency.json"))
    assert shown["from"]["size"] < shown["to"]["size"]
    (tmp_path / "earlier.txt").write_text(earlier)
    checked = verify(file_of(export), tmp_path, "--earlier", str(tmp_path / "earlier.txt"))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_as_of_a_time_it_has_what_was_known_then_and_marks_what_arrived_later(
    story: datetime, olga: User, tmp_path: Path
) -> None:
    as_of = story - 3 * MINUTE
    recorder = cast.recorder(now=story)
    cast.tell("call.ended", "call-1", at=story - 4 * MINUTE, heard_at=story, by=recorder)
    cast.tell("call.ended", "call-2", at=story - MINUTE, heard_at=story, by=recorder)
    export, archive = made(olga, now=story, as_of=as_of)
    rows = rows_of(archive, "history.csv")
    assert {row["arrived_later"] for row in rows} == {"true", "false"}
    ends = [(row["call_id"], row["arrived_later"]) for row in rows if row["new"] == "terminated"]
    assert ends == [("call-1", "true")]
    stamp = f"{as_of:%Y-%m-%dT%H:%M:%S.%f}Z"
    assert all((row["recorded_at"] > stamp) == (row["arrived_later"] == "true") for row in rows)
    checked = verify(file_of(export), tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_period_is_that_of_recording(story: datetime, olga: User) -> None:
    period = Period(story - 9 * MINUTE, story - 4 * MINUTE)
    _, archive = made(olga, now=story, period=period)
    rows = rows_of(archive, "history.csv")
    assert {row["call_id"] for row in rows if row["action"] == "status.changed"} == {"call-2"}
    assert manifest_of(archive)["from_at"] == f"{story - 9 * MINUTE:%Y-%m-%dT%H:%M:%S.%f}Z"


def test_every_step_is_in_the_ledger(story: datetime, olga: User) -> None:
    export, _ = made(olga, now=story, query="told=recording&q=Dana")
    (asked,) = entries(LedgerAction.EXPORT_REQUESTED)
    assert (asked["export"], asked["what"], asked["reason"]) == (str(export.pk), "history", "the auditor asked")
    assert "Dana" not in str(asked)
    (started,), (finished,) = entries(LedgerAction.EXPORT_STARTED), entries(LedgerAction.EXPORT_FINISHED)
    assert started["export"] == finished["export"] == str(export.pk)
    assert (finished["rows"], finished["sha256"]) == (export.rows, export.sha256)


def test_a_download_is_recorded_and_is_the_whole_file(story: datetime, olga: User, ada: User) -> None:
    export, _ = made(olga, now=story)
    whole = b"".join(exports.download(export, by=Actor.objects.person(ada), now=story))
    assert hashlib.sha256(whole).hexdigest() == export.sha256
    (downloaded,) = entries(LedgerAction.EXPORT_DOWNLOADED)
    assert downloaded["actor"] == Actor.objects.person(ada).pk
    assert downloaded["sha256"] == export.sha256


def test_a_file_expires_and_the_record_stays(story: datetime, olga: User) -> None:
    export, _ = made(olga, now=story)
    assert export.expires_after == story + timedelta(days=7)
    later = story + timedelta(days=7)
    exports.expire_exports(later)
    export.refresh_from_db()
    assert export.status == ExportStatus.EXPIRED
    assert not ExportPart.objects.exists()
    assert entries(LedgerAction.EXPORT_EXPIRED)[0]["export"] == str(export.pk)
    with pytest.raises(NoFile):
        exports.download(export, by=Actor.objects.person(olga), now=later)


def test_without_a_seal_it_waits(story: datetime, olga: User) -> None:
    export = ask(olga, now=story)
    assert make(story) == 0
    export.refresh_from_db()
    assert export.status == ExportStatus.WAITING
    assert not Seal.objects.exists()


def test_a_filter_that_lost_its_meaning_ends_it_with_a_sentence(story: datetime, olga: User) -> None:
    export = ask(olga, now=story, query="recorder=rec-01")
    Export.objects.filter(pk=export.pk).update(query="recorder=rec-99")
    seal(story)
    make(story)
    export.refresh_from_db()
    assert export.status == ExportStatus.FAILED
    assert export.message.startswith("recorder: ")
    assert export.message.endswith("Nothing was exported.")
    assert entries(LedgerAction.EXPORT_ABORTED)[0]["why"] == export.message


def test_what_breaks_is_tried_three_times_and_then_given_up(story: datetime, olga: User) -> None:
    export = ask(olga, now=story)
    seal(story)
    switch_triggers_off()
    break_time(LedgerEntry.objects.filter(action=LedgerAction.STATUS_CHANGED).latest("pk"))
    make(story)
    export.refresh_from_db()
    assert export.status == ExportStatus.FAILED
    assert "tried 3 times" in export.message
    assert not ExportPart.objects.exists()
    assert len(entries(LedgerAction.EXPORT_STARTED)) == 3


def test_a_person_ends_it_before_it_is_made(story: datetime, olga: User) -> None:
    export = ask(olga, now=story)
    assert exports.stop_export(export, actor=Actor.objects.person(olga), now=story)
    assert not exports.stop_export(export, actor=Actor.objects.person(olga), now=story)
    seal(story)
    assert make(story) == 0
    (aborted,) = entries(LedgerAction.EXPORT_ABORTED)
    assert (aborted["why"], aborted["actor"]) == ("Stopped by a person.", Actor.objects.person(olga).pk)
    export.refresh_from_db()
    assert "olga" not in export.message + str(aborted)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"query": "told=shouting"}, "told: "),
        ({"query": "action=nothing"}, "action is 'nothing'"),
        (
            {
                "sheet": ExportSheet.CALLS,
                "query": "told=recording",
                "as_of": datetime.fromisoformat("2026-11-18T00:00:00Z"),
            },
            "choose by how things stand now",
        ),
        ({"as_of": datetime.fromisoformat("2027-11-18T00:00:00Z")}, "in the future"),
        ({"since": "my last one"}, "no checkpoint"),
        (
            {
                "period": Period(
                    datetime.fromisoformat("2026-11-18T00:00:00Z"), datetime.fromisoformat("2026-11-18T00:00:00Z")
                )
            },
            "From is not before Until",
        ),
    ],
)
def test_what_cannot_be_understood_is_refused_and_nothing_is_stored(
    now: datetime, olga: User, words: dict[str, Any], told: str
) -> None:
    with pytest.raises(BadFilter, match=told) as refused:
        ask(olga, now=now, **words)
    assert str(refused.value).endswith("Nothing was exported.")
    assert not Export.objects.exists()
    assert not LedgerEntry.objects.filter(action=LedgerAction.EXPORT_REQUESTED).exists()


def test_it_takes_the_right_to_export(now: datetime, sam: User) -> None:
    with pytest.raises(NotAllowed):
        ask(sam, now=now)
    assert not Export.objects.exists()
