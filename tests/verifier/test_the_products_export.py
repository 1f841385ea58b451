"""An export as the product makes it, in the hands of an auditor and of forgers."""

import base64
import io
import json
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from recordings import findings, services
from recordings.choices import ExportFormat, ExportSheet
from recordings.ledger.keys import signing_key
from recordings.ledger.notes import sign_note
from recordings.models import Finding
from recordings.services import Requester
from tests import cast
from tests.exports import background
from tests.exports.conftest import ledger_key
from tests.verifier import building
from tests.verifier.building import Outcome, run
from tests.verifier.loading import verify

__all__ = ["ledger_key"]  # a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_key")]

MINUTE = timedelta(minutes=1)
type Members = dict[str, bytes]


@pytest.fixture
def story(now: datetime) -> datetime:
    cast.call("call-1", at=now - 10 * MINUTE, capture="stopped", told="recording")
    cast.call("call-2", at=now - 5 * MINUTE, capture="started", told="recording")
    findings.sweep(now - 2 * MINUTE)
    return now


def exported(by: User, now: datetime, **words: object) -> Members:
    _, archive = background.made(by, now=now, **words)
    return {name: archive.read(name) for name in archive.namelist()}


def checked(members: Members, folder: Path, *options: str) -> Outcome:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    (folder / "export.zip").write_bytes(file.getvalue())
    return run(folder / "export.zip", *options)


def mend(members: Members, *, with_the_key: bool) -> None:
    """Sizes, hashes and counts of rows as they are now; signed again only by who has the key."""
    manifest = json.loads(members["manifest.json"])
    for name, told in manifest["files"].items():
        told |= {"sha256": sha256(members[name]).hexdigest(), "bytes": len(members[name])}
    members["manifest.json"] = json.dumps(manifest, sort_keys=True, indent=1).encode()
    if with_the_key:
        text = f"onrecord-export-manifest/v1\n{sha256(members['manifest.json']).hexdigest()}\n"
        members["manifest.sig"] = sign_note(text, signing_key()).encode()


def changed_cell(content: bytes) -> bytes:
    return content.replace(b"capture_state", b"capture_status", 1)


def added_row(content: bytes) -> bytes:
    last = content.splitlines(keepends=True)[-1]
    return content + last.replace(last[:4], b"ffff", 1)


def dropped_row(content: bytes) -> bytes:
    return b"".join(content.splitlines(keepends=True)[:-1])


FORGERIES: dict[Callable[[bytes], bytes], str] = {
    changed_cell: "is not as the ledger has it: field is 'capture_status', and its entry",
    added_row: "rows without an entry in entries.jsonl, and manifest.json says 0: a row was added",
    dropped_row: "A row was dropped from history.csv: 1 of the entries",
}


def test_it_passes_with_the_fingerprint_of_the_ledgers_key(story: datetime, olga: User, tmp_path: Path) -> None:
    outcome = checked(exported(olga, story), tmp_path, "--key", signing_key().fingerprint)

    assert outcome.code == 0, outcome.said
    assert "The key is the one you gave." in outcome.said
    assert "(names, labels): actor, actor_kind, assignee, event." in outcome.words


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_row_with_its_manifest_mended_is_not_what_was_signed(
    story: datetime, olga: User, tmp_path: Path, forgery: Callable[[bytes], bytes]
) -> None:
    members = exported(olga, story)
    members["history.csv"] = forgery(members["history.csv"])
    differs = checked(members, tmp_path)
    mend(members, with_the_key=False)

    assert differs.failures[0].startswith("history.csv differs from the file that was exported")
    assert checked(members, tmp_path).failures[0].startswith("manifest.json is not the one that was signed")


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_row_differs_from_the_entries_even_where_the_manifest_is_signed(
    story: datetime, olga: User, tmp_path: Path, forgery: Callable[[bytes], bytes]
) -> None:
    members = exported(olga, story)
    members["history.csv"] = forgery(members["history.csv"])
    mend(members, with_the_key=True)

    outcome = checked(members, tmp_path, "--key", signing_key().fingerprint)

    assert outcome.code == 1
    assert FORGERIES[forgery] in outcome.failures[0]


def test_one_changed_byte_in_any_file_is_found(story: datetime, olga: User, tmp_path: Path) -> None:
    genuine = exported(olga, story)
    for name, content in genuine.items():
        middle = len(content) // 2
        forged = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]

        outcome = checked({**genuine, name: forged}, tmp_path)
        assert outcome.code == 1
        assert name in outcome.failures[0]


def test_a_complete_ledger_without_one_row_its_entry_and_its_place_is_found(
    story: datetime, olga: User, tmp_path: Path
) -> None:
    """The forger has the key and proves all that is left; only the promise of a complete stretch is still there."""
    members = exported(olga, story, sheet=ExportSheet.LEDGER)
    bodies = [json.loads(line) for line in members["entries.jsonl"].splitlines()]
    ledger = building.Ledger(bodies)
    left = [place for place in range(len(bodies)) if place != 3]
    lines = members["entries.jsonl"].splitlines(keepends=True)
    members["entries.jsonl"] = b"".join(lines[place] for place in left)
    members["proofs.jsonl"] = ledger.proofs(left)
    rows = members["ledger.csv"].splitlines(keepends=True)
    members["ledger.csv"] = b"".join([rows[0], *(rows[place + 1] for place in left)])
    mend(members, with_the_key=True)

    outcome = checked(members, tmp_path)

    assert outcome.code == 1
    assert f"every entry from place 0 to place {len(bodies) - 1} is in the export, and that is not so" in outcome.words


def test_our_own_tree_has_the_root_that_the_product_sealed(story: datetime, olga: User) -> None:
    """The second implementation, of the tests only, over the bodies in the order of the ledger."""
    members = exported(olga, story, sheet=ExportSheet.LEDGER, form=ExportFormat.JSONL)
    rows = [json.loads(line) for line in members["ledger.jsonl"].splitlines()]
    sealed = {row["index"]: row["body"].encode() for row in rows if row["index"] is not None}
    root = building.root_of([building.leaf(sealed[place]) for place in range(len(sealed))])

    told = members["checkpoint.txt"].decode().split("\n")[1:3]
    assert told == [str(len(sealed)), base64.b64encode(root).decode()]


@pytest.mark.parametrize("sheet", [ExportSheet.HISTORY, ExportSheet.LEDGER])
def test_the_manifest_names_the_facts_that_the_verifier_compares(
    story: datetime, olga: User, sheet: ExportSheet
) -> None:
    manifest = json.loads(exported(olga, story, sheet=sheet)["manifest.json"])
    named = {column["name"]: tuple(column["entry_fact"]) for column in manifest["columns"] if column["proven"]}

    assert named == {name: facts for name, facts in verify.SHEETS[sheet].items() if facts}


RISKY = (
    '=HYPERLINK("http://example.com")',
    "two\nlines; =1+1",
    'a "quoted" word',
    "+49 30 123456",
    "-5",
    "Aufnahme läuft 🎧",
    "@",
)


@pytest.mark.parametrize("form", list(ExportFormat))
def test_what_would_run_in_a_spreadsheet_or_break_a_line_is_compared_too(
    story: datetime, mira: User, olga: User, tmp_path: Path, form: ExportFormat
) -> None:
    stuck = Finding.objects.open().first()
    assert stuck
    for text in RISKY:
        services.comment(stuck, text=text, by=Requester.at_screen(mira), now=story)

    outcome = checked(exported(olga, story, form=form), tmp_path)

    assert outcome.code == 0, outcome.said
