"""The other columns of an entry are copies of what its body says, kept for look-ups."""

import json

from recordings.ledger.verifying.entries import Copies

NAMES = ("action", "actor", "call", "operation", "finding", "occurred_at", "recorded_at")


def differing(key: bytes, body: bytes, copies: Copies) -> str:
    """Which columns differ from the body, in words; empty if none does."""
    try:
        told = json.loads(body)
        said = [told.get(name) for name in NAMES]
        is_own = told.get("id", "").replace("-", "") == key.hex()
    except (ValueError, AttributeError):
        return "its text is no JSON object"
    if is_own and said == list(copies):
        return ""
    names = [name for name, copy, fact in zip(NAMES, copies, said, strict=True) if copy != fact]
    return ", ".join(names if is_own else ["id", *names])
