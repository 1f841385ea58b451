"""One statement of a connection under way while its client works: asked for first, and taken when it is needed.

Below psycopg, which waits for each answer. Values go over and come back as PostgreSQL sends them (binary).
"""

import select
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import OperationalError

if TYPE_CHECKING:  # no process that works on SQLite has to load it
    from psycopg.pq.abc import PGconn


def ask(connection: "PGconn", statement: bytes, *values: bytes) -> None:
    connection.send_query_params(statement, values, param_formats=[1] * len(values), result_format=1)
    while connection.flush():
        select.select([], [connection.socket], [])


def answer(connection: "PGconn") -> Sequence[bytes | None]:
    """The one row of what was asked. Raises OperationalError."""
    while connection.is_busy():
        select.select([connection.socket], [], [])
        connection.consume_input()
    result = connection.get_result()
    finish(connection)
    if result is None or result.error_message:
        raise OperationalError(result.error_message.decode(errors="replace") if result else "the connection is gone")
    return [result.get_value(0, column) for column in range(result.nfields)]


def finish(connection: "PGconn") -> None:
    """Let what is under way come to its end unread, so that others can use the connection."""
    while connection.get_result():
        pass
