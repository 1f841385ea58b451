"""Entries and proofs that were changed lead to another root than the signed one, whoever signs the manifest."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.verifier import building
from tests.verifier.forging import STRETCH, mended, refused, whole_stretch


def test_a_dropped_entry_leads_to_another_root(tmp_path: Path) -> None:
    export = whole_stretch()
    lines = export.members["entries.jsonl"].splitlines(keepends=True)
    export.members["entries.jsonl"] = b"".join(lines[:-1])

    assert refused(mended(export), tmp_path)[0].startswith("entries.jsonl is cut: the entry at place 16")


def _swapped(lines: list[bytes]) -> list[bytes]:
    return [lines[1], lines[0], *lines[2:]]


def _changed(lines: list[bytes]) -> list[bytes]:
    return [lines[0].replace(b'"actor":7', b'"actor":8'), *lines[1:]]


@pytest.mark.parametrize("change", [_swapped, _changed])
def test_changed_and_swapped_entries_lead_to_another_root(
    tmp_path: Path, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    export = whole_stretch()
    export.change("entries.jsonl", lambda content: b"".join(change(content.splitlines(keepends=True))))

    assert refused(mended(export), tmp_path)[0].startswith("The entries are not those of the ledger")


def test_entries_beyond_the_places_are_found(tmp_path: Path) -> None:
    export = whole_stretch()
    export.change("entries.jsonl", lambda content: content + content.splitlines(keepends=True)[0].replace(b"03", b"ff"))

    assert "entries.jsonl has more entries than proofs.jsonl gives places to" in refused(mended(export), tmp_path)[0]


def test_an_entry_that_is_there_twice_is_found(tmp_path: Path) -> None:
    export = whole_stretch()
    export.change("entries.jsonl", lambda content: content.splitlines(keepends=True)[0] + content)

    assert (
        "entries.jsonl holds the entry 01a2096f-0b7f-719d-9068-000000000003 twice"
        in (refused(mended(export), tmp_path)[0])
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"actor":7', b'"actor": 7'),
        (b'"actor":7', b'"actor":7.0'),
        (b'"actor":7', b'"actor":07'),
        (b'"actor":7', b'"actor":true,"actor":7'),
        (b'"actor":7', b'"actor":9007199254740993'),
        (b'"actor":7', b'"actor":[7]'),
        (b'"action"', b'"\\u0061ction"'),
        (b'"action":', b'"\xc3\xa4":1,"action":'),
        (b"capturing", b"\\ud800"),
        (b"capturing", b"\xff"),
        (b"capturing", b"cap\\u0074uring"),
    ],
)
def test_an_entry_in_another_form_than_the_canonical_one_is_refused(tmp_path: Path, old: bytes, new: bytes) -> None:
    """Even one that was sealed like that: two readers could see two things in it."""
    export = whole_stretch()
    export.change("entries.jsonl", lambda content: content.replace(old, new, 1))

    assert "The entry at place 3 in entries.jsonl" in refused(mended(export), tmp_path)[0]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda proof: proof[1]["nodes"].pop(), "fewer hashes than belong there"),
        (lambda proof: proof[1]["nodes"].append("00" * 32), "more hashes than belong there"),
        (lambda proof: proof[1]["nodes"].reverse(), "lead to another root"),
        (lambda proof: proof[1].update(first=4, last=17), "hashes than belong there"),
        (lambda proof: proof[1].update(last=99), "outside the ledger"),
        (lambda proof: proof[1].update(first=-1), "does not say first"),
        (lambda proof: proof[1].update(first=True), "does not say first"),
        (lambda proof: proof[1].update(nodes=["ab"]), "not 64 small hexadecimal digits"),
        (lambda proof: proof[1].update(nodes=[None]), "not 64 small hexadecimal digits"),
        (lambda proof: proof.insert(2, proof[1]), "out of order"),
        (lambda proof: proof.pop(), "cut: its last line is missing"),
        (lambda proof: proof.append(proof[-1]), "goes on behind its last line"),
        (lambda proof: proof[0].update(size=20), "of another size"),
        (lambda proof: proof.clear(), "is not JSON"),
    ],
)
def test_proofs_that_do_not_fit_are_refused(
    tmp_path: Path, change: Callable[[list[dict[str, object]]], object], sentence: str
) -> None:
    export = whole_stretch()
    proof = [json.loads(line) for line in export.members["proofs.jsonl"].splitlines()]
    change(proof)
    export.members["proofs.jsonl"] = b"".join(json.dumps(line).encode() + b"\n" for line in proof)

    assert sentence in refused(mended(export), tmp_path)[0]


def test_a_checkpoint_of_another_time_does_not_fit(tmp_path: Path) -> None:
    export = whole_stretch()
    export.members["checkpoint.txt"] = export.ledger.checkpoint(20)

    assert "checkpoint.txt is of another ledger or of another size" in refused(mended(export), tmp_path)[0]


def test_a_fork_signed_by_nobody_is_refused(tmp_path: Path) -> None:
    """A ledger with one entry changed and every hash mended, under the old signature."""
    export, forged = whole_stretch(), building.ledger()
    forged.bodies[4]["new"] = "stopped"
    root, other = (one.checkpoint().split(b"\n")[2] for one in (export.ledger, forged))
    export.members |= forged.export(STRETCH, sheet="ledger").members
    export.members["checkpoint.txt"] = export.ledger.checkpoint().replace(root, other)
    export.rows = forged.export(STRETCH, sheet="ledger").rows

    failures = refused(mended(export), tmp_path)
    assert failures[0].startswith("The signature of checkpoint.txt is not valid: the text or the signature was changed")
