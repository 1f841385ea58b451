"""Signed notes (C2SP signed-note): a text and the signatures under it, in one form that tools of others read, too.

    text, every line ended by a newline
    an empty line
    — name base64(key hash || signature)

A key hash is four bytes: SHA-256(name || 0x0A || 0x01 || public key), where 0x01 stands for Ed25519.
"""

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from recordings.ledger.keys import SigningKey

ED25519 = b"\x01"
KEY_HASH_BYTES = 4
_DASH = "\N{EM DASH}"


class BadNote(ValueError):
    """The text is no signed note; the message says why."""


@dataclass(frozen=True)
class Signature:
    """One line under a note: whose it says it is."""

    name: str
    key_hash: bytes
    value: bytes


@dataclass(frozen=True)
class Note:
    """What was signed, as it was signed, and every signature found under it. Nothing here was verified."""

    text: str
    signatures: tuple[Signature, ...]


def key_hash(name: str, public_key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:KEY_HASH_BYTES]


def verifier_key(name: str, public_key: bytes) -> str:
    """The public key in the one line that tools for signed notes take: name+hash+base64."""
    return f"{name}+{key_hash(name, public_key).hex()}+{base64.b64encode(ED25519 + public_key).decode()}"


def sign_note(text: str, key: SigningKey) -> str:
    """`text` with the key's signature under it. Raises BadNote for a text that cannot be one of a note."""
    _require_text(text)
    signature = base64.b64encode(key_hash(key.name, key.public_key) + key.sign(text.encode())).decode()
    return f"{text}\n{_DASH} {key.name} {signature}\n"


def parse_note(note: str) -> Note:
    """Raises BadNote. Signatures of other kinds than Ed25519 are kept as they stand."""
    text, gap, under = note.rpartition("\n\n")
    if not gap or not under.endswith("\n"):
        raise BadNote("it is no signed note: below its text there is no empty line followed by signatures")
    text += "\n"
    _require_text(text)
    return Note(text, tuple(_parsed(line) for line in under.removesuffix("\n").split("\n")))


def is_signed(note: Note, public_key: bytes, name: str) -> bool:
    """Is there a signature of this key, under this name, and is every one that says so valid?"""
    wanted = (name, key_hash(name, public_key))
    own = [each.value for each in note.signatures if (each.name, each.key_hash) == wanted]
    return bool(own) and all(_is_valid(public_key, note.text.encode(), value) for value in own)


def is_name(name: str) -> bool:
    """May a key have this name? Not empty, no white space, no plus."""
    return bool(name) and not any(each.isspace() or each == "+" or each < " " for each in name)


def _require_text(text: str) -> None:
    if not text.endswith("\n"):
        raise BadNote("the text of a note ends with a newline")
    if any(each < " " for each in text if each != "\n"):
        raise BadNote("the text of a note holds a control character")


def _parsed(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != _DASH or not is_name(name):
        raise BadNote("a line under the note is no signature")
    try:
        signature = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadNote("a signature under the note is no base64") from error
    if len(signature) <= KEY_HASH_BYTES:
        raise BadNote("a signature under the note is too short")
    return Signature(name, signature[:KEY_HASH_BYTES], signature[KEY_HASH_BYTES:])


def _is_valid(public_key: bytes, text: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True
