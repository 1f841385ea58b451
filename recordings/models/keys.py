"""Time-ordered keys (UUIDv7, RFC 9562): inserts stay at the right edge of the index and a key says its month."""

import uuid
from datetime import datetime

from uuid_utils.compat import uuid7


def new_key() -> uuid.UUID:
    """A UUIDv7 of this moment; monotonic within one process."""
    return uuid7()


def parse_key(text: str) -> uuid.UUID | None:
    """The key that `text` writes out; None for what is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def first_key(at: datetime) -> uuid.UUID:
    """The smallest key of the moment `at`, to ask by key for what was written since."""
    return uuid.UUID(int=int(at.timestamp() * 1000) << 80)
