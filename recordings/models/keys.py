"""Time-ordered keys (UUIDv7, RFC 9562): inserts stay at the right edge of the index and a key says its month."""

import uuid

from uuid_utils.compat import uuid7


def new_key() -> uuid.UUID:
    """A UUIDv7 of this moment; monotonic within one process."""
    return uuid7()
