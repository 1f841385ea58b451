"""Whatever verify.py is given instead of an export, it ends with a sentence and exit code 1, never with a traceback."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier import building
from tests.verifier.building import HISTORY_PLACES, run, run_copy
from tests.verifier.loading import verify


def zip_bytes(folder: Path) -> bytes:
    return building.ledger().export(HISTORY_PLACES).zip(folder).read_bytes()


def said_of(folder: Path, content: bytes) -> str:
    path = folder / "given.zip"
    path.write_bytes(content)
    outcome = run(path)
    assert outcome.code == 1
    return outcome.words


# -- no export at all


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    outcome = run(tmp_path / "export.zip")

    assert outcome.code == 1
    assert f"there is no file or folder {tmp_path / 'export.zip'}. Nothing was checked." in outcome.words


def test_an_earlier_checkpoint_that_is_not_there_is_named(tmp_path: Path) -> None:
    outcome = run(building.ledger().export([1]).zip(tmp_path), "--earlier", str(tmp_path / "earlier.txt"))

    assert outcome.code == 1
    assert "earlier.txt. Nothing was checked." in outcome.words


@pytest.mark.parametrize("key", ["", "abc", "0" * 63, "g" * 64])
def test_what_is_no_fingerprint_is_refused(tmp_path: Path, key: str) -> None:
    outcome = run(building.ledger().export([1]).zip(tmp_path), "--key", key)

    assert outcome.code == 1
    assert "a fingerprint has 64 hexadecimal digits. Nothing was checked." in outcome.words


def test_words_it_does_not_know_are_refused() -> None:
    outcome = run_copy(building.VERIFIER, "--trust-me")

    assert outcome.code == 1
    assert "unrecognized arguments: --trust-me. Nothing was checked." in outcome.words


def test_an_empty_folder_is_no_export(tmp_path: Path) -> None:
    assert "is no export of On Record: there is no manifest.json in it." in run(tmp_path).words


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"{}\n" * 1000])
def test_a_file_that_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    assert "neither a folder nor a whole ZIP file" in said_of(tmp_path, content)


def test_an_earlier_checkpoint_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "earlier.txt").write_text("yesterday, about nine o'clock\n")

    outcome = run(building.ledger().export([1]).zip(tmp_path), "--earlier", str(tmp_path / "earlier.txt"))

    assert outcome.code == 1
    assert "is not a signed note." in outcome.failures[0]


# -- a ZIP that is broken, or made to hurt


@pytest.mark.parametrize("left", [0.1, 0.5, 0.9, 0.99])
def test_a_cut_zip_is_refused(tmp_path: Path, left: float) -> None:
    whole = zip_bytes(tmp_path)

    assert "neither a folder nor a whole ZIP file" in said_of(tmp_path, whole[: int(len(whole) * left)])


def with_member(folder: Path, name: str, content: bytes = b"x") -> bytes:
    file = io.BytesIO(zip_bytes(folder))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "sub/file", "a\\b", "C:evil", "..", ".hidden", "ä.csv"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    assert "which On Record never writes" in said_of(tmp_path, with_member(tmp_path, name))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    content = with_member(tmp_path, "history.csv")

    assert "The ZIP holds history.csv twice; which of them you would see is not certain." in said_of(tmp_path, content)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    content = bytearray(zip_bytes(tmp_path))
    content[content.index(b"PK\x01\x02") + 8] |= 1

    assert "README.txt is encrypted or packed in a way that On Record never uses." in said_of(tmp_path, bytes(content))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 97])
def test_a_member_packed_in_another_way_is_refused(tmp_path: Path, method: int) -> None:
    content = bytearray(zip_bytes(tmp_path))
    at = content.index(b"PK\x01\x02") + 10
    content[at : at + 2] = method.to_bytes(2, "little")

    assert "README.txt is encrypted or packed in a way that On Record never uses." in said_of(tmp_path, bytes(content))


@pytest.mark.parametrize("name", ["manifest.json", "checkpoint.txt", "manifest.sig"])
def test_a_bomb_in_place_of_a_small_file_is_not_unpacked(tmp_path: Path, name: str) -> None:
    export = building.ledger().export(HISTORY_PLACES)
    export.members[name] = b"0" * (20 << 20)

    assert f"{name} is larger than any that On Record writes" in run(export.zip(tmp_path)).words


@pytest.mark.parametrize(("name", "filling"), [("entries.jsonl", b"0"), ("proofs.jsonl", b"["), ("history.csv", b"0")])
def test_a_line_without_end_is_not_read_to_its_end(tmp_path: Path, name: str, filling: bytes) -> None:
    export = building.ledger().export(HISTORY_PLACES)
    export.members[name] = filling * (20 << 20)
    export.mend()

    assert f"{name} has a line longer than any that On Record writes" in run(export.zip(tmp_path)).words


def test_a_row_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    export = building.ledger().export(HISTORY_PLACES)
    export.change("history.csv", lambda content: content + b'"' + (b"0" * 99 + b"\n") * 50_000)
    export.mend()

    assert "history.csv has a row longer than any that On Record writes" in run(export.zip(tmp_path)).words


# -- files that are not what they should be


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"[]",
        b"null",
        b"{}",
        b'{"format": 2}',
        b'{"format": 1}',
        b'{"format": 1, "format": 1}',
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"format": NaN}',
        b'{"format": 1, "sheet": ["history"]}',
    ],
)
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    export = building.ledger().export(HISTORY_PLACES)
    export.members["manifest.json"] = content

    outcome = run(export.zip(tmp_path))

    assert outcome.code == 1
    assert "manifest.json" in outcome.failures[0]


WRONG = [None, 1, -1, True, "", "x", [], {}, [1], {"first": 1}, 1.5, 10**30, "\u0000", "../evil"]


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_no_value_in_a_signed_manifest_makes_it_stumble(tmp_path: Path, value: object) -> None:
    """Signed by the key's holder, so that every check behind the signature is reached."""
    for field in json.loads(building.ledger().export(HISTORY_PLACES).members["manifest.json"]):
        export = building.ledger().export(HISTORY_PLACES)
        export.told[field] = value
        export.mend()
        path = export.zip(tmp_path)

        assert verify.main([str(path)]) in (0, 1)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"entry_id\r\n",
        b"\xff\r\n",
        b'"\r\n',
        b"\r\n\r\n",
        b"a,b\n",
        b"\x00\r\n",
    ],
)
def test_a_data_file_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    export = building.ledger().export(HISTORY_PLACES)
    header = export.members["history.csv"].split(b"\r\n")[0] + b"\r\n"
    for data in (content, header + content):
        export.members["history.csv"] = data
        export.mend()

        outcome = run(export.zip(tmp_path))
        assert outcome.code == 1
        assert "history.csv" in outcome.failures[0] or "A row was dropped" in outcome.failures[0]


@pytest.mark.parametrize("content", [b"", b"{}\n", b"[]\n", b'{"entry_id": 1}\n', b"\xff\n", b"{\n", b"[" * 100_000])
def test_json_lines_that_are_none_are_refused(tmp_path: Path, content: bytes) -> None:
    export = building.ledger().export(HISTORY_PLACES, data_format="jsonl")
    export.members["history.jsonl"] = content
    export.mend()

    assert run(export.zip(tmp_path)).code == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "hello\n",
        "onrecord.example/ledger\n21\nAAAA\n\n",
        "onrecord.example/ledger\n21\nAAAA\n\n— onrecord.example/ledger AAAA\n",
        "onrecord.example/ledger\n21\nAAAA\n\n— onrecord.example/ledger A\n",
        "onrecord.example/ledger\n021\nAAAA\n\n— onrecord.example/ledger AAAA\n",
        "\n\n\n\n",
    ],
)
def test_a_checkpoint_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    export = building.ledger().export(HISTORY_PLACES)
    export.members["checkpoint.txt"] = text.encode()
    export.mend()

    outcome = run(export.zip(tmp_path))

    assert outcome.code == 1
    assert "checkpoint.txt" in outcome.failures[0]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"from": 1}', b'{"from": {"size": 9}, "nodes": [1]}'])
def test_a_proof_of_consistency_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    export = building.ledger().export(HISTORY_PLACES, earlier=9)
    export.members["consistency.json"] = content
    export.mend()
    (tmp_path / "earlier.txt").write_bytes(export.ledger.checkpoint(9))

    assert run(export.zip(tmp_path), "--earlier", str(tmp_path / "earlier.txt")).code == 1


def test_what_could_steer_a_terminal_is_shown_as_a_code(tmp_path: Path) -> None:
    export = building.ledger().export(HISTORY_PLACES)
    export.told["witnessed"] = {"note": "\x1b]0;all is well\x07\u202eevil"}
    export.mend()

    said = run(export.zip(tmp_path)).words

    assert "\\x1b]0;all is well\\x07\\u202eevil" in said


# -- anything else

_WHOLE: dict[str, bytes] = {}


@settings(max_examples=60, deadline=None)
@given(at=st.floats(0, 1), bits=st.integers(1, 255))
def test_no_changed_byte_of_the_zip_makes_it_stumble(
    tmp_path_factory: pytest.TempPathFactory, at: float, bits: int
) -> None:
    """Either the files are read as they were, or it fails; a time in the ZIP's own list means nothing."""
    folder = tmp_path_factory.mktemp("zip")
    whole = bytearray(_WHOLE.setdefault("zip", zip_bytes(folder)))
    whole[round(at * (len(whole) - 1))] ^= bits
    path = folder / "changed.zip"
    path.write_bytes(whole)

    assert verify.main([str(path)]) in (0, 1)
