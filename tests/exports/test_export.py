"""An export leaves its trace before its first byte and after its last, and never looks whole when it is not."""

import csv
import hashlib
import io
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recordings import exports, findings, operations, services
from recordings.choices import AttemptOutcome, LedgerAction, OperationStatus
from recordings.ledger import body_of
from recordings.models import Actor, Call, Finding, LedgerEntry, Operation
from recordings.services import Requester
from tests import cast

pytestmark = pytest.mark.django_db


def read(whole: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(whole.decode("utf-8-sig"), newline=""), strict=True))


def start(sheet: exports.Sheet, rows: object, who: User, now: datetime, flavour: str = "spreadsheet") -> exports.Export:
    asked = exports.Asked(Actor.objects.person(who), filter="told=recording", flavour=exports.Flavour(flavour))
    return exports.start(sheet, rows, asked=asked, clock=lambda: now)  # type: ignore[arg-type]


def last_entry(action: LedgerAction) -> dict[str, object]:
    return dict(body_of(LedgerEntry.objects.filter(action=action).latest("pk")))


@pytest.fixture
def corrected(mira: User, now: datetime) -> Operation:
    """A correction that took two tries."""
    call = cast.call(at=now, capture="started", told="notRecording")
    actor, graph = Actor.objects.person(mira), Actor.objects.graph()
    operation = operations.create(call, requested_status="recording", actor=actor, reason="=stuck", now=now)
    for request_id, outcome, to in (
        ("request-1", AttemptOutcome.THROTTLED, OperationStatus.PENDING),
        ("request-2", AttemptOutcome.ACCEPTED, OperationStatus.COMPLETED),
    ):
        attempt = operations.start_attempt(operation, actor=actor, now=now, leased_until=now + timedelta(seconds=30))
        told = operations.Outcome(outcome, http_status=200, request_id=request_id, graph_operation_id="graph-op-1")
        operations.finish_attempt(attempt, told, to=to, actor=graph, now=now)
    return operation


def test_history_has_one_row_an_event_with_one_request_id_an_attempt(
    corrected: Operation, mira: User, now: datetime
) -> None:
    rows = read(b"".join(start(exports.HISTORY, exports.History().entries(), mira, now, "exact")))
    ours = [row for row in rows if row["operation_id"] == str(corrected.pk)]
    assert [(row["action"], row["attempt"], row["request_id"]) for row in ours] == [
        ("correction.requested", "", ""),
        ("correction.sent", "1", ""),
        ("correction.answered", "1", "request-1"),
        ("correction.sent", "2", ""),
        ("correction.answered", "2", "request-2"),
    ]
    assert [row["entry_id"] for row in rows] == sorted(row["entry_id"] for row in rows)
    first = ours[0]
    assert first["event"] == "Correction requested"
    assert first["call_id"] == "call-1"
    assert first["call_chain_id"] == "chain-of-call-1"
    assert first["client_context"] == f"onrecord:{corrected.pk}"
    assert (first["actor_kind"], first["actor"], first["reason"]) == ("person", "mira", "=stuck")
    assert first["recorded_at"] == "2026-11-18T14:32:08.000000Z"


def test_history_shows_changes_and_no_name_of_a_called_person(corrected: Operation, mira: User, now: datetime) -> None:
    whole = b"".join(start(exports.HISTORY, exports.History().entries(), mira, now))
    changes = [row for row in read(whole) if row["action"] == "status.changed"]
    assert {(row["field"], row["new"], row["source"]) for row in changes} >= {
        ("capture_state", "capturing", "recorder"),
        ("recording_status", "notRecording", "recorder"),
    }
    assert b"Dana" not in whole


def test_history_is_narrowed_by_call_action_and_time(corrected: Operation, mira: User, now: datetime) -> None:
    cast.call("call-2", at=now)
    asked = exports.History.asked_for

    def calls_in(**words: str) -> set[str]:
        entries = asked(words).entries()
        return {row["call_id"] for row in read(b"".join(start(exports.HISTORY, entries, mira, now)))}

    assert calls_in() == {"call-1", "call-2"}
    assert calls_in(call="call-2") == {"call-2"}
    assert calls_in(action="correction.sent") == {"call-1"}
    assert calls_in(event_from="2026-11-18T14:32:00Z") == {"call-1"}
    assert calls_in(event_from="2026-11-18T15:32:00+01:00") == {"call-1"}
    assert calls_in(event_to="2026-11-18T14:00:00") == set()
    assert calls_in(event_to="2026-11-18") == {"call-1", "call-2"}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ({"event_from": "yesterday"}, "event_from is 'yesterday'"),
        ({"event_to": "2026-13-01"}, "event_to is"),
        ({"event_to": "9999-12-31"}, "event_to is"),
        ({"event_from": "0001-01-01T00:00:00+23:59"}, "event_from is"),
        ({"call": "call\x001"}, "call is not an id"),
        ({"call": "Dana Kessler"}, "call is not an id"),
        ({"action": "signin.failed"}, "action"),
    ],
)
def test_a_filter_nobody_can_read_is_named(words: dict[str, str], named: str) -> None:
    with pytest.raises(exports.BadFilter, match=named) as problem:
        exports.History.asked_for(words)
    assert "Nothing was exported." in str(problem.value)


def test_the_start_is_in_the_ledger_before_the_first_byte(olga: User, now: datetime) -> None:
    export = start(exports.CALLS, Call.objects.all(), olga, now)
    entry = last_entry(LedgerAction.EXPORT_STARTED)
    assert entry["filter"] == "told=recording"
    assert entry["what"] == "calls"
    assert entry["flavour"] == "spreadsheet"
    assert entry["columns"] == " ".join(exports.CALLS.header)
    assert entry["actor"] == Actor.objects.person(olga).pk
    export.close()


def test_the_end_is_in_the_ledger_with_rows_bytes_and_digest(corrected: Operation, olga: User, now: datetime) -> None:
    export = start(exports.CALLS, Call.objects.all(), olga, now)
    whole = b"".join(export)
    export.close()
    entry = last_entry(LedgerAction.EXPORT_FINISHED)
    assert entry["export"] == str(export.started.pk)
    assert (entry["rows"], entry["bytes"], entry["sha256"]) == (1, len(whole), hashlib.sha256(whole).hexdigest())
    assert not LedgerEntry.objects.filter(action=LedgerAction.EXPORT_ABORTED).exists()


def test_a_reader_who_goes_away_leaves_an_abort(corrected: Operation, olga: User, now: datetime) -> None:
    export = start(exports.CALLS, Call.objects.all(), olga, now)
    got = next(export)
    export.close()
    entry = last_entry(LedgerAction.EXPORT_ABORTED)
    assert (entry["rows"], entry["bytes"], entry["sha256"]) == (0, len(got), hashlib.sha256(got).hexdigest())
    assert entry["why"] == "the reader went away"
    assert not LedgerEntry.objects.filter(action=LedgerAction.EXPORT_FINISHED).exists()


def test_a_row_that_cannot_be_read_goes_on_as_an_error_and_leaves_an_abort(
    corrected: Operation, olga: User, now: datetime
) -> None:
    broken = exports.Sheet("calls", (exports.Column("ratio", "Fails.", lambda call: 1 // 0),), lambda rows: rows)
    export = start(broken, Call.objects.all(), olga, now)
    next(export)
    with pytest.raises(ZeroDivisionError):
        next(export)
    export.close()
    assert last_entry(LedgerAction.EXPORT_ABORTED)["why"] == "the rows could not be read to their end"


def test_spreadsheet_files_begin_with_a_mark_and_exact_ones_do_not(olga: User, now: datetime) -> None:
    spreadsheet = b"".join(start(exports.CALLS, Call.objects.all(), olga, now))
    exact = b"".join(start(exports.CALLS, Call.objects.all(), olga, now, "exact"))
    assert spreadsheet.startswith(b'\xef\xbb\xbf"call_id","call_chain_id"')
    assert exact.startswith(b"call_id,call_chain_id")
    assert spreadsheet.endswith(b"\r\n")
    assert exact.count(b"\n") == exact.count(b"\r\n") == 1


def test_only_the_spreadsheet_flavour_neutralises(corrected: Operation, olga: User, now: datetime) -> None:
    for flavour, reason in (("spreadsheet", "'=stuck"), ("exact", "=stuck")):
        rows = read(b"".join(start(exports.OPERATIONS, Operation.objects.all(), olga, now, flavour)))
        assert rows[0]["reason"] == reason
        assert rows[0]["request_ids"] == "request-1 request-2"


def queries_of(sheet: exports.Sheet, rows: Callable[[], object], olga: User, now: datetime) -> int:
    with CaptureQueriesContext(connection) as queries:
        b"".join(start(sheet, rows(), olga, now))
    return len(queries)


def test_more_rows_ask_no_more_questions(corrected: Operation, olga: User, now: datetime) -> None:
    sheets: list[tuple[exports.Sheet, Callable[[], object]]] = [
        (exports.HISTORY, exports.History().entries),
        (exports.CALLS, Call.objects.all),
        (exports.OPERATIONS, Operation.objects.all),
    ]
    before = [queries_of(sheet, rows, olga, now) for sheet, rows in sheets]
    for number in range(5):
        call = cast.call(f"more-{number}", at=now, told="recording", ended_at=now)
        operations.create(call, requested_status="failed", actor=Actor.objects.person(olga), reason="more", now=now)
    assert [queries_of(sheet, rows, olga, now) for sheet, rows in sheets] == before


def test_pages_join_without_a_gap_or_a_double(olga: User, now: datetime) -> None:
    for number in range(7):
        cast.call(f"call-{number}", at=now)
    for size in (1, 2, 3, 7, 8):
        pages = exports.CALLS.pages(Call.objects.all(), size=size)
        assert [call.graph_id for page in pages for call in page] == [f"call-{number}" for number in range(7)]


def test_rows_that_come_while_an_export_runs_are_left_to_the_next(olga: User, now: datetime) -> None:
    for number in range(3):
        cast.call(f"call-{number}", at=now)
    pages = exports.CALLS.pages(Call.objects.all(), size=2)
    next(pages)
    cast.call("late", at=now)
    assert [call.graph_id for call in next(pages)] == ["call-2"]


def test_history_shows_every_step_of_a_finding_with_who_has_it_and_the_digest_of_its_evidence(
    olga: User, mira: User, now: datetime
) -> None:
    cast.call(at=now, capture="stopped", told="recording", ended_at=now)
    findings.sweep(now + timedelta(minutes=1))
    finding, by = Finding.objects.get(rule="R7"), Requester.at_screen(mira)
    services.acknowledge(finding, by=by, now=now)
    given = services.assign(finding, to=olga, by=by, now=now)
    services.snooze(given, until=now + timedelta(days=1), reason="vendor", by=by, now=now)
    services.attest(finding, by=by, reason="log", root_cause="network", file=("rec.log", b"x"), now=now)
    rows = read(b"".join(start(exports.HISTORY, exports.History().entries(), mira, now, "exact")))
    steps = [row for row in rows if row["finding_id"] == str(finding.pk)]
    assert [row["action"] for row in steps] == [
        "finding.opened",
        "finding.acknowledged",
        "finding.assigned",
        "finding.snoozed",
        "finding.attested",
    ]
    opened, _, assigned, snoozed, attested = steps
    assert (opened["severity"], opened["finding_rule"], opened["finding_subject"]) == ("high", "R7", "call")
    assert (assigned["assignee"], assigned["actor"]) == ("olga", "mira")
    assert (snoozed["put_off_until"], snoozed["reason"]) == ("2026-11-19T14:32:08.000000Z", "vendor")
    assert (attested["resolution"], attested["root_cause"]) == ("attested", "network")
    assert attested["evidence_sha256"] == hashlib.sha256(b"x").hexdigest()


def test_history_shows_the_steps_of_a_finding_that_is_about_no_call(olga: User, mira: User, now: datetime) -> None:
    cast.heartbeat(at=now - timedelta(minutes=10), capture="capturing")
    findings.sweep(now)
    rows = read(b"".join(start(exports.HISTORY, exports.History().entries(), mira, now, "exact")))
    (opened,) = [row for row in rows if row["action"] == "finding.opened"]
    assert (opened["call_id"], opened["finding_subject"], opened["recorder"]) == ("", "recorder", "rec-01")
