"""What the measurements know of processes: which database one works on, and the most memory one ever held."""

import os
from pathlib import Path
from urllib.parse import urlsplit


def url_of(database: str) -> str:
    """DATABASE_URL for a process that is to work on another database of the same server."""
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl()


def peak_kb() -> int:
    """The most memory this process ever held, in kB; a parent's does not count, as it does in getrusage. Linux only."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
