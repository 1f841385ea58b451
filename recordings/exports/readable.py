"""Entries whose text somebody with the owner's rights altered so that it is none of the ledger's any more.

Their rows are written all the same: a row left out, or an export that cannot be made, would serve whoever did it.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from recordings.ledger import Unreadable, body_of
from recordings.models import LedgerEntry

type Fact = str | int | bool | None

_STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


def facts_of(entry: LedgerEntry) -> Mapping[str, Fact]:
    """The facts of the very bytes that are hashed. Raises Unreadable, with a sentence for people, where these are no
    entry's, or tell no time, as every entry does."""
    try:
        body = body_of(entry)
        _require_moments(body)
    except ValueError as why:
        raise Unreadable(
            f"The text of entry {entry.pk} cannot be read, so somebody altered the database. Verify the ledger. An "
            "export of the history or of the ledger marks the entry, and has all others. Nothing was made."
        ) from why
    return body


def is_readable(entry: LedgerEntry) -> bool:
    try:
        facts_of(entry)
    except Unreadable:
        return False
    return True


def _require_moments(body: Mapping[str, Fact]) -> None:
    """Raises ValueError."""
    for name in ("recorded_at", "occurred_at"):
        text = str(body.get(name))
        if not _STAMP.fullmatch(text):
            raise ValueError(f"{name} is no time")
        datetime.fromisoformat(text)
