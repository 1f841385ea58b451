"""manage.py import_calls: all of a file or none of it."""

import csv
import hashlib
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError
from django.utils import timezone

from recordings import findings
from recordings.choices import LedgerAction
from recordings.ingest import import_lines
from recordings.ledger import body_of
from recordings.models import Call, Finding, LedgerEntry, StatusChange
from sandbox.defaults import TENANT_ID
from tests import cast
from tests.commands.running import run

pytestmark = pytest.mark.django_db

OLD: dict[str, Any] = {
    "graphId": "old-1",
    "tenantId": TENANT_ID.upper(),
    "callChainId": "chain-1",
    "subject": "=Margin call",
    "recordedUserId": "+4930123456",
    "recordedUserName": "Dana Kessler",
    "captureState": "stopped",
    "captureAt": "2025-03-01T10:29:00Z",
    "recordingStatus": "recording",
    "recordingStatusAt": "2025-03-01T11:00:30+01:00",
    "establishedAt": "2025-03-01T10:00:00Z",
    "endedAt": "2025-03-01T10:30:00Z",
    "isPolicyCall": True,
}


def lines(directory: Path, *found: object, name: str = "calls.jsonl") -> str:
    file = directory / name
    file.write_text("".join(f"{item if isinstance(item, str) else json.dumps(item)}\n" for item in found))
    return str(file)


def refused(*words: str) -> str:
    with pytest.raises(CommandError) as problem:
        run("import_calls", *words)
    assert not StatusChange.objects.exists()
    assert not LedgerEntry.objects.exists()
    return str(problem.value)


def everything() -> list[list[Any]]:
    return [list(model.objects.order_by("pk").values_list()) for model in (Call, StatusChange)]


def test_calls_come_in_with_their_changes_at_their_own_times(tmp_path: Path) -> None:
    file = lines(tmp_path, OLD, {"graph_id": "old-2", "tenant_id": TENANT_ID})
    done = run("import_calls", file)
    assert "2 calls were taken in: 2 new, 0 changed, 0 as they were" in done.out
    call = Call.objects.get(graph_id="old-1")
    assert (call.tenant_id, call.state, call.capture_state, call.recording_status) == (
        TENANT_ID,
        "terminated",
        "stopped",
        "recording",
    )
    assert (call.subject, call.recorded_user_id, call.is_policy_call) == ("=Margin call", "+4930123456", True)
    assert (call.recording_status_source, str(call.recording_status_at)) == ("import", "2025-03-01 10:00:30+00:00")
    changes = StatusChange.objects.filter(call=call).order_by("pk")
    assert [(change.field, change.new) for change in changes] == [
        ("state", "established"),
        ("recording_status", "recording"),
        ("capture_state", "stopped"),
        ("state", "terminated"),
    ]
    assert {change.actor.kind for change in changes} == {"shell"}
    findings.sweep(timezone.now())
    assert Finding.objects.get().rule == "R7"


def test_the_ledger_names_the_file_and_its_digest(tmp_path: Path) -> None:
    file = lines(tmp_path, OLD)
    run("import_calls", file)
    entry = body_of(LedgerEntry.objects.get(action=LedgerAction.IMPORT_FINISHED))
    assert (entry["file"], entry["lines"], entry["new"]) == ("calls.jsonl", 1, 1)
    assert entry["sha256"] == hashlib.sha256(Path(file).read_bytes()).hexdigest()


def test_a_second_import_changes_nothing(tmp_path: Path) -> None:
    file = lines(tmp_path, OLD, {"graphId": "old-2", "tenantId": TENANT_ID, "state": "hold"})
    run("import_calls", file)
    before = everything()
    assert "0 new, 0 changed, 2 as they were" in run("import_calls", file).out
    assert everything() == before


def test_a_csv_file_says_the_same_as_json_lines(tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    with file.open("w", newline="", encoding="utf-8-sig") as opened:
        writer = csv.DictWriter(opened, fieldnames=list(OLD))
        writer.writeheader()
        writer.writerow({**OLD, "isPolicyCall": "true", "subject": "two\nlines"})
        writer.writerow({"graphId": "old-2", "tenantId": TENANT_ID})
    assert "2 new" in run("import_calls", str(file)).out
    assert Call.objects.get(graph_id="old-1").subject == "two\nlines"
    assert Call.objects.get(graph_id="old-2").is_policy_call is None


def test_a_dry_run_counts_and_changes_nothing(tmp_path: Path) -> None:
    done = run("import_calls", lines(tmp_path, OLD), "--dry-run")
    assert "1 call would be taken in: 1 new" in done.out
    assert not Call.objects.exists()
    assert not LedgerEntry.objects.exists()


def test_one_wrong_line_keeps_all_of_them_out_and_each_wrong_line_is_named(tmp_path: Path) -> None:
    said = refused(
        lines(
            tmp_path,
            OLD,
            "{not json",
            {"graphId": "a b", "tenantId": TENANT_ID},
            {"tenantId": TENANT_ID},
            {**OLD, "graphId": "old-5", "state": "ringing"},
            {**OLD, "graphId": "old-6", "captureAt": "2025-03-01T10:29:00"},
            {**OLD, "graphId": "old-7", "recordingStatusAt": None},
            {**OLD, "graphId": "old-8", "subjct": "x"},
            {**OLD, "graphId": "old-9", "endedAt": "2999-01-01T00:00:00Z"},
            OLD,
            '"text"',
            {**OLD, "graphId": "old-12", "subject": "x" * 256},
            {**OLD, "graphId": "old-13", "recordingStatus": "maybe"},
            {**OLD, "graphId": "old-14", "captureAt": "0001-01-01T00:00:00Z"},
        )
    )
    assert said.splitlines()[:-1] == [
        "line 2: is not JSON",
        "line 3: graphId is not an id: letters, digits, _ and -, at most 128",
        "line 4: graphId is missing",
        "line 5: endedAt is given, but state is ringing",
        "line 6: captureAt is '2025-03-01T10:29:00'; write its zone, too, for example 2026-11-18T14:31:02Z",
        "line 7: recordingStatus is given, but recordingStatusAt is missing",
        said.splitlines()[6],
        "line 9: endedAt is '2999-01-01T00:00:00Z', which lies in the future",
        "line 10: call old-1 stands in line 1 already",
        "line 11: is not a JSON object",
        "line 12: subject is longer than 255 characters",
        "line 13: recordingStatus is 'maybe'; known are unknown, notRecording, recording, failed",
        "line 14: captureAt is '0001-01-01T00:00:00Z', which lies before the year 2000",
    ]
    assert "line 8: the field 'subjct' is not known" in said
    assert said.endswith("13 lines are wrong. Nothing was imported.")
    assert not Call.objects.exists()


def test_at_most_a_hundred_wrong_lines_are_listed(tmp_path: Path) -> None:
    said = refused(lines(tmp_path, *["{"] * 130))
    assert said.count("is not JSON") == 100
    assert "and 30 more" in said


def test_a_file_that_is_not_utf8_or_no_csv_is_named_by_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_bytes(b'graphId,tenantId,subject\nold-1,t,ok\nold-2,t,\xff\nold-3,t\nold-4,t,"x"y\n')
    said = refused(str(broken))
    assert "line 3: subject is not a text in UTF-8" in said
    assert "line 4: has 2 cells, the header has 3" in said
    assert "line 5: is not CSV" in said


def test_a_known_call_keeps_its_own_words_and_a_file_never_ends_it(tmp_path: Path) -> None:
    now = timezone.now()
    cast.call("live-1", at=now, capture="started", told="recording")
    before = Call.objects.get()
    run("import_calls", lines(tmp_path, {**OLD, "graphId": "live-1"}))
    after = Call.objects.get()
    assert (after.state, after.ended_at, after.capture_state, after.recording_status) == (
        before.state,
        None,
        "capturing",
        "recording",
    )
    assert (after.recorded_user_id, after.subject) == ("user-dana", "=Margin call")


def test_a_call_of_another_tenant_is_refused(tmp_path: Path) -> None:
    cast.call("live-1", at=timezone.now())
    with pytest.raises(CommandError, match="line 1: call live-1 is known here, and belongs to another tenant"):
        run("import_calls", lines(tmp_path, {"graphId": "live-1", "tenantId": "somebody-else"}))


def test_a_file_cannot_stand_in_for_the_recorders_fresh_word(tmp_path: Path) -> None:
    fresh = (timezone.now() - timedelta(seconds=20)).isoformat()
    said = refused(lines(tmp_path, {"graphId": "a", "tenantId": "t", "captureState": "capturing", "captureAt": fresh}))
    assert "must come from the recorder itself" in said


LENGTHS = [
    ("graphId", 128),
    ("tenantId", 64),
    ("callChainId", 128),
    ("scenarioId", 128),
    ("subject", 255),
    ("recordedUserId", 128),
    ("recordedUserName", 255),
    ("organizerId", 128),
    ("organizerName", 255),
]


@pytest.mark.parametrize(("name", "longest"), LENGTHS)
def test_no_field_is_longer_than_its_column(tmp_path: Path, name: str, longest: int) -> None:
    line = {"graphId": "old-1", "tenantId": TENANT_ID}
    said = refused(lines(tmp_path, {**line, name: "x" * (longest + 1)}))
    assert f"line 1: {name} is longer than {longest} characters" in said
    run("import_calls", lines(tmp_path, {**line, name: "x" * longest}))


def test_every_text_of_a_line_has_a_length_here_or_a_list_of_words() -> None:
    texts = {name for name, longest in import_lines._LIMITS.items() if longest}
    assert texts == {name for name, _ in LENGTHS} | set(import_lines._WORDS)


def test_a_file_whose_name_is_no_text_is_imported_and_named_as_well_as_can_be(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jsonl")
    assert "1 new" in run("import_calls", lines(tmp_path, OLD, name=name)).out
    assert body_of(LedgerEntry.objects.get(action=LedgerAction.IMPORT_FINISHED))["file"] == "caf\\xe9.jsonl"


@pytest.mark.parametrize(("name", "named"), [("calls.txt", "--format"), ("missing.csv", "cannot be read")])
def test_a_file_that_cannot_be_taken_is_named(tmp_path: Path, name: str, named: str) -> None:
    (tmp_path / "calls.txt").write_text("")
    assert named in refused(str(tmp_path / name))


@pytest.mark.parametrize("header", ["callId,tenantId", "tenantId,subject"])
def test_a_wrong_header_is_said_once(tmp_path: Path, header: str) -> None:
    said = refused(lines(tmp_path, header, "a,b", "c,d", "e,f", name="calls.csv"))
    assert said.count("line ") == 2
    assert said.startswith("line 1: ")
    assert "graphId" in said
    assert said.endswith("1 line is wrong. Nothing was imported.")
