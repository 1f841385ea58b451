"""Blocks of entries, worked out: what each entry hashes to, and whether its other columns say what its body says."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple

KEY_BYTES = 16

NAMES = ("action", "actor", "call", "operation", "finding", "occurred_at", "recorded_at")

# What an entry's other columns say, in the order of NAMES and in the words of a body.
type Copies = Sequence[Any]


class Block(NamedTuple):
    """Entries side by side, in the order of their keys; `wrong` are those whose columns differ, and in what."""

    keys: bytes
    hashes: bytes
    wrong: Sequence[tuple[str, str]] = ()


def worked_out(keys: bytes, bodies: Sequence[bytes], copies: Sequence[Copies]) -> Block:
    """`keys` are those of the bodies, one after the other; without copies no column is compared."""
    hashes = b"".join([sha256(b"\0" + body).digest() for body in bodies])
    wrong = []
    for at, (body, said) in enumerate(zip(bodies, copies, strict=True)) if copies else ():
        key = keys[at * KEY_BYTES : (at + 1) * KEY_BYTES].hex()
        if names := differing(key, body, said):
            wrong.append((key, names))
    return Block(keys, hashes, wrong)


def differing(key: str, body: bytes, copies: Copies) -> str:
    """Which columns of the entry with this key (32 hexadecimal digits) differ from its body; empty if none does."""
    try:
        told = json.loads(body)
        said = [told.get(name) for name in NAMES]
        is_own = told.get("id", "").replace("-", "") == key
    except (ValueError, AttributeError, RecursionError):
        return "its text is no JSON object"
    if is_own and said == list(copies):
        return ""
    names = [name for name, copy, fact in zip(NAMES, copies, said, strict=True) if copy != fact]
    return ", ".join(names if is_own else ["id", *names])
