"""Calls, corrections and findings as of a moment: worked out anew from what the ledger had by then."""

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from recordings import findings
from recordings.choices import ExportSheet, ExportStatus, Resolution
from recordings.exports.past import PAST, folding
from recordings.models import Actor, Call, Finding, LedgerEntry, Operation, append_only
from sandbox.defaults import TENANT_ID
from tests import cast
from tests.conftest import lift_triggers
from tests.exports.background import ask, file_of, made, make, manifest_of, seal, verify
from tests.pages import calls_cast
from tests.pages.corrections import asked, completed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_key")]

MINUTE = timedelta(minutes=1)
type Rows = dict[str, dict[str, str]]


@pytest.fixture
def story(now: datetime, mira: User, olga: User) -> datetime:
    """One call that is corrected, and whose finding is worked and closed; one that ends, and is corrected in vain."""
    one = calls_cast.capturing_untold("call-1", now=now - 20 * MINUTE)
    completed(one, by=mira, now=now - 15 * MINUTE)
    other = calls_cast.recorded("call-2", now=now - 18 * MINUTE)
    asked(other, by=mira, now=now - 6 * MINUTE)
    work(Finding.objects.get(call=one, rule="R1"), by=olga, now=now - 10 * MINUTE)
    cast.tell("capture.stopped", "call-1", at=now - 5 * MINUTE)
    cast.tell("call.ended", "call-2", at=now - 4 * MINUTE)
    return now


def work(finding: Finding, *, by: User, now: datetime) -> None:
    actor = Actor.objects.person(by)
    with transaction.atomic():
        findings.acknowledge(finding, actor=actor, now=now)
        findings.assign(finding, to=by, actor=actor, now=now)
        findings.snooze(finding, until=now + 60 * MINUTE, reason="waits", actor=actor, now=now + MINUTE)
        findings.resolve(
            finding,
            resolution=Resolution.CLOSED_BY_PERSON,
            root_cause="network",
            reason="the desk was told",
            actor=actor,
            now=now + 2 * MINUTE,
        )


def rows(by: User, sheet: str, *, now: datetime, as_of: datetime | None) -> Rows:
    export, archive = made(by, now=now, sheet=ExportSheet(sheet), as_of=as_of)
    assert export.status == ExportStatus.READY, export.message
    lines = list(csv.DictReader(io.StringIO(archive.read(f"{sheet}.csv").decode(), newline="")))
    assert export.rows == manifest_of(archive)["rows"] == len(lines)
    return {next(iter(line.values())): line for line in lines}


@pytest.mark.parametrize("sheet", PAST)
def test_as_of_now_the_ledger_tells_what_the_rows_say(story: datetime, olga: User, sheet: str) -> None:
    past, present = (rows(olga, sheet, now=story, as_of=as_of) for as_of in (story, None))
    assert past.keys() == present.keys() != set()
    for key, row in past.items():
        shared = row.keys() & present[key].keys()
        assert len(shared) > 10
        assert {name: row[name] for name in shared} == {name: present[key][name] for name in shared}
        assert (row["known_then"], row["arrived_later"]) == ("true", "false")


def test_a_call_stands_as_it_was_known_then(story: datetime, olga: User) -> None:
    then = rows(olga, "calls", now=story, as_of=story - 7 * MINUTE)
    words = ("capture_state", "recording_status", "call_state", "ended_at")
    assert [then["call-1"][word] for word in words] == ["capturing", "unknown", "established", ""]
    assert then["call-2"]["call_state"] == "established"
    before = rows(olga, "calls", now=story, as_of=story - 22 * MINUTE)
    assert set(before) == {"call-1"}, "of the other one nobody had heard, and nothing had happened"


def test_a_correction_stands_as_it_was_known_then(story: datetime, olga: User) -> None:
    first = str(Operation.objects.get(call__graph_id="call-1").pk)
    then = rows(olga, "operations", now=story, as_of=story - 7 * MINUTE)
    assert set(then) == {first}
    assert (then[first]["operation_status"], then[first]["requested_by"]) == ("completed", "mira")
    assert (then[first]["attempts"], then[first]["request_ids"]) == ("1", "request-of-graph-1")


def test_a_finding_stands_as_it_was_known_then(story: datetime, olga: User) -> None:
    key = str(Finding.objects.get(call__graph_id="call-1", rule="R1").pk)
    moments = [rows(olga, "findings", now=story, as_of=story - at * MINUTE)[key] for at in (11, 9, 8)]
    assert [row["acknowledged_by"] for row in moments] == ["", "olga", "olga"]
    assert [bool(row["put_off_until"]) for row in moments] == [False, True, False]
    assert [row["resolution"] for row in moments] == ["", "", Resolution.CLOSED_BY_PERSON]
    assert [row["reason"] for row in moments] == ["", "", "the desk was told"]


def test_what_arrived_later_is_marked_and_changes_nothing(story: datetime, olga: User) -> None:
    recorder = Call.objects.get(graph_id="call-1").recorder
    cast.tell("call.ended", "call-1", at=story - 9 * MINUTE, heard_at=story, by=recorder)
    new = {"tenantId": TENANT_ID, "callChainId": "chain-of-call-3", "state": "established"}
    cast.tell("call.joined", "call-3", at=story - 9 * MINUTE, heard_at=story, by=recorder, **new)
    then = rows(olga, "calls", now=story, as_of=story - 7 * MINUTE)
    marks = {key: (row["known_then"], row["arrived_later"]) for key, row in then.items()}
    assert marks == {"call-1": ("true", "true"), "call-2": ("true", "false"), "call-3": ("false", "true")}
    assert (then["call-1"]["call_state"], then["call-1"]["ended_at"]) == ("established", "")
    assert not any(
        word for name, word in then["call-3"].items() if name not in ("call_id", "known_then", "arrived_later")
    )


@pytest.mark.parametrize("sheet", PAST)
def test_it_is_verified_as_a_snapshot_of_that_moment(story: datetime, olga: User, tmp_path: Path, sheet: str) -> None:
    export, archive = made(olga, now=story, sheet=ExportSheet(sheet), as_of=story - 7 * MINUTE, with_entries=True)
    checked = verify(file_of(export), tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert manifest_of(archive)["snapshot"]
    assert "as On Record worked it out from its ledger" in " ".join(checked.stdout.split())
    assert archive.read("entries.jsonl")


def test_rows_with_many_entries_are_worked_out_in_halves(
    story: datetime, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = rows(olga, "calls", now=story, as_of=story)
    monkeypatch.setattr(folding, "MOST_ENTRIES", most_of_one_call())
    assert rows(olga, "calls", now=story, as_of=story) == whole


def test_a_row_with_too_many_entries_is_named(story: datetime, olga: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "MOST_ENTRIES", most_of_one_call() - 1)
    export = ask(olga, now=story, sheet=ExportSheet.CALLS, as_of=story)
    seal(story)
    make(story)
    export.refresh_from_db()
    assert export.status == ExportStatus.FAILED
    assert export.message.startswith("Call call-1 has more than ")


def most_of_one_call() -> int:
    return max(LedgerEntry.objects.filter(call=call).count() for call in Call.objects.all())


def test_an_entry_that_was_moved_under_another_call_is_found(story: datetime, olga: User) -> None:
    one, other = Call.objects.order_by("graph_id")
    connection.check_constraints()
    lift_triggers()
    LedgerEntry.objects.filter(call=other, action="status.changed").update(call=one)
    connection.check_constraints()
    append_only.install(connection)
    export = ask(olga, now=story, sheet=ExportSheet.CALLS, as_of=story)
    seal(story)
    make(story)
    export.refresh_from_db()
    assert export.status == ExportStatus.FAILED
    assert "names another one in its text, so somebody altered the database" in export.message
