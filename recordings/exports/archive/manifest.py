"""manifest.json: what an archive holds and where it comes from; and the note that signs it."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from recordings.exports.archive.entries import Range
from recordings.exports.archive.members import Member
from recordings.exports.archive.rows import Contents, Counted
from recordings.exports.sheet import Column
from recordings.ledger import checkpoint
from recordings.ledger.notes import verifier_key

FORMAT = 1


def manifest(
    contents: Contents,
    counted: Counted,
    members: Sequence[Member],
    *,
    entries: int,
    complete: Range | None,
    told: Mapping[str, Any],
) -> bytes:
    """The manifest of these members. `told` is what the writer of an archive cannot know: who asked for it, and why."""
    said = {
        **told,
        "format": FORMAT,
        "sheet": contents.sheet.name,
        "data": contents.data_name,
        "data_format": str(contents.form),
        "columns": [_described(column) for column in contents.sheet.columns],
        "rows": counted.rows,
        "proven_rows": counted.proven,
        "unproven_rows": counted.rows - counted.proven,
        "unreadable": {"entries": counted.unreadable, "first": counted.first_unreadable},
        "snapshot": not contents.sheet.is_of_entries,
        "entries_included": contents.sheet.is_of_entries or contents.with_entries,
        "entries": entries,
        "complete_range": {"first": complete[0], "last": complete[1]} if complete else None,
        "files": {member.name: member.described for member in members},
        "since": {"size": contents.since[0], "root": contents.since[1].hex()} if contents.since else None,
        **_seal(contents),
    }
    return json.dumps(said, sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"


def to_sign(written: bytes) -> str:
    """The text of the note that signs this manifest."""
    return f"onrecord-export-manifest/v1\n{sha256(written).hexdigest()}\n"


def _described(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "meaning": column.meaning,
        "proven": bool(column.facts),
        "entry_fact": list(column.facts) or None,
    }


def _seal(contents: Contents) -> dict[str, Any]:
    seal = contents.seal
    return {
        "checkpoint": seal.checkpoint,
        "tree_size": seal.size,
        "origin": checkpoint.parse(seal.checkpoint).checkpoint.origin,
        "key_fingerprint": seal.key.fingerprint,
        "verifier_key": verifier_key(seal.key.name, bytes(seal.key.public_key)),
    }
