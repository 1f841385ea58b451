"""Exports made without the product, by a second, plain implementation of the format; and ways to forge them.

Nothing here is quick: the tree is the recursion of RFC 9162 as it stands there.
"""

import base64
import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import recordings
from recordings import exports

VERIFIER = Path(recordings.__file__).parent / "exports" / "verifier" / "verify.py"
ORIGIN = "onrecord.example/ledger"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))

type Body = dict[str, str | int | bool | None]
type Row = dict[str, Any]

type Columns = dict[str, tuple[str, ...]]

# The columns of the product, each with the facts of a body that fill it.
SHEETS: dict[str, Columns] = {
    sheet.name: {column.name: column.facts for column in sheet.columns} for sheet in exports.EVERY_SHEET.values()
}
HISTORY, LEDGER = SHEETS["history"], SHEETS["ledger"]


def leaf(body: bytes) -> bytes:
    return sha256(b"\x00" + body).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 9162, section 2.1.1, word by word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + root_of(leaves[:k]) + root_of(leaves[k:])).digest()


def consistency(old: int, leaves: Sequence[bytes], is_whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 9162, section 2.1.4.1, word by word."""
    if old == len(leaves):
        return [] if is_whole else [root_of(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if old <= k:
        return [*consistency(old, leaves[:k], is_whole), root_of(leaves[k:])]
    return [*consistency(old - k, leaves[k:], is_whole=False), root_of(leaves[:k])]


def gap(leaves: Sequence[bytes], start: int, stop: int) -> list[str]:
    """The roots of the largest complete subtrees in [start, stop), found by going down from a tree that holds all."""

    def down(first: int, width: int) -> list[str]:
        if first >= stop or first + width <= start:
            return []
        if start <= first and first + width <= stop:
            return [root_of(leaves[first : first + width]).hex()]
        return down(first, width // 2) + down(first + width // 2, width // 2)

    return down(0, 1 << len(leaves).bit_length())


def encoded(body: Body) -> bytes:
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def fingerprint(key: Ed25519PrivateKey = KEY) -> str:
    return sha256(public(key)).hexdigest()


def mark(key: Ed25519PrivateKey) -> bytes:
    return sha256(ORIGIN.encode() + b"\n\x01" + public(key)).digest()[:4]


def signed(text: str, key: Ed25519PrivateKey = KEY) -> bytes:
    signature = base64.b64encode(mark(key) + key.sign(text.encode())).decode()
    return f"{text}\n— {ORIGIN} {signature}\n".encode()


@dataclass
class Ledger:
    """Entries that are sealed, in their order, and some that are not sealed yet."""

    bodies: list[Body]
    waiting: list[Body] = field(default_factory=list)
    key: Ed25519PrivateKey = KEY

    def leaves(self, size: int | None = None) -> list[bytes]:
        return [leaf(encoded(body)) for body in self.bodies[:size]]

    def checkpoint(self, size: int | None = None) -> bytes:
        leaves = self.leaves(size)
        return signed(f"{ORIGIN}\n{len(leaves)}\n{base64.b64encode(root_of(leaves)).decode()}\n", self.key)

    def export(
        self,
        places: Iterable[int],
        *,
        sheet: str = "history",
        data_format: str = "exact",
        earlier: int | None = None,
        is_snapshot: bool = False,
    ) -> "Built":
        chosen = sorted(places)
        columns = dict(SHEETS[sheet])
        sealed = [(self.bodies[place], place) for place in chosen]
        rows = [_row(columns, body, place) for body, place in [*sealed, *((body, None) for body in self.waiting)]]
        if is_snapshot:
            rows = [dict.fromkeys(columns, f"call-{number}") for number in range(3)]
        built = Built(self, sheet, data_format, columns, rows)
        built.members |= {
            "README.txt": b"What is in here.\n",
            "verify.py": VERIFIER.read_bytes(),
            "entries.jsonl": b"".join(encoded(self.bodies[place]) + b"\n" for place in chosen),
            "proofs.jsonl": self.proofs(chosen),
            "checkpoint.txt": self.checkpoint(),
        }
        if earlier is not None:
            built.members["consistency.json"] = self.consistency(earlier)
        built.told |= {
            "snapshot": is_snapshot,
            "rows": len(rows),
            "proven_rows": 0 if is_snapshot else len(chosen),
            "unproven_rows": len(rows) if is_snapshot else len(self.waiting),
            "entries": len(chosen),
            "since": {"size": earlier, "root": root_of(self.leaves(earlier)).hex()} if earlier is not None else None,
            "complete_range": {"first": chosen[0], "last": chosen[-1]} if sheet == "ledger" and chosen else None,
        }
        built.write_data()
        built.mend()
        return built

    def proofs(self, chosen: list[int]) -> bytes:
        leaves, lines, end = self.leaves(), [], 0
        there = set(chosen)
        firsts = [place for place in chosen if place - 1 not in there]
        lasts = [place for place in chosen if place + 1 not in there]
        for first, last in zip(firsts, lasts, strict=True):
            lines.append({"first": first, "last": last, "nodes": gap(leaves, end, first)})
            end = last + 1
        head = {"size": len(leaves), "root": root_of(leaves).hex(), "leaves": len(chosen), "ranges": len(firsts)}
        lines.append({"nodes": gap(leaves, end, len(leaves))})
        return b"".join(json.dumps(line).encode() + b"\n" for line in [head, *lines])

    def consistency(self, old: int) -> bytes:
        leaves = self.leaves()
        ends = {
            "from": {"size": old, "root": root_of(leaves[:old]).hex()},
            "to": {"size": len(leaves), "root": root_of(leaves).hex()},
        }
        nodes = consistency(old, leaves) if old else []
        return json.dumps({**ends, "nodes": [node.hex() for node in nodes]}).encode()


def _row(columns: Columns, body: Body, place: int | None) -> Row:
    told = {**body, "$index": place, "$body": encoded(body).decode()}
    return {name: _first(facts, told) if facts else "Olga Brandt" for name, facts in columns.items()}


def _first(facts: tuple[str, ...], told: Row) -> Any:
    return next((told[fact] for fact in facts if told.get(fact) not in (None, "")), None)


@dataclass
class Built:
    """An export whose every part can be changed. `mend` makes manifest.json fit again, signed by whoever has a key."""

    ledger: Ledger
    sheet: str
    data_format: str
    columns: Columns
    rows: list[Row]
    members: dict[str, bytes] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def data(self) -> str:
        return f"{self.sheet}.{'jsonl' if self.data_format == 'jsonl' else 'csv'}"

    def write_data(self) -> None:
        self.members[self.data] = _written(list(self.columns), self.rows, self.data_format)

    def mend(self, key: Ed25519PrivateKey | None = None, *, with_signature: bool = True) -> None:
        key = key or self.ledger.key
        files = {
            name: {"sha256": sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in self.members.items()
            if not name.startswith("manifest.")
        }
        said = {
            "format": 1,
            "sheet": self.sheet,
            "data": self.data,
            "data_format": self.data_format,
            "columns": [{"name": name, "meaning": "", "proven": bool(fact)} for name, fact in self.columns.items()],
            "origin": ORIGIN,
            "tree_size": len(self.ledger.bodies),
            "key_fingerprint": fingerprint(key),
            "verifier_key": f"{ORIGIN}+{mark(key).hex()}+{base64.b64encode(b'\x01' + public(key)).decode()}",
            "files": files,
            "checkpoint": self.members["checkpoint.txt"].decode(),
        }
        self.members["manifest.json"] = json.dumps(said | self.told, sort_keys=True, indent=1).encode()
        if with_signature:
            digest = sha256(self.members["manifest.json"]).hexdigest()
            self.members["manifest.sig"] = signed(f"onrecord-export-manifest/v1\n{digest}\n", key)

    def change(self, name: str, change: Callable[[bytes], bytes]) -> None:
        changed = change(self.members[name])
        assert changed != self.members[name]
        self.members[name] = changed

    def zip(self, folder: Path) -> Path:
        path = folder / "export.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.members.items():
                archive.writestr(name, content)
        return path

    def folder(self, parent: Path) -> Path:
        path = parent / "export"
        path.mkdir()
        for name, content in self.members.items():
            (path / name).write_bytes(content)
        return path


def _written(names: list[str], rows: list[Row], data_format: str) -> bytes:
    if data_format == "jsonl":
        plain = [{name: None if row[name] == "" else row[name] for name in names} for row in rows]
        return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in plain)
    file, is_safe = io.StringIO(newline=""), data_format == "spreadsheet"
    writer = csv.writer(file, lineterminator="\r\n", quoting=csv.QUOTE_ALL if is_safe else csv.QUOTE_MINIMAL)
    writer.writerow(names)
    for row in rows:
        cells = [_text(row[name]) for name in names]
        writer.writerow([f"'{cell}" if is_safe and cell.startswith("=") else cell for cell in cells])
    return ("\ufeff" if is_safe else "").encode() + file.getvalue().encode()


def _text(value: Any) -> str:
    return "" if value is None else {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def ledger(size: int = 21, waiting: int = 0, key: Ed25519PrivateKey = KEY) -> Ledger:
    """Changes of calls, tries at Graph and sign-ins, with what is hard to write in a cell."""
    bodies = [_body(number) for number in range(size + waiting)]
    return Ledger(bodies[:size], bodies[size:], key)


def _body(number: int) -> Body:
    at = f"2026-11-18T14:31:{number % 60:02}.000000Z"
    key = f"01a2096f-0b7f-719d-9068-{number:012x}"
    body: Body = {"v": 1, "id": key, "actor": 7, "recorded_at": at, "occurred_at": at}
    if number % 3 == 0:
        changed = {"call": f"call-{number}", "new": "capturing", "reason": REASONS[number % 5]}
        return {**body, "action": "status.changed", **changed}
    if number % 3 == 1:
        answered: Body = {"call": "call-1", "attempt": number, "is_repeat": number % 2 == 0}
        return {**body, "action": "correction.answered", **answered}
    return {**body, "action": "signin.succeeded"}


REASONS = (
    '=HYPERLINK("http://example.com")',
    'she said "no", twice',
    "two\nlines; and more",
    "Aufnahme läuft — 🎧",
    "",
)

HISTORY_PLACES = [number for number in range(21) if number % 3 != 2]


@dataclass
class Outcome:
    code: int
    said: str

    @property
    def words(self) -> str:
        """All of it on one line."""
        return " ".join(self.said.split())

    @property
    def failures(self) -> list[str]:
        """The sentences of what failed, each on one line."""
        found = re.findall(r"^FAILED  (.*(?:\n {8}.*)*)", self.said, re.MULTILINE)
        return [" ".join(sentence.split()) for sentence in found]


def run(export: Path, *words: str) -> Outcome:
    """verify.py as an auditor runs it: a process of its own, with nothing but the standard library."""
    return run_copy(VERIFIER, str(export), *words)


def run_copy(verifier: Path, *words: str, cwd: Path | None = None) -> Outcome:
    command = [sys.executable, "-I", "-S", "-W", "error", str(verifier), *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)
    assert not any(word in done.stderr for word in ("Traceback", "Warning")), done.stderr
    return Outcome(done.returncode, done.stdout + done.stderr)
