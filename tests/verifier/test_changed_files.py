"""Whoever changes a file of an export is found out; who mends manifest.json to fit cannot sign it without the key."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.verifier.building import Built, run
from tests.verifier.forging import CHANGES, history, refused, whole_stretch

MEMBERS = (
    "README.txt",
    "verify.py",
    "manifest.json",
    "manifest.sig",
    "history.csv",
    "entries.jsonl",
    "proofs.jsonl",
    "checkpoint.txt",
    "consistency.json",
)

# -- one changed byte


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("at", [0.0, 0.5, 1.0])
def test_one_changed_byte_in_any_file_is_found(tmp_path: Path, name: str, at: float) -> None:
    export = history()
    export.change(name, lambda content: _with_a_byte_changed(content, round(at * (len(content) - 1))))

    failures = refused(export, tmp_path)

    assert any(name in failure for failure in failures)
    if not name.startswith("manifest"):
        assert f"{name} differs from the file that was exported" in failures[0]


def _with_a_byte_changed(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def test_a_changed_manifest_is_not_the_one_that_was_signed(tmp_path: Path) -> None:
    export = history()
    export.change("manifest.json", lambda content: content.replace(b'"zone"', b'"zone" ') + b" ")

    assert refused(export, tmp_path) == [
        "manifest.json is not the one that was signed: it was changed after the export."
    ]


@pytest.mark.parametrize("name", MEMBERS)
def test_a_file_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    export = history()
    del export.members[name]

    said = run(export.zip(tmp_path)).words
    assert f"{name} is missing from the export." in said or f"there is no {name} in it" in said


def test_a_file_that_was_added_is_named(tmp_path: Path) -> None:
    export = history()
    export.members["history2.csv"] = export.members["history.csv"]

    assert refused(export, tmp_path)[0].startswith("history2.csv does not belong to the export")


# -- a manifest mended to fit, by somebody without the key


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("data_format", ["exact", "spreadsheet", "jsonl"])
def test_a_mended_manifest_is_not_the_one_that_was_signed(
    tmp_path: Path, change: Callable[[Built], None], data_format: str
) -> None:
    export = history(data_format)
    change(export)
    export.write_data()
    export.mend(with_signature=False)

    failures = refused(export, tmp_path)

    assert failures[0].startswith("manifest.json is not the one that was signed: it was changed after the export.")


@pytest.mark.parametrize("change", CHANGES)
def test_a_manifest_signed_with_another_key_is_not_signed_by_the_ledgers(
    tmp_path: Path, change: Callable[[Built], None]
) -> None:
    export = history()
    change(export)
    export.write_data()
    export.mend(Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))

    failures = refused(export, tmp_path)

    assert failures[0].startswith("The export is signed with another key than yours")
    assert any(failure.startswith("checkpoint.txt is not signed by the key") for failure in failures)


def test_a_signature_of_another_manifest_does_not_fit(tmp_path: Path) -> None:
    export = history()
    export.members["manifest.sig"] = whole_stretch().members["manifest.sig"]

    assert refused(export, tmp_path)[0].startswith("manifest.json is not the one that was signed")


def test_a_checkpoint_does_not_pass_for_the_signature_of_a_manifest(tmp_path: Path) -> None:
    export = history()
    export.members["manifest.sig"] = export.members["checkpoint.txt"]

    assert refused(export, tmp_path)[0].startswith("manifest.json is not the one that was signed")
