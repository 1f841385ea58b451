"""Checkpoints (C2SP tlog-checkpoint): how large the ledger is and the root of its tree, as a signed note.

origin
size in decimal
base64 of the root
"""

import base64
import binascii
from dataclasses import dataclass

from recordings.ledger.keys import SigningKey
from recordings.ledger.notes import BadNote, Note, is_name, is_signed, parse_note, sign_note
from recordings.ledger.tree import HASH_BYTES

_LINES = 3


class BadCheckpoint(ValueError):
    """The text is no checkpoint; the message is a sentence that says why."""


@dataclass(frozen=True)
class Checkpoint:
    """The tree of the ledger `origin` at `size` entries."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True)
class SignedCheckpoint:
    """A checkpoint and the note it stands in. Nothing was verified yet, see `verify`."""

    checkpoint: Checkpoint
    note: Note


def text(checkpoint: Checkpoint) -> str:
    """The very text that is signed."""
    root = base64.b64encode(checkpoint.root).decode()
    return f"{checkpoint.origin}\n{checkpoint.size}\n{root}\n"


def sign(checkpoint: Checkpoint, key: SigningKey) -> str:
    """The checkpoint as a signed note. Raises ValueError where the ledger's origin is not the key's name."""
    if checkpoint.origin != key.name or not is_name(key.name):
        raise ValueError(f"the key signs as {key.name!r}, not as {checkpoint.origin!r}")
    return sign_note(text(checkpoint), key)


def parse(written: str) -> SignedCheckpoint:
    """Read a checkpoint without believing it. Raises BadCheckpoint."""
    try:
        note = parse_note(written)
    except BadNote as error:
        raise BadCheckpoint(f"This is no checkpoint: {error}.") from error
    lines = note.text.split("\n")[:-1]
    if len(lines) < _LINES or not all(lines):
        raise BadCheckpoint("This is no checkpoint: it has not the three lines origin, size and root.")
    origin, size, root = lines[:_LINES]
    return SignedCheckpoint(Checkpoint(origin, _size(size), _root(root)), note)


def verify(signed: SignedCheckpoint, public_key: bytes, name: str) -> bool:
    """Did this key, under this name, sign this checkpoint of the ledger of the same name?"""
    return signed.checkpoint.origin == name and is_signed(signed.note, public_key, name)


def _size(line: str) -> int:
    if not line.isascii() or not line.isdigit() or (line.startswith("0") and line != "0"):
        raise BadCheckpoint("This is no checkpoint: its second line is no size.")
    return int(line)


def _root(line: str) -> bytes:
    try:
        root = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadCheckpoint("This is no checkpoint: its third line is no base64.") from error
    if len(root) != HASH_BYTES or base64.b64encode(root).decode() != line:
        raise BadCheckpoint(f"This is no checkpoint: its root is not {HASH_BYTES} bytes.")
    return root
