"""The evidence pack of a call or a finding: the same bytes each time, nothing of another call, checked without us."""

import csv
import html
import io
import json
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.contrib.auth.models import User
from django.db import connection, transaction
from pytest_django import Settings

import recordings
from recordings import exports, findings, ingest, services
from recordings.choices import ExportStatus, LedgerAction
from recordings.exports import BadFilter, Subject, WantedPack
from recordings.exports.pack import reading
from recordings.ledger import body_of
from recordings.models import Actor, Call, Export, Finding, LedgerEntry, Receipt, Recorder, Seal, append_only
from recordings.permissions import NotAllowed
from tests import cast
from tests.conftest import lift_triggers
from tests.exports.background import file_of, make, manifest_of, seal, verify
from tests.pages import calls_cast
from tests.pages.corrections import completed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_key")]

HERE, ELSEWHERE = "file:///worm", "https://witness.example/checkpoints"
MINUTE = timedelta(minutes=1)
HOSTILE = "<script>alert(1)</script>\"><img src=x onerror=alert(2)> {{ 7|add:7 }} \u202e'&"


@pytest.fixture
def call(now: datetime, mira: User) -> Call:
    """Corrected once, with an open finding, and its recorder was silent for a while; sealed."""
    call = calls_cast.capturing_untold("call-1", now=now - 10 * MINUTE)
    completed(call, by=mira, now=now - 9 * MINUTE)
    ingest.open_blind_spot(Recorder.objects.get(), now=now - 3 * MINUTE)
    seal(now - 2 * MINUTE)
    return Call.objects.get(pk=call.pk)


def pack_of(subject: Subject, by: User, *, now: datetime, checkpoint: str = "") -> Export:
    wish = WantedPack(subject, "the court asked", checkpoint)
    export = exports.request_pack(wish, actor=Actor.objects.person(by), user=by, now=now)
    make(now)
    export.refresh_from_db()
    return export


def opened(export: Export) -> zipfile.ZipFile:
    assert export.status == ExportStatus.READY, export.message
    return zipfile.ZipFile(io.BytesIO(file_of(export)))


def facts_in(archive: zipfile.ZipFile) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(archive.read("evidence.json"))
    return found


def page_in(archive: zipfile.ZipFile) -> str:
    return archive.read("evidence.html").decode()


def test_the_pack_holds_a_page_to_print_and_the_proofs_and_a_bare_python_can_check_it(
    call: Call, now: datetime, olga: User, tmp_path: Path
) -> None:
    export = pack_of(Subject(call), olga, now=now)
    archive = opened(export)
    assert archive.namelist() == [
        "README.txt",
        "verify.py",
        "manifest.json",
        "manifest.sig",
        "evidence.html",
        "evidence.json",
        "history.csv",
        "entries.jsonl",
        "proofs.jsonl",
        "checkpoint.txt",
    ]
    checked = verify(file_of(export), tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    manifest = manifest_of(archive)
    assert manifest["unproven_rows"] == 0
    assert manifest["code_version"] == recordings.__version__
    assert manifest["proven_rows"] == facts_in(archive)["seal"]["entries"] == export.rows


def test_a_page_that_was_altered_is_betrayed(call: Call, now: datetime, olga: User, tmp_path: Path) -> None:
    archive = opened(pack_of(Subject(call), olga, now=now))
    forged = io.BytesIO()
    with zipfile.ZipFile(forged, "w") as other:
        for name in archive.namelist():
            content = archive.read(name)
            other.writestr(
                name, content.replace(b"the desk checked", b"the desk slept__") if "html" in name else content
            )
    checked = verify(forged.getvalue(), tmp_path)
    assert checked.returncode == 1
    assert "evidence.html differs" in checked.stdout


def test_the_page_tells_the_story_of_the_call(call: Call, now: datetime, olga: User) -> None:
    archive = opened(pack_of(Subject(call), olga, now=now))
    page, facts = page_in(archive), facts_in(archive)
    assert facts["stood"]["captured"]["value"] == "capturing"
    assert facts["stood"]["told"]["value"] == "unknown"
    assert [one["graph_operation_id"] for one in facts["corrections"]] == ["operation-of-graph-1"]
    assert [one["rule"] for one in facts["findings"]][:1] == ["R1"]
    assert "the desk checked" in page
    assert "request-of-graph-1" in page
    assert facts["seal"]["key_fingerprint"] in page
    assert facts["seal"]["root"] in page
    people = {one["name"]: one for one in facts["people"]}
    assert people["mira"]["roles"] == ["Recording admin"]
    assert "Correction requested" in people["mira"]["did"]
    assert facts["called"]["recorded_person"] == "Dana Kessler"


def test_every_step_of_the_page_is_an_entry_under_the_seal(call: Call, now: datetime, olga: User) -> None:
    archive = opened(pack_of(Subject(call), olga, now=now))
    proven = [json.loads(line)["id"] for line in archive.read("entries.jsonl").splitlines()]
    rows = list(csv.DictReader(io.StringIO(archive.read("history.csv").decode(), newline="")))
    assert sorted(proven) == sorted(row["entry_id"] for row in rows)
    assert sorted(proven) == sorted(step["entry"] for step in facts_in(archive)["steps"])


def test_the_page_needs_no_script_and_no_other_file(call: Call, now: datetime, olga: User) -> None:
    page = page_in(opened(pack_of(Subject(call), olga, now=now)))
    for forbidden in ("<script", "<link", "<img", "src=", "href=", "url(", "@import", "javascript:"):
        assert forbidden not in page
    assert "default-src 'none'" in page
    assert "@page { size: A4" in page


def test_blind_spots_of_the_call_are_named(call: Call, now: datetime, olga: User) -> None:
    facts = facts_in(opened(pack_of(Subject(call), olga, now=now)))
    assert [spot["whose"] for spot in facts["blind_spots"]][-1] == "rec-01"
    assert facts["blind_spots"][-1]["until_at"] is None


def test_clocks_that_were_apart_are_named_while_the_call_lasted_and_not_afterwards(
    call: Call, now: datetime, olga: User
) -> None:
    cast.tell("call.ended", call.graph_id, at=now - 4 * MINUTE, heard_at=now)
    for began, seconds in ((now - 6 * MINUTE, 3.2), (now - MINUTE, -9.0)):
        with transaction.atomic():
            ingest.note_skew(call.tenant_id, seconds=seconds, from_at=began, seen_at=began, now=began)
            ingest.note_clock_right(call.tenant_id, at=began + 30 * MINUTE, now=began + 30 * MINUTE)
    seal(now)
    facts = facts_in(opened(pack_of(Subject(call), olga, now=now)))
    assert [skew["milliseconds"] for skew in facts["clock_skews"]] == [3200]


def test_the_same_call_at_the_same_checkpoint_gives_the_same_bytes(
    call: Call, now: datetime, olga: User, ada: User
) -> None:
    first = pack_of(Subject(call), olga, now=now)
    again = pack_of(Subject(call), ada, now=now + MINUTE)
    assert file_of(first) == file_of(again)
    assert first.sha256 == again.sha256


def test_what_happened_since_changes_no_pack_of_an_earlier_checkpoint(
    call: Call, now: datetime, olga: User, mira: User
) -> None:
    earlier = pack_of(Subject(call), olga, now=now - MINUTE)
    cast.tell("capture.stopped", call.graph_id, at=now)
    cast.tell("call.ended", call.graph_id, at=now)
    findings.sweep(now + 10 * MINUTE)
    mira.groups.clear()
    seal(now + 10 * MINUTE)
    assert earlier.seal
    again = pack_of(Subject(call), olga, now=now + 11 * MINUTE, checkpoint=str(earlier.seal.size))
    newest = pack_of(Subject(call), olga, now=now + 11 * MINUTE)
    assert file_of(earlier) == file_of(again)
    assert file_of(newest) != file_of(again)
    assert facts_in(opened(newest))["stood"]["state"]["value"] == "terminated"
    assert facts_in(opened(again))["stood"]["state"]["value"] == "established"


def test_a_receipt_that_came_after_the_seal_changes_no_pack(call: Call, now: datetime, olga: User) -> None:
    first = Seal.objects.get(size=Seal.objects.order_by("size").values_list("size", flat=True)[0])
    Receipt.objects.create(seal=first, witness=ELSEWHERE, received_at=first.sealed_at)
    cast.tell("capture.stopped", call.graph_id, at=now - MINUTE)
    seal(now - MINUTE)
    before = pack_of(Subject(call), olga, now=now)
    assert before.seal
    assert before.seal_id != first.size
    Receipt.objects.create(seal=before.seal, witness=ELSEWHERE, received_at=now)
    assert file_of(pack_of(Subject(call), olga, now=now)) == file_of(before)
    assert facts_in(opened(before))["seal"]["witnessed"]["size"] == first.size


@pytest.mark.parametrize(
    ("witnesses", "is_off_host", "words"),
    [
        ([HERE], False, "only on the machine of On Record itself"),
        ([HERE, ELSEWHERE], True, "a witness off the machine of On Record had"),
    ],
)
def test_a_copy_on_this_host_is_not_called_a_witness(
    call: Call, now: datetime, olga: User, witnesses: list[str], is_off_host: bool, words: str
) -> None:
    """One elsewhere counts alone, even with an older checkpoint."""
    first = Seal.objects.order_by("size")[0]
    cast.tell("capture.stopped", call.graph_id, at=now - MINUTE)
    seal(now - MINUTE)
    second = Seal.objects.latest("size")
    for witness in witnesses:
        held = second if witness == HERE else first
        Receipt.objects.create(seal=held, witness=witness, received_at=now - MINUTE)
    cast.tell("call.ended", call.graph_id, at=now)
    seal(now)
    archive = opened(pack_of(Subject(call), olga, now=now))
    told = facts_in(archive)["seal"]["witnessed"]
    assert (told["size"], told["is_off_host"]) == ((first if is_off_host else second).size, is_off_host)
    assert words in told["note"]
    assert (", on the machine of On Record only" in page_in(archive)) is not is_off_host


def test_an_erased_name_changes_its_places_only_and_the_pack_says_so(
    call: Call, now: datetime, olga: User, mira: User, tmp_path: Path
) -> None:
    before = facts_in(opened(pack_of(Subject(call), olga, now=now)))
    User.objects.filter(pk=mira.pk).update(is_active=False)
    services.forget_user("mira", by=Actor.objects.shell(), now=now)
    services.forget_called("user-dana", by=Actor.objects.shell(), now=now)
    export = pack_of(Subject(Call.objects.get(pk=call.pk)), olga, now=now)
    archive = opened(export)
    after, page = facts_in(archive), page_in(archive)
    assert after["names"]["erased"] == 2
    assert "Names erased since the entries were written: 2." in page
    assert "mira" not in page
    assert "Dana Kessler" not in page
    assert "erased" in {one["name"] for one in after["people"]}
    assert without_names(after) == without_names(before)
    assert verify(file_of(export), tmp_path).returncode == 0


def test_a_word_after_the_seal_changes_the_three_names_of_the_call_and_nothing_else(
    call: Call, now: datetime, olga: User, tmp_path: Path
) -> None:
    first = pack_of(Subject(call), olga, now=now - MINUTE)
    before = opened(first)
    said: dict[str, Any] = {
        "subject": "Rates outlook",
        "recordedUser": {"id": "user-dana", "displayName": "Dana Kessler-Roth"},
    }
    cast.tell("call.joined", call.graph_id, at=now, tenantId=call.tenant_id, state="established", **said)
    Call.objects.filter(pk=call.pk).update(organizer_name="Ola Nordmann")
    seal(now)
    assert first.seal
    second = pack_of(Subject(Call.objects.get(pk=call.pk)), olga, now=now, checkpoint=str(first.seal.size))
    after = opened(second)
    older, newer = facts_in(before), facts_in(after)
    assert newer["called"] != older["called"]
    assert newer["names"] == older["names"]
    assert newer["names"]["erased"] == 0
    assert sorted(f"called.{name}" for name in newer["called"]) == newer["names"]["later_places"]
    assert {**newer, "called": None} == {**older, "called": None}
    page = page_in(after)
    assert html.escape(newer["names"]["later_note"]) in page
    for name in newer["called"]:
        page = page.replace(newer["called"][name], older["called"][name] or "not known")
    assert page == page_in(before)
    named = {"evidence.html", "evidence.json", "manifest.json", "manifest.sig"}
    assert {name for name in after.namelist() if after.read(name) != before.read(name)} == named
    told = [manifest_of(archive) for archive in (before, after)]
    assert told[0]["names_may_differ"] == newer["names"]["later_places"]
    older_manifest, newer_manifest = ({**one, "files": sorted(one["files"])} for one in told)
    assert older_manifest == newer_manifest
    assert verify(file_of(second), tmp_path).returncode == 0


def without_names(facts: Any) -> Any:
    """The facts without the places where names stand."""
    named = {"who", "name", "requested_by", "names", "called", "assignee_name", "subject_name"}
    if isinstance(facts, dict):
        return {key: without_names(value) for key, value in facts.items() if key not in named}
    return [without_names(value) for value in facts] if isinstance(facts, list) else facts


def test_two_calls_do_not_leak_into_each_other(call: Call, now: datetime, olga: User, mira: User, tom: User) -> None:
    other = calls_cast.recorded("call-2", now=now - 8 * MINUTE)
    Call.objects.filter(pk=other.pk).update(recorded_user_name="Somebody Else")
    completed(other, by=tom, now=now - 7 * MINUTE)
    seal(now)
    archive = opened(pack_of(Subject(call), olga, now=now))
    data = [name for name in archive.namelist() if name not in ("README.txt", "verify.py")]
    everything = b"".join(archive.read(name) for name in data).decode()
    for foreign in ("call-2", "Somebody Else", str(other.operation_set.get().pk)):
        assert foreign not in everything
    assert "tom" not in [one["name"] for one in facts_in(archive)["people"]]
    for body in map(json.loads, archive.read("entries.jsonl").splitlines()):
        assert body.get("call", "call-1") == "call-1"


def test_an_entry_that_was_moved_under_another_call_makes_no_pack(
    call: Call, now: datetime, olga: User, mira: User
) -> None:
    other = calls_cast.recorded("call-2", now=now - 8 * MINUTE)
    seal(now)
    connection.check_constraints()  # PostgreSQL alters no table that still waits for a check
    lift_triggers()
    LedgerEntry.objects.filter(call=other).update(call=call)
    connection.check_constraints()
    append_only.install(connection)
    export = pack_of(Subject(call), olga, now=now)
    assert export.status == ExportStatus.FAILED
    assert "somebody altered the database" in export.message


def test_hostile_words_are_words(call: Call, now: datetime, olga: User, mira: User) -> None:
    finding = Finding.objects.get(rule="R1")
    actor = Actor.objects.person(mira)
    with transaction.atomic():
        findings.comment(finding, text=HOSTILE, actor=actor, now=now)
    Call.objects.filter(pk=call.pk).update(subject=HOSTILE)
    seal(now)
    archive = opened(pack_of(Subject(Call.objects.get(pk=call.pk)), olga, now=now))
    page = page_in(archive)
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "{{ 7|add:7 }}" in page
    assert HOSTILE in json.dumps(facts_in(archive), ensure_ascii=False).replace('\\"', '"')


def test_a_finding_on_a_call_brings_its_call_and_comes_first(call: Call, now: datetime, olga: User) -> None:
    finding = Finding.objects.get(call=call, rule="R1")
    archive = opened(pack_of(Subject(call, finding), olga, now=now))
    facts = facts_in(archive)
    assert facts["about"]["kind"] == "finding"
    assert facts["about"]["call"] == "call-1"
    assert facts["findings"][0]["finding"] == str(finding.pk)
    assert f"Evidence pack of finding {finding.pk}" in page_in(archive)


def test_a_finding_about_a_recorder_has_a_pack_without_a_call(now: datetime, olga: User, tmp_path: Path) -> None:
    cast.tell("heartbeat", at=now - 30 * MINUTE, calls=[])
    findings.sweep(now - 5 * MINUTE)
    seal(now)
    finding = Finding.objects.get(rule="R20")
    export = pack_of(Subject(None, finding), olga, now=now)
    facts = facts_in(opened(export))
    assert facts["stood"] is None
    assert facts["about"]["recorder"] == "rec-01"
    assert facts["blind_spots"]
    assert verify(file_of(export), tmp_path).returncode == 0


def test_asking_and_making_are_in_the_ledger_like_an_export(call: Call, now: datetime, olga: User) -> None:
    export = pack_of(Subject(call), olga, now=now)
    (asked,) = LedgerEntry.objects.filter(action=LedgerAction.EXPORT_REQUESTED)
    assert body_of(asked)["what"] == "pack"
    assert body_of(asked)["filter"] == "call=call-1"
    assert body_of(asked)["reason"] == "the court asked"
    (done,) = LedgerEntry.objects.filter(action=LedgerAction.EXPORT_FINISHED)
    assert body_of(done)["sha256"] == export.sha256
    assert asked.call is None


def test_who_may_not_export_gets_no_pack(call: Call, now: datetime, sam: User) -> None:
    with pytest.raises(NotAllowed):
        pack_of(Subject(call), sam, now=now)
    assert not Export.objects.exists()


@pytest.mark.parametrize("size", ["0", "-1", "999999", "eleven", "9" * 40, "\u0661"])
def test_a_checkpoint_that_is_none_is_named(size: str, call: Call, now: datetime, olga: User) -> None:
    with pytest.raises(BadFilter, match="There is no checkpoint of size"):
        pack_of(Subject(call), olga, now=now, checkpoint=size)
    assert not Export.objects.exists()


def test_without_a_seal_nothing_is_asked_for(now: datetime, olga: User) -> None:
    with pytest.raises(BadFilter, match="The ledger was not sealed yet"):
        pack_of(Subject(cast.call(at=now)), olga, now=now)


def test_a_call_that_is_younger_than_the_seal_gets_a_sentence(call: Call, now: datetime, olga: User) -> None:
    export = pack_of(Subject(cast.call("call-young", at=now)), olga, now=now)
    assert export.status == ExportStatus.FAILED
    assert "Nothing about it had been sealed" in export.message


def test_too_many_entries_get_a_sentence(
    call: Call, now: datetime, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_ENTRIES", 2)
    export = pack_of(Subject(call), olga, now=now)
    assert export.status == ExportStatus.FAILED
    assert "Ask for an export of the history instead" in export.message


def test_a_checkpoint_of_an_earlier_key_gets_a_sentence(
    call: Call, now: datetime, olga: User, settings: Settings
) -> None:
    key = Ed25519PrivateKey.generate()
    other_key = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    size = str(Seal.objects.order_by("-size").values_list("size", flat=True)[0])
    settings.LEDGER_SIGNING_KEY = other_key
    cast.tell("capture.stopped", call.graph_id, at=now)
    seal(now)
    export = pack_of(Subject(call), olga, now=now, checkpoint=size)
    assert export.status == ExportStatus.FAILED
    assert "signed with an earlier key" in export.message
