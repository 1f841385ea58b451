#!/usr/bin/env python3
"""Check an export of On Record without On Record.

    python3 verify.py [EXPORT] [--key FINGERPRINT] [--earlier CHECKPOINT]

EXPORT is the ZIP, or the folder it was unpacked to; without it, the folder this file lies in. The exit code is 0 if
everything that can be checked is as it should be, and 1 otherwise.

One file, the standard library, Python 3.9 or newer. It opens no connection and changes no file. Read it from top to
bottom: 1 the files, 2 signatures, 3 the tree, 4 the entries, 5 the rows, 6 an earlier checkpoint, 7 what is reported.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import io
import json
import os
import re
import sqlite3
import sys
import textwrap
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any, NamedTuple, NoReturn

if sys.version_info < (3, 9):  # noqa: UP036 - in words, since what follows would end in a traceback
    sys.exit("verify.py needs Python 3.9 or newer. Nothing was checked.")

FORMAT = 1
CHUNK = 1 << 20
# Nothing that is held in memory at once is longer than these bytes, whatever a forged file says.
LONGEST_FILE = 16 << 20
LONGEST_LINE = 4 << 20
MOST_TOLD = 10
# An entry that is older than one before it, by more than this, was not written in its turn.
LATE_MILLISECONDS = 10 * 60 * 1000

MANIFEST, SIGNATURE, CHECKPOINT = "manifest.json", "manifest.sig", "checkpoint.txt"
ENTRIES, PROOFS, CONSISTENCY = "entries.jsonl", "proofs.jsonl", "consistency.json"
DAMAGE = (OSError, EOFError, ValueError, NotImplementedError, zipfile.BadZipFile, zlib.error)
VERIFIER = "verify.py"
COMPARED = {CHECKPOINT, ENTRIES, PROOFS, CONSISTENCY, VERIFIER}
STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
KEY = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class Failed(Exception):
    """A check did not pass; one sentence for each thing that is wrong."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(*sentences)
        self.sentences = sentences


class Unanswered(Failed):
    """What was asked for cannot be told from this export; that says nothing against it."""


class Altered(Failed):
    """The export is as it was made, and the ledger that it was made from is not."""


# -- 1. The files


class Export:
    """The files of an export, in a ZIP or in a folder, read as streams."""

    def __init__(self, path: Path) -> None:
        self.path, self.is_folder = path, path.is_dir()
        self._zip = None
        try:
            if self.is_folder:
                self.sizes = {one.name: one.stat().st_size for one in path.iterdir() if one.is_file()}
            else:
                self._zip = zipfile.ZipFile(path)
                self.sizes = {member.filename: member.file_size for member in _members(self._zip)}
        except DAMAGE as error:
            raise Failed(f"{path} is neither a folder nor a whole ZIP file: {error}.") from error
        if MANIFEST not in self.sizes:
            raise Failed(f"{path} is no export of On Record: there is no {MANIFEST} in it.")

    @contextmanager
    def opened(self, name: str) -> Iterator[IO[bytes]]:
        if name not in self.sizes:
            raise Failed(f"{name} is missing from the export.")
        try:
            with self._zip.open(name) if self._zip else (self.path / name).open("rb") as stream:
                yield stream
        except DAMAGE as error:
            raise Failed(f"{name} cannot be read to its end, it is damaged: {error}.") from error

    def chunks(self, name: str) -> Iterator[bytes]:
        with self.opened(name) as stream:
            while chunk := stream.read(CHUNK):
                yield chunk

    def lines(self, name: str) -> Iterator[bytes]:
        """Each line with its end, which the last one may lack."""
        with self.opened(name) as stream:
            while line := stream.readline(LONGEST_LINE):
                if len(line) == LONGEST_LINE:
                    raise Failed(f"{name} has a line longer than any that On Record writes.")
                yield line

    def whole(self, name: str) -> bytes:
        with self.opened(name) as stream:
            content = stream.read(LONGEST_FILE + 1)
        if len(content) > LONGEST_FILE:
            raise Failed(f"{name} is larger than any that On Record writes.")
        return content


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files of the ZIP. Two of one name, or a name that leads elsewhere, would show another reader other files."""
    names: set[str] = set()
    for member in archive.infolist():
        if not is_plain(member.filename):
            raise Failed(f"The ZIP has a member of the name {member.filename!r}, which On Record never writes.")
        if member.filename in names:
            raise Failed(f"The ZIP holds {member.filename} twice; which of them you would see is not certain.")
        if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Failed(f"{member.filename} is encrypted or packed in a way that On Record never uses.")
        names.add(member.filename)
    return archive.infolist()


def is_plain(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", name) is not None


def parsed(text: bytes, where: str) -> dict[str, Any]:
    """A JSON object without a key that stands in it twice."""

    def no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key stands twice in one object")
        return dict(pairs)

    try:
        found = json.loads(text.decode(), object_pairs_hook=no_doubles)
    except (ValueError, RecursionError) as error:
        raise Failed(f"{where} is not JSON as On Record writes it: {error}.") from error
    if not isinstance(found, dict):
        raise Failed(f"{where} is not a JSON object.")
    return found


def field(found: Any, name: str, kind: type, where: str) -> Any:
    """The value of this name, if it is of that type; a number is whole and not negative."""
    value: Any = found.get(name) if isinstance(found, dict) else None
    is_kind = type(value) is kind
    if not is_kind or (kind is int and not 0 <= value < 2**63):
        raise Failed(f"{where} does not say {name} in the form that it must have.")
    return value


def unhex(text: Any, where: str) -> bytes:
    if not isinstance(text, str) or not re.fullmatch("[0-9a-f]{64}", text):
        raise Failed(f"{where} holds a hash that is not 64 small hexadecimal digits.")
    return bytes.fromhex(text)


class Manifest:
    """What manifest.json says of the export, as far as it can be checked."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._found = found = parsed(content, MANIFEST)
        if found.get("format") != FORMAT:
            raise Failed(f"{MANIFEST} is of another format than {FORMAT}, the only one this verifier knows.")
        self.sheet, self.data, self.data_format = self._text("sheet"), self._text("data"), self._text("data_format")
        self.origin, self.tree_size = self._text("origin"), self._number("tree_size")
        self.verifier_key, self.fingerprint = self._text("verifier_key"), self._text("key_fingerprint")
        self.rows, self.proven_rows = self._number("rows"), self._number("proven_rows")
        self.unproven_rows = self._number("unproven_rows")
        self.unreadable, self.first_unreadable = self._unreadable()
        self.entries, self.checkpoint = self._number("entries"), self._text("checkpoint")
        self.is_snapshot: bool = field(found, "snapshot", bool, MANIFEST)
        self.from_at, self.until_at, self.as_of = map(self._moment, ("from_at", "until_at", "as_of"))
        if self.data_format not in ("exact", "spreadsheet", "jsonl"):
            raise Failed(f"{MANIFEST} names a form of {self.data} that this verifier does not know.")
        described: list[Any] = field(found, "columns", list, MANIFEST)
        self.columns = {field(one, "name", str, MANIFEST): one for one in described}
        if len(self.columns) < len(described):
            raise Failed(f"{MANIFEST} names a column twice.")
        self.files: dict[str, Any] = field(found, "files", dict, MANIFEST)

    def _text(self, name: str) -> str:
        return str(field(self._found, name, str, MANIFEST))

    def _number(self, name: str) -> int:
        return int(field(self._found, name, int, MANIFEST))

    def _moment(self, name: str) -> str:
        """A time as On Record writes it, so that times can be compared as texts; empty where none is named."""
        if self._found.get(name) is None:
            return ""
        found = self._text(name)
        if not STAMP.fullmatch(found):
            raise Failed(f"{MANIFEST} does not say {name} in the form that it must have.")
        return found

    def _unreadable(self) -> tuple[int, list[str]]:
        """How many entries could not be read when the export was made, and the keys of the first."""
        told = self._found.get("unreadable")
        if told is None:
            return 0, []
        first: list[Any] = field(told, "first", list, MANIFEST)
        return field(told, "entries", int, MANIFEST), [field(one, "entry_id", str, MANIFEST) for one in first]

    def complete_range(self) -> tuple[int, int] | None:
        between = self._found.get("complete_range")
        if between is None:
            return None
        return field(between, "first", int, MANIFEST), field(between, "last", int, MANIFEST)

    def since(self) -> tuple[int, bytes] | None:
        """Size and root of the earlier checkpoint from which the ledger only grew."""
        start = self._found.get("since")
        if start is None:
            return None
        return field(start, "size", int, MANIFEST), unhex(field(start, "root", str, MANIFEST), MANIFEST)

    def proven_columns(self) -> list[str]:
        return [name for name, one in self.columns.items() if field(one, "proven", bool, MANIFEST)]

    def witnessed(self) -> str:
        """Until when a witness has the ledger, by the word of the export."""
        told = self._found.get("witnessed")
        told = told if isinstance(told, dict) else {}
        if not told.get("size"):
            said = "It names no witness that has one."
        elif told.get("is_off_host") is True:
            said = f"Witnessed until {told.get('sealed_at')}, it says, off the machine of On Record."
        else:
            said = f"It names copies until {told.get('sealed_at')} on the machine of On Record itself: no witness."
        return f"Nothing but the export's own word is here for that. {said} {told.get('note') or ''}".strip()


def check_files(export: Export, manifest: Manifest) -> str:
    """Every file is byte for byte the one that manifest.json names, and there is no other."""
    told = manifest.files.keys() | {manifest.data, ENTRIES, PROOFS, CHECKPOINT}
    wrong = [f"{name} is missing from the export." for name in sorted(told - export.sizes.keys())]
    wrong += [
        f"{name} differs from the file that was exported: its size or its SHA-256 is not the one in {MANIFEST}."
        for name in sorted(manifest.files.keys() & export.sizes.keys())
        if not _is_the_file(export, name, manifest.files[name])
    ]
    others = sorted(export.sizes.keys() - manifest.files.keys() - {MANIFEST, SIGNATURE})
    foreign = told & set(others) if export.is_folder else others  # into a folder people put files of their own
    wrong += [f"{name} does not belong to the export: {MANIFEST} does not name it." for name in sorted(foreign)]
    if wrong:
        raise Failed(*wrong)
    beside = f" Not part of the export: {', '.join(others)}." if others else ""
    return f"All {len(manifest.files)} files are byte for byte those of the manifest.{beside}"


def is_another_verifier(export: Export) -> bool:
    """Whether the export brings another verify.py along than the one that runs."""
    return VERIFIER in export.sizes and export.whole(VERIFIER) != Path(__file__).read_bytes()


def _is_the_file(export: Export, name: str, told: Any) -> bool:
    size, sha256 = field(told, "bytes", int, MANIFEST), field(told, "sha256", str, MANIFEST)
    if export.sizes[name] != size:
        return False
    found = hashlib.sha256()
    for chunk in export.chunks(name):
        found.update(chunk)
    return bool(found.hexdigest() == sha256)


# -- 2. Signatures: Ed25519 (RFC 8032, section 5.1), in signed notes (https://c2sp.org/signed-note)

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]  # extended coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, xy = T/Z
NEUTRAL: Point = (0, 1, 1, 0)


def point_sum(one: Point, other: Point) -> Point:
    """Section 5.1.4."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_times(number: int, point: Point) -> Point:
    product = NEUTRAL
    while number:
        if number & 1:
            product = point_sum(product, point)
        point, number = point_sum(point, point), number >> 1
    return product


def point_of(encoded: bytes) -> Point | None:
    """Section 5.1.3; None for bytes that encode no point, or not in the one form they must have."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def encoded_point(point: Point) -> bytes:
    """Section 5.1.2."""
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


_BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Section 5.1.7, strictly: S below L, R and the key in their one form, and no key of small order."""
    key = point_of(public_key) if len(public_key) == 32 else None
    if (
        key is None
        or _BASE is None
        or len(signature) != 64
        or encoded_point(point_times(8, key)) == encoded_point(NEUTRAL)
    ):
        return False
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(r + public_key + message).digest(), "little") % L
    minus_key = (P - key[0], key[1], key[2], P - key[3])
    return encoded_point(point_sum(point_times(s, _BASE), point_times(k, minus_key))) == r


class Key(NamedTuple):
    name: str
    mark: bytes  # the four bytes by which a signature says whose it is
    public: bytes

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.public).hexdigest()


class Note(NamedTuple):
    text: str
    signatures: list[tuple[str, bytes]]


def unbase64(text: str, where: str) -> bytes:
    """Base64 in its one form: no line breaks, no bits to spare."""
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Failed(f"{where} holds what is not base64.") from error
    if base64.b64encode(found).decode() != text:
        raise Failed(f"{where} holds base64 in an unusual form.")
    return found


def read_key(manifest: Manifest) -> Key:
    """The verifier key of the manifest: name+mark+base64 of a 1, which stands for Ed25519, and the key."""
    where = f"The verifier key in {MANIFEST}"
    name, _, rest = manifest.verifier_key.partition("+")
    mark, _, encoded = rest.partition("+")
    found = unbase64(encoded, where)
    key = Key(name, hashlib.sha256(name.encode() + b"\n" + found).digest()[:4], found[1:])
    if len(found) != 33 or found[:1] != b"\x01" or mark != key.mark.hex():
        raise Failed(f"{where} is not an Ed25519 key, or its parts do not fit each other.")
    if (key.name, key.fingerprint) != (manifest.origin, manifest.fingerprint):
        raise Failed(f"{where}, its fingerprint and the origin do not fit each other.")
    return key


def read_note(content: bytes, where: str) -> Note:
    try:
        text, parting, lines = content.decode().rpartition("\n\n")
    except UnicodeDecodeError as error:
        raise Failed(f"{where} is not UTF-8 text.") from error
    found = [re.fullmatch("\u2014 ([^ +]+) ([A-Za-z0-9+/=]+)", line) for line in lines.split("\n")[:-1]]
    if not parting or not lines.endswith("\n") or None in found:
        raise Failed(f"{where} is not a signed note.")
    return Note(text + "\n", [(one[1], unbase64(one[2], where)) for one in found if one])


def check_signed(note: Note, key: Key, where: str) -> None:
    """Signatures of others are passed over, as a signed note may have them; ours must be there."""
    ours = [signature for name, signature in note.signatures if name == key.name and signature[:4] == key.mark]
    if not ours:
        raise Failed(f"{where} is not signed by the key {key.name}.")
    if not all(is_signed(key.public, note.text.encode(), signature[4:]) for signature in ours):
        raise Failed(f"The signature of {where} is not valid: the text or the signature was changed.")


def check_key(key: Key, told: str | None) -> str:
    """The key is the very one that the auditor was told of elsewhere."""
    if told is None:
        return f"The key is the one in the export itself. Its fingerprint is {key.fingerprint}"
    if told != key.fingerprint:
        raise Failed(
            f"The export is signed with another key than yours: its fingerprint is {key.fingerprint}, and you gave "
            f"{told}. Whoever signed it did not have your key."
        )
    return "The key is the one you gave."


def check_manifest(export: Export, manifest: Manifest, key: Key) -> str:
    note = read_note(export.whole(SIGNATURE), SIGNATURE)
    check_signed(note, key, SIGNATURE)
    if len(note.signatures) != 1:
        raise Failed(f"{SIGNATURE} has more than one signature.")
    if note.text != f"onrecord-export-manifest/v1\n{hashlib.sha256(manifest.content).hexdigest()}\n":
        raise Failed(f"{MANIFEST} is not the one that was signed: it was changed after the export.")
    return f"{MANIFEST} is signed with this key."


# -- 3. The tree (RFC 9162, section 2.1)


class Checkpoint(NamedTuple):
    origin: str
    size: int
    root: bytes


def read_checkpoint(note: Note, where: str) -> Checkpoint:
    lines = note.text.split("\n")
    if len(lines) != 4 or not re.fullmatch("0|[1-9][0-9]{0,17}", lines[1]) or len(unbase64(lines[2], where)) != 32:
        raise Failed(f"{where} is not a checkpoint: an origin, a size and a root.")
    return Checkpoint(lines[0], int(lines[1]), unbase64(lines[2], where))


def check_checkpoint(export: Export, manifest: Manifest, key: Key) -> Checkpoint:
    note = read_note(export.whole(CHECKPOINT), CHECKPOINT)
    check_signed(note, key, CHECKPOINT)
    checkpoint = read_checkpoint(note, CHECKPOINT)
    if (checkpoint.origin, checkpoint.size) != (manifest.origin, manifest.tree_size):
        raise Failed(f"{CHECKPOINT} is of another ledger or of another size than {MANIFEST} says.")
    if export.whole(CHECKPOINT) != manifest.checkpoint.encode(errors="replace"):
        raise Failed(f"{CHECKPOINT} is another one than {MANIFEST} has.")
    return checkpoint


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that grows from left to right; kept are the roots of the complete subtrees without a right sibling yet."""

    def __init__(self) -> None:
        self.size = 0
        self._waiting: list[tuple[int, bytes]] = []

    def add(self, level: int, digest: bytes) -> None:
        """The root of a complete subtree of 2**level leaves, which come next; a leaf is one of level 0."""
        self.size += 1 << level
        while self._waiting and self._waiting[-1][0] == level:
            level, digest = level + 1, node_hash(self._waiting.pop()[1], digest)
        self._waiting.append((level, digest))

    def add_gap(self, stop: int, nodes: list[Any]) -> None:
        """The leaves up to `stop`, which are not in the export: the fewest complete subtrees that hold them."""
        for node in nodes:
            level = largest_level(self.size, stop)
            if level < 0:
                raise Failed(f"{PROOFS} has more hashes than belong there.")
            self.add(level, unhex(node, PROOFS))
        if self.size != stop:
            raise Failed(f"{PROOFS} has fewer hashes than belong there, or its ranges are not in order.")

    def root(self) -> bytes:
        roots = [digest for _, digest in self._waiting]
        if not roots:
            return hashlib.sha256(b"").digest()
        root = roots.pop()
        while roots:
            root = node_hash(roots.pop(), root)
        return root


def largest_level(start: int, stop: int) -> int:
    """Of the largest complete subtree that begins at `start` and ends at `stop` or before; -1 if there is none."""
    length = max(stop - start, 0)
    level = length.bit_length() - 1
    return min(level, (start & -start).bit_length() - 1) if start and length else level


# -- 4. The entries


class Clock:
    """When entries say that they were written: by their keys, which begin with milliseconds, and by `recorded_at`.

    Both grow with the places, since entries are sealed soon after. What whoever may write puts in with an older time
    gets a later place all the same.
    """

    def __init__(self) -> None:
        self.late: list[int] = []
        self.count_late = 0
        self.newest = (0, 0)
        self.recorded: tuple[str, str] = ("", "")

    def see(self, place: int, entry: dict[str, Any]) -> None:
        recorded_at = str(entry.get("recorded_at"))
        moments = key_milliseconds(str(entry.get("id"))), _milliseconds(recorded_at)
        if any(moment + LATE_MILLISECONDS < newest for moment, newest in zip(moments, self.newest)):
            self.count_late += 1
            self.late += [place] if len(self.late) < MOST_TOLD else []
        self.newest = max(moments[0], self.newest[0]), max(moments[1], self.newest[1])
        first, last = self.recorded
        self.recorded = min(first or recorded_at, recorded_at), max(last, recorded_at)

    def said(self) -> str:
        places = ", ".join(map(str, self.late)) + (" ..." if self.count_late > len(self.late) else "")
        return (
            f"Recorded late or backdated: {self.count_late:,} entries say by their key or their recorded_at that they "
            f"are more than 10 minutes older than an entry before them; their places: {places}. Only the place tells "
            f"when an entry came into the ledger. An entry that was dated ahead makes those behind it look late, too."
        )


def key_milliseconds(key: str) -> int:
    """Since 1970, as a UUIDv7 begins with them; 0 for another id, which On Record never gives."""
    return int(key[:8] + key[9:13], 16) if KEY.fullmatch(key) else 0


def _milliseconds(stamp: str) -> int:
    """Since 1970; 0 for what is no time."""
    try:
        return int(datetime.fromisoformat(f"{stamp[:-1]}+00:00").timestamp() * 1000) if STAMP.fullmatch(stamp) else 0
    except (ValueError, OverflowError):
        return 0


class Covered(NamedTuple):
    """Which places of the ledger the export's entries have."""

    entries: int
    runs: int
    first: int
    last: int
    clock: Clock


class Store:
    """The entries by their ids, in a temporary database that vanishes when it is closed: memory stays small."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA cache_size = -8000")
        self._database.execute("CREATE TABLE entries (id TEXT PRIMARY KEY, place INTEGER, has_row INTEGER, line BLOB)")
        self._database.execute("CREATE TABLE strays (id TEXT PRIMARY KEY)")
        self._database.execute("BEGIN")

    def put(self, key: str, place: int, line: bytes) -> None:
        try:
            self._database.execute("INSERT INTO entries VALUES (?, ?, 0, ?)", (key, place, line))
        except sqlite3.IntegrityError as error:
            raise Failed(f"{ENTRIES} holds the entry {key} twice.") from error

    def take(self, key: str) -> tuple[int, bool, bytes] | None:
        """Place, whether it was taken before, and the entry."""
        found = self._database.execute("SELECT place, has_row, line FROM entries WHERE id = ?", (key,)).fetchone()
        if found is None:
            return None
        self._database.execute("UPDATE entries SET has_row = 1 WHERE id = ?", (key,))
        return found[0], bool(found[1]), found[2]

    def is_new_stray(self, key: str) -> bool:
        """Whether this is the first row that names this entry, which is not in the export."""
        return self._database.execute("INSERT OR IGNORE INTO strays VALUES (?)", (key,)).rowcount == 1

    def left(self) -> tuple[int, str]:
        """How many were never taken, and the first of them."""
        query = "SELECT count(*), min(place), id FROM entries WHERE NOT has_row"
        count, _, key = self._database.execute(query).fetchone()
        return count, key


def check_entries(export: Export, manifest: Manifest, checkpoint: Checkpoint, store: Store) -> Covered:
    """Every entry is at its place under the checkpoint: entries and hashes together lead to the signed root."""
    tree, lines, covered = Tree(), export.lines(ENTRIES), Covered(0, 0, 0, -1, Clock())
    for first, last, nodes in _ranges(export, checkpoint.size):
        tree.add_gap(first, nodes)
        for place in range(first, last + 1):
            line = next(lines, b"")
            entry = entry_of(line, place)
            store.put(entry["id"], place, line[:-1])
            covered.clock.see(place, entry)
            tree.add(0, hashlib.sha256(b"\x00" + line[:-1]).digest())
        if first <= last:
            start = covered.first if covered.runs else first
            covered = Covered(covered.entries + last - first + 1, covered.runs + 1, start, last, covered.clock)
    if next(lines, None) is not None:
        raise Failed(f"{ENTRIES} has more entries than {PROOFS} gives places to: an entry was added.")
    if tree.root() != checkpoint.root:
        raise Failed(
            f"The entries are not those of the ledger: with the hashes in {PROOFS} they lead to another root than the "
            f"one that was signed. At least one of them was changed, added, dropped or moved."
        )
    check_complete(manifest, covered)
    if covered.entries != manifest.entries:
        raise Failed(f"{ENTRIES} has {covered.entries} entries, and {MANIFEST} says {manifest.entries}.")
    return covered


def check_complete(manifest: Manifest, covered: Covered) -> None:
    told = manifest.complete_range()
    if told and manifest.sheet != "ledger":
        raise Failed(f"{MANIFEST} calls a stretch complete, which On Record does for the ledger's own rows only.")
    if told and (covered.runs, covered.first, covered.last) != (1, *told):
        raise Failed(
            f"{MANIFEST} says that every entry from place {told[0]} to place {told[1]} is in the export, and that is "
            f"not so: an entry was dropped."
        )


def _ranges(export: Export, size: int) -> Iterator[tuple[int, int, list[Any]]]:
    """First and last place of each run of entries with the hashes before it; at last an empty run, at the end."""
    lines = export.lines(PROOFS)
    header, free = parsed(next(lines, b""), PROOFS), 0
    if field(header, "size", int, PROOFS) != size:
        raise Failed(f"{PROOFS} is for a ledger of another size than {CHECKPOINT}.")
    for line in lines:
        one = parsed(line, PROOFS)
        nodes: list[Any] = field(one, "nodes", list, PROOFS)
        if "first" not in one:
            if next(lines, None) is not None:
                raise Failed(f"{PROOFS} goes on behind its last line.")
            yield size, size - 1, nodes
            return
        first, last = field(one, "first", int, PROOFS), field(one, "last", int, PROOFS)
        if not free <= first <= last < size:
            raise Failed(f"{PROOFS} has places that are out of order or outside the ledger.")
        yield first, last, nodes
        free = last + 2
    raise Failed(f"{PROOFS} is cut: its last line is missing.")


def entry_of(line: bytes, place: int) -> dict[str, Any]:
    """The entry. Raises Failed unless its text is in the one form of docs/ledger.md, so that no reader differs."""
    if not line.endswith(b"\n"):
        raise Failed(f"{ENTRIES} is cut: the entry at place {place} of the ledger is missing or incomplete.")
    where = f"The entry at place {place} in {ENTRIES}"
    body = parsed(line[:-1], where)
    for name, value in body.items():
        is_number = type(value) is int and abs(value) < 2**53
        if not (name.isascii() and (value is None or is_number or isinstance(value, (str, bool)))):
            raise Failed(f"{where} holds what no entry may hold.")
    written = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    if written.encode(errors="replace") != line[:-1]:
        raise Failed(f"{where} is not in its canonical form.")
    field(body, "id", str, where)
    return body


# -- 5. The rows

PLACE, BODY, LATER = "$index", "$body", "$arrived_later"


def _columns(words: str) -> dict[str, tuple[str, ...]]:
    """Columns and their facts: `column=fact`, or one word where both have one name; `column=` has none."""
    pairs = [word.split("=") for word in words.split()]
    return {pair[0]: tuple(fact for fact in pair[-1].split("|") if fact) for pair in pairs}


def _snapshot(words: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(words.split(), ())


# Every sheet with all its columns in their order, and which fact of an entry fills which column; of `one|other` the
# first that says something. What no fact fills, such as the names of people, cannot be proven. This list is the
# verifier's own, so that nobody who signs a manifest can call a changed cell unproven, under its name or another.
SHEETS = {
    "history": _columns(
        """
        entry_id=id recorded_at occurred_at event= action call_id=call call_chain_id tenant_id=tenant_id|tenant
        operation_id=operation graph_operation_id client_context bulk_job=job
        field old new source
        requested_status operation_status=status attempt is_repeat outcome http_status
        error_code=error_code|result_code message=message|result_message request_id client_request_id
        actor_kind= actor= reason why=why|needs_approval_why evidence evidence_sha256=file_sha256
        finding_id=finding finding_rule=rule finding_subject=subject recorder severity assignee=
        put_off_until=wakes_after resolution root_cause from_at until_at clock_milliseconds=milliseconds
        """
    ),
    "calls": _snapshot(
        """
        call_id call_chain_id scenario_id tenant_id recorder direction subject recorded_user_id recorded_user_name
        organizer_id organizer_name is_policy_call capture_state capture_at recording_status recording_status_at
        recording_status_source call_state established_at ended_at gone_at result_code result_subcode result_message
        open_findings created_at last_signal_at blind_spots clock_skews
        """
    ),
    "operations": _snapshot(
        """
        operation_id call_id call_chain_id tenant_id requested_status operation_status graph_operation_id
        client_context result_code result_subcode result_message requested_by_kind requested_by requested_at reason
        needs_approval_why approved_by approved_at evidence expires_after sent_at status_at finished_at attempts
        repeats request_ids blind_spots clock_skews
        """
    ),
    "findings": _snapshot(
        """
        finding_id rule rule_name severity subject subject_name call_chain_id since_at opened_at reopened_at
        acknowledged_at acknowledged_by assignee put_off_until resolved_at resolved_by resolution root_cause reason
        evidence evidence_sha256
        """
    ),
    "ledger": _columns(
        """
        index=$index entry_id=id recorded_at occurred_at event= action actor_id=actor actor_kind= actor=
        call_id=call operation_id=operation finding_id=finding body=$body
        """
    ),
}
AS_OF = _columns("arrived_later=$arrived_later")
# As of a moment of the past these are worked out anew from the ledger's entries: other columns, and no proof either.
PAST = {
    "calls": _snapshot(
        """
        call_id call_chain_id tenant_id capture_state capture_since recording_status recording_status_since
        recording_status_source call_state established_at ended_at gone_at open_findings known_then arrived_later
        """
    ),
    "operations": _snapshot(
        """
        operation_id call_id call_chain_id tenant_id requested_status operation_status graph_operation_id
        client_context result_code result_message requested_by_kind requested_by requested_at reason needs_approval_why
        approved_by approved_at evidence sent_at finished_at attempts repeats request_ids known_then arrived_later
        """
    ),
    "findings": _snapshot(
        """
        finding_id rule rule_name severity subject subject_name call_chain_id since_at opened_at reopened_at
        acknowledged_at acknowledged_by assignee put_off_until resolved_at resolved_by resolution root_cause reason
        evidence evidence_sha256 known_then arrived_later
        """
    ),
}
# Of the history: what is told of the time that was asked for, whenever it was recorded.
WHENEVER = ("blindSpot.opened", "blindSpot.closed", "clock.skewed", "clock.right")

# A spreadsheet runs a cell that begins with one of these signs, behind whatever it does not show; such a cell has an
# apostrophe in front. Numbers and phone numbers stay as they are.
_UNSEEN = r"\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2060\ufeff"
_SIGN = r"=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
_NUMBER = r"[+-][0-9]+(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?"
_PHONE = r"\+[0-9][0-9 .()\u00a0\u202f]*"
_HARMLESS = re.compile(rf"[{_UNSEEN}]*(?:{_NUMBER}|{_PHONE})\s*")
_RISKY = re.compile(rf"(?:\A|(?<=[;\t\r\n]))(?=[{_UNSEEN}]*[{_SIGN}])")
_CONTROLS = ("\t", "\r", "\n", "\x00")


def cell_of(value: Any, data_format: str) -> Any:
    """A fact as the data file writes it: JSON Lines as it is, CSV as text, for spreadsheets so that nothing runs."""
    if value in (None, ""):
        return None if data_format == "jsonl" else ""
    if data_format == "jsonl":
        return value
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return neutralised(text) if data_format == "spreadsheet" else text


def neutralised(text: str) -> str:
    if _HARMLESS.fullmatch(text) and not text.startswith(_CONTROLS):
        return text
    return _RISKY.sub("'", f"'{text}" if text.startswith(_CONTROLS) else text)


def columns_of(manifest: Manifest) -> dict[str, tuple[str, ...]]:
    """The columns of the sheet, each with its facts. Raises Failed unless the manifest describes that very sheet."""
    sheet, known = manifest.sheet, SHEETS.get(manifest.sheet)
    if known is None:
        raise Failed(f"{MANIFEST} names a sheet that On Record does not have: {_short(sheet)}.")
    data = f"{sheet}.{'jsonl' if manifest.data_format == 'jsonl' else 'csv'}"
    if manifest.data != data:
        raise Failed(f"{MANIFEST} names {_short(manifest.data)} as the rows, and On Record calls that file {data}.")
    if manifest.is_snapshot is any(known.values()):
        raise Failed(f"{MANIFEST} says wrongly whether {manifest.data} is a snapshot without proof.")
    if manifest.as_of:
        known = PAST.get(sheet, {**known, **AS_OF})
    if wrong := _wrong_columns(manifest, known):
        raise Failed(*wrong)
    return known


def _wrong_columns(manifest: Manifest, known: dict[str, tuple[str, ...]]) -> list[str]:
    named, proven_names = list(manifest.columns), manifest.proven_columns()
    faults = {
        f"{MANIFEST} names columns that {manifest.sheet} does not have": [one for one in named if one not in known],
        f"{MANIFEST} leaves out columns that {manifest.sheet} has": [one for one in known if one not in named],
        f"{MANIFEST} says of these columns wrongly whether they are proven": [
            one for one in named if one in known and (one in proven_names) is not bool(known[one])
        ],
    }
    wrong = [f"{fault}: {', '.join(sorted(odd))}." for fault, odd in faults.items() if odd]
    if not wrong and named != list(known):
        wrong = [f"{MANIFEST} has the columns of {manifest.sheet} in another order than On Record."]
    return wrong


class Rows:
    """The rows of the data file against the entries."""

    def __init__(self, manifest: Manifest, store: Store, newest_key: int) -> None:
        self.proven = self.unproven = self.overdue = 0
        self.first_unproven = ""
        self._manifest, self._store, self._newest_key = manifest, store, newest_key
        known = columns_of(manifest)
        self._names = list(known)
        self._sources = {name: facts for name, facts in known.items() if facts}

    def faults(self, cells: list[Any]) -> list[str]:
        """What is wrong with one row."""
        if len(cells) != len(self._names):
            return [f"it has {len(cells)} cells instead of {len(self._names)}"]
        if self._manifest.is_snapshot:
            self.unproven += 1
            return []
        row = dict(zip(self._names, cells))
        key = str(row["entry_id"])
        found = self._store.take(key)
        if found is None:
            return self._stray(row, key)
        place, is_repeated, line = found
        if is_repeated:
            return [f"it repeats the entry {key}, which has a row already: a row was added"]
        self.proven += 1
        return self._differences(row, place, line)

    def _stray(self, row: dict[str, Any], key: str) -> list[str]:
        """A row whose entry is not in the export: it proves nothing, and may not look as if it did."""
        self.unproven += 1
        self.first_unproven = self.first_unproven or key
        self.overdue += key_milliseconds(key) + LATE_MILLISECONDS < self._newest_key
        if not KEY.fullmatch(key):
            return [f"its entry_id {_short(key)} is none that On Record gives: a row was added"]
        if row.get("index") not in (None, ""):
            return [f"it names a place, {_short(row['index'])}, and its entry is not in {ENTRIES}"]
        if not self._store.is_new_stray(key):
            return [f"it repeats the entry {key}, which has a row already: a row was added"]
        return []

    def _differences(self, row: dict[str, Any], place: int, line: bytes) -> list[str]:
        body = {**json.loads(line), PLACE: place, BODY: line.decode()}
        body[LATER] = str(body.get("recorded_at")) > self._manifest.as_of
        found = self._out_of_time(body)
        for name, facts in self._sources.items():
            fact = next((body[one] for one in facts if body.get(one) not in (None, "")), None)
            expected, cell = cell_of(fact, self._manifest.data_format), row[name]
            if type(cell) is not type(expected) or cell != expected:
                found.append(f"{name} is {_short(cell)}, and its entry {body['id']} says {_short(expected)}")
        return found

    def _out_of_time(self, body: dict[str, Any]) -> list[str]:
        """Whether the entry is of the time that the manifest names. Times of one form compare as texts."""
        manifest, recorded_at, occurred_at = self._manifest, str(body.get("recorded_at")), str(body.get("occurred_at"))
        found = []
        is_within = manifest.from_at <= recorded_at and (not manifest.until_at or recorded_at < manifest.until_at)
        if not is_within and not (manifest.sheet == "history" and body.get("action") in WHENEVER):
            found.append(f"it was recorded at {_short(recorded_at)}, outside of the time that {MANIFEST} names")
        if manifest.as_of and manifest.as_of < min(recorded_at, occurred_at):
            found.append(f"it is younger than the moment as of which {MANIFEST} has the rows")
        return found

    def counted(self) -> list[str]:
        """What is wrong with the number of rows."""
        wrong, manifest = [], self._manifest
        left, first = (0, "") if manifest.is_snapshot else self._store.left()
        if left:
            wrong.append(
                f"A row was dropped from {manifest.data}: {left} of the entries, the first {first}, have none."
            )
        if self.unproven != manifest.unproven_rows:
            wrong.append(
                f"{manifest.data} has {self.unproven} rows without an entry in {ENTRIES}, and {MANIFEST} says "
                f"{manifest.unproven_rows}: a row was added or dropped, or an entry was taken away."
            )
        if (self.proven, self.proven + self.unproven) != (manifest.proven_rows, manifest.rows):
            wrong.append(
                f"{manifest.data} has {self.proven + self.unproven} rows, {self.proven} of them with an entry; "
                f"{MANIFEST} says {manifest.rows} and {manifest.proven_rows}."
            )
        return wrong


def check_rows(export: Export, manifest: Manifest, covered: Covered, store: Store) -> Rows:
    """Every proven cell says what its entry says, every entry has one row, and rows without an entry are counted."""
    rows, wrong = Rows(manifest, store, covered.clock.newest[0]), []
    for number, cells in enumerate(_cells(export, manifest), start=1):
        wrong += [
            f"Row {number} of {manifest.data} is not as the ledger has it: {fault}." for fault in rows.faults(cells)
        ]
        if len(wrong) >= MOST_TOLD:
            raise Failed(*wrong, "What follows was not compared.")
    wrong += rows.counted()
    if wrong:
        raise Failed(*wrong)
    return rows


def _cells(export: Export, manifest: Manifest) -> Iterator[list[Any]]:
    names = list(manifest.columns)
    if manifest.data_format == "jsonl":
        for line in export.lines(manifest.data):
            row = parsed(line, manifest.data)
            if list(row) != names:
                raise Failed(f"{manifest.data} has a row with other columns than {MANIFEST} names.")
            yield list(row.values())
        return
    records = _records(export, manifest.data)
    header = next(records, b"")
    mark = b"\xef\xbb\xbf" if manifest.data_format == "spreadsheet" else b""
    if not header.startswith(mark) or _split(header[len(mark) :], manifest.data) != names:
        raise Failed(f"{manifest.data} does not begin with the columns that {MANIFEST} names.")
    for record in records:
        yield _split(record, manifest.data)


def _records(export: Export, name: str) -> Iterator[bytes]:
    """The records of a CSV file; a line break between quotes is inside a cell."""
    parts: list[bytes] = []
    length = quotes = 0
    for line in export.lines(name):
        parts.append(line)
        length, quotes = length + len(line), quotes + line.count(b'"')
        if quotes % 2 == 0:
            yield b"".join(parts)
            parts, length, quotes = [], 0, 0
        elif length > LONGEST_LINE:
            raise Failed(f"{name} has a row longer than any that On Record writes.")
    if parts:
        raise Failed(f"{name} is cut: it ends inside a cell.")


def _split(record: bytes, name: str) -> list[str]:
    if not record.endswith(b"\r\n"):
        raise Failed(f"{name} is cut, or was written by another program: a row does not end as On Record's do.")
    try:
        (cells,) = csv.reader([record[:-2].decode()], strict=True)
    except (csv.Error, ValueError) as error:
        raise Failed(f"{name} is not CSV as On Record writes it: {error}.") from error
    return cells


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 80 else f"{text[:76]}..."


# -- 6. An earlier checkpoint


def check_since(export: Export, manifest: Manifest, checkpoint: Checkpoint) -> str:
    """The ledger only grew since the earlier checkpoint that the manifest names."""
    since = manifest.since()
    if since is None:
        raise Failed(f"{CONSISTENCY} is there, and {MANIFEST} names no earlier checkpoint that it starts from.")
    earlier = Checkpoint(checkpoint.origin, *since)
    nodes = _nodes_from(export, earlier.size)
    is_proven = nodes is not None and earlier.size < checkpoint.size and is_consistent(earlier, checkpoint, nodes)
    if earlier != checkpoint and not is_proven:
        raise Failed(
            f"{CONSISTENCY} does not show that the ledger only grew since the earlier checkpoint that {MANIFEST} names."
        )
    return (
        f"The ledger has only grown since a checkpoint at size {earlier.size}, as {MANIFEST} has it: its root is "
        f"{earlier.root.hex()}. Compare it with yours, or give yours with --earlier."
    )


def check_earlier(export: Export, checkpoint: Checkpoint, key: Key, path: Path) -> str:
    """The ledger of an earlier checkpoint is the beginning of the one of this export."""
    where = f"the earlier checkpoint {path}"
    note = read_note(_earlier(path), where)
    earlier = read_checkpoint(note, where)
    if earlier.origin != checkpoint.origin:
        raise Failed(f"{where} is of another ledger, {earlier.origin}.")
    is_ours = any(signature[:4] == key.mark for _, signature in note.signatures)
    if is_ours:
        check_signed(note, key, where)
    if not _is_beginning(export, earlier, checkpoint):
        raise Failed(
            f"The ledger was rewritten: what it held at size {earlier.size}, as your earlier checkpoint has it, is not "
            f"the beginning of what it holds at size {checkpoint.size}."
        )
    told = f"The ledger has only grown since your earlier checkpoint at size {earlier.size}."
    return told if is_ours else f"{told} That one is signed with another key, which was not checked here."


def _earlier(path: Path) -> bytes:
    """The checkpoint itself, or that of an earlier export."""
    try:
        if path.is_dir() or zipfile.is_zipfile(path):
            return Export(path).whole(CHECKPOINT)
        with path.open("rb") as stream:
            return stream.read(LONGEST_FILE)
    except OSError as error:
        raise Failed(f"The earlier checkpoint {path} cannot be read: {error}.") from error


def _is_beginning(export: Export, earlier: Checkpoint, checkpoint: Checkpoint) -> bool:
    if earlier.size > checkpoint.size:
        raise Failed(
            f"Your earlier checkpoint is at size {earlier.size}, and this export's at {checkpoint.size}: either this "
            f"export is the older of the two, or the ledger was rewound."
        )
    if earlier.size == checkpoint.size:
        return earlier.root == checkpoint.root
    nodes = _nodes_from(export, earlier.size)
    if nodes is None:
        raise Unanswered(
            f"The export holds no proof from your earlier checkpoint, which is at size {earlier.size}. Ask for an "
            f"export since that checkpoint."
        )
    return is_consistent(earlier, checkpoint, nodes)


def _nodes_from(export: Export, size: int) -> list[bytes] | None:
    """The proof that begins at a ledger of that size, if the export holds one."""
    found = parsed(export.whole(CONSISTENCY), CONSISTENCY) if CONSISTENCY in export.sizes else {}
    start = found.get("from")
    if not isinstance(start, dict) or field(start, "size", int, CONSISTENCY) != size:
        return None
    return [unhex(node, CONSISTENCY) for node in field(found, "nodes", list, CONSISTENCY)]


def is_consistent(old: Checkpoint, new: Checkpoint, nodes: list[bytes]) -> bool:
    """RFC 9162, section 2.1.4.2, for a new tree that is larger than the old one."""
    if old.size == 0:
        return not nodes and old.root == Tree().root()
    if old.size & (old.size - 1) == 0:
        nodes = [old.root, *nodes]
    if not nodes:
        return False
    at, last = old.size - 1, new.size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old_root = new_root = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old_root, new_root = node_hash(node, old_root), node_hash(node, new_root)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new_root = node_hash(new_root, node)
        at, last = at >> 1, last >> 1
    return last == 0 and (old_root, new_root) == (old.root, new.root)


# -- 7. What is reported


def check_readable(manifest: Manifest) -> None:
    """The ledger had no entry whose text somebody made unreadable."""
    if manifest.unreadable:
        named = ", ".join(manifest.first_unreadable[:MOST_TOLD]) + (" ..." if manifest.unreadable > MOST_TOLD else "")
        raise Altered(
            f"{manifest.unreadable:,} of the ledger's entries could not be read when this export was made: somebody "
            f"altered the database. Their ids: {named}. What they said is not in it: their rows, if it has any, hold "
            f"nothing that is proven. Have the ledger verified."
        )


class Report:
    """Tells what was checked, and goes on behind a check that failed: `with report:` around each."""

    def __init__(self) -> None:
        self.failures = self.alterations = self.unanswered = 0
        self.proves_rows = True

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: object, trace: object) -> bool:
        if not isinstance(error, Failed):
            return False
        for sentence in error.sentences:
            self.failures += 1
            self.alterations += isinstance(error, Altered)
            self.unanswered += isinstance(error, Unanswered)
            self.tell(sentence, "FAILED  ")
        return True

    def tell(self, text: str, mark: str = "ok      ") -> None:
        """A sentence, wrapped; what could steer a terminal is shown as a code."""
        plain = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
        print(textwrap.fill(plain, 100, initial_indent=mark, subsequent_indent=" " * len(mark)))

    def conclude(self) -> int:
        print()
        if self.failures and self.failures == self.alterations:
            self.tell(
                "The export is as On Record made it, and what is proven above is proven. The ledger was altered.",
                "FAILED: ",
            )
        elif self.failures and self.failures == self.unanswered:
            self.tell(
                "Nothing is wrong with what was checked, but this export has no answer to your question about an "
                "earlier checkpoint.",
                "FAILED: ",
            )
        elif self.failures:
            self.tell(
                "This export is not as On Record made it, or it is damaged. Keep it, and ask for another.", "FAILED: "
            )
        elif self.proves_rows:
            self.tell("Every check passed, within the limits above.", "PASSED: ")
        else:
            self.tell("Every check passed, within the limits above; no row is proven.", "PASSED: ")
        return 1 if self.failures else 0

    def under(self, heading: str, sentences: list[str]) -> None:
        print(f"\n{heading}")
        for sentence in sentences:
            self.tell(sentence, "- ")


def verify(export: Export, told_key: str | None, earlier: Path | None, store: Store, report: Report) -> None:
    """Make every check, tell of each, and say at last what is proven and what is not."""
    manifest = Manifest(export.whole(MANIFEST))
    key = read_key(manifest)
    checkpoint = covered = rows = None
    with report:
        report.tell(check_key(key, told_key), "ok      " if told_key else "note    ")
    with report:
        report.tell(check_manifest(export, manifest, key))
    with report:
        report.tell(check_files(export, manifest))
        if is_another_verifier(export):
            report.tell(
                f"The {VERIFIER} in the export is not this one: it is of another version, or was changed. Do not run "
                f"it unless you read it.",
                "note    ",
            )
    with report:
        checkpoint = check_checkpoint(export, manifest, key)
        report.tell(f"The checkpoint, at {checkpoint.size:,} entries, is signed with this key.")
    with report:
        if checkpoint:
            covered = check_entries(export, manifest, checkpoint, store)
            report.tell(f"{covered.entries:,} entries are in the ledger under this checkpoint, each at its place.")
            if covered.clock.count_late:
                report.tell(covered.clock.said(), "note    ")
    with report:
        if covered:
            rows = check_rows(export, manifest, covered, store)
            report.proves_rows = rows.proven > 0
            if rows.proven:
                report.tell(f"{rows.proven:,} rows of {manifest.data} say in every proven cell what their entries say.")
            else:
                report.tell(f"No row of {manifest.data} is proven.", "note    ")
    with report:
        if checkpoint and (manifest.since() or CONSISTENCY in export.sizes):
            report.tell(check_since(export, manifest, checkpoint), "note    ")
    with report:
        if checkpoint and earlier:
            report.tell(check_earlier(export, checkpoint, key, earlier))
    if report.failures > report.unanswered or not covered or not rows:
        return
    report.under("What this proves", proven(manifest, covered, rows))
    report.under("What this does not prove", not_proven(manifest, told_key, covered, rows))
    with report:
        check_readable(manifest)


def proven(manifest: Manifest, covered: Covered, rows: Rows) -> list[str]:
    found = [f"The files are those that the holder of the key {manifest.origin} exported."]
    if rows.proven:
        found.append(
            f"{rows.proven:,} rows of {manifest.data} are genuine: every proven cell says what an entry of the ledger "
            f"says, and that entry was in the ledger when the checkpoint was signed."
        )
    elif covered.entries:
        found.append(f"The {covered.entries:,} entries in {ENTRIES} are genuine.")
    if manifest.complete_range():
        found.append(
            f"No entry is missing from place {covered.first:,} to place {covered.last:,} of the ledger: every one of "
            f"them is in this export. By their own word they were recorded from {covered.clock.recorded[0]} to "
            f"{covered.clock.recorded[1]}. What stands before and behind is not in it."
        )
    return found


def not_proven(manifest: Manifest, told_key: str | None, covered: Covered, rows: Rows) -> list[str]:
    found = []
    if not told_key:
        found.append(
            "Whose key it is. It was taken from the export itself, and anybody can sign with a key of their own. "
            "Compare its fingerprint with the one you have from elsewhere, or give that one with --key."
        )
    if not manifest.complete_range():
        found.append(
            "That no row is missing. The entries are a selection from the ledger, so they cannot show it; only an "
            "export of the ledger in which every place of a stretch is present does."
        )
    elif (covered.first, covered.last) != (0, manifest.tree_size - 1):
        found.append(
            f"That the stretch holds all of the time which {MANIFEST} names: whoever signed it can have cut it short "
            f"at either end. The entries just before and behind it would tell; ask for a longer one."
        )
    if manifest.is_snapshot:
        moment = (
            f"at {manifest.as_of}, as On Record worked it out from its ledger" if manifest.as_of else "at the export"
        )
        found.append(f"What {manifest.data} says: it is a snapshot, not proven, of how things stood {moment}.")
    elif unproven := sorted(manifest.columns.keys() - set(manifest.proven_columns())):
        found.append(
            f"These columns, which the entries do not hold (names, labels): {', '.join(unproven)}. Whoever signed the "
            f"export can have written anything there; where event and action disagree, action is proven."
        )
    if beside := sorted(manifest.files.keys() - COMPARED - {manifest.data}):
        found.append(f"These files, which are signed as they are but compared with nothing: {', '.join(beside)}.")
    found.append(
        f"What else {MANIFEST} says: which filter chose the rows, the zone, what columns mean, who asked and why, how "
        f"fresh it is, blind spots and clocks. Only whoever signed it vouches for that."
    )
    if rows.unproven and not manifest.is_snapshot:
        found.append(
            f"{rows.unproven:,} rows, from the one of entry {rows.first_unproven} on: their entries were not sealed "
            f"yet, could not be read, or never were in the ledger. Ask for a later export of the same rows."
        )
    if rows.overdue:
        found.append(
            f"{rows.overdue:,} of these rows call themselves more than 10 minutes older than entries that were sealed. "
            f"On Record would have sealed them, too: somebody may have taken their entries out to change the rows."
        )
    found.append(
        "That what people and systems told On Record was true when it was written down, or was written at the time it "
        "names: whoever may write to the ledger chooses an entry's times, and only its place comes from sealing."
    )
    found.append(
        "That this is the only ledger: who holds the key can sign another one. Compare checkpoints that were kept "
        "elsewhere: --earlier does."
    )
    found.append(
        f"That nobody altered an entry before a checkpoint over it left On Record's server. {manifest.witnessed()}"
    )
    return found


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(1, f"{message}. Nothing was checked.\n{self.format_usage()}")


def _fingerprint(text: str) -> str:
    """64 hexadecimal digits, however they are grouped."""
    found = re.sub(r"[\s:]", "", text).lower()
    if not re.fullmatch("[0-9a-f]{64}", found):
        raise argparse.ArgumentTypeError("a fingerprint has 64 hexadecimal digits")
    return found


def _asked(words: list[str]) -> argparse.Namespace:
    parser = Parser(prog="verify.py", description="Check an export of On Record without On Record.")
    own_folder = Path(__file__).resolve().parent
    parser.add_argument(
        "export", nargs="?", type=Path, default=own_folder, help="ZIP or folder; this folder if left out"
    )
    parser.add_argument("--key", type=_fingerprint, help="the fingerprint of the ledger's key, from elsewhere")
    parser.add_argument("--earlier", type=Path, help="checkpoint.txt of an earlier export, or that export")
    asked = parser.parse_args(words)
    for path in (asked.export, asked.earlier):
        if path and not os.path.exists(path):
            parser.error(f"there is no file or folder {path}")
    return asked


def main(words: list[str]) -> int:
    """0 if every check passed, 1 otherwise."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    csv.field_size_limit(LONGEST_LINE)
    report = Report()
    asked = _asked(words)
    with report, closing(sqlite3.connect("", isolation_level=None)) as database:
        verify(Export(asked.export), asked.key, asked.earlier, Store(database), report)
    return report.conclude()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("Stopped. Nothing is proven.")
    except (OSError, sqlite3.Error) as error:
        sys.exit(f"FAILED  The report or a temporary file cannot be written: {error}. Nothing is proven.")
