"""Being told to stop, as an event to wait for: what is under way is finished first."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def told_to_stop(stopping: threading.Event | None = None) -> Iterator[threading.Event]:
    """An event, given or new, that SIGINT, SIGTERM or SIGHUP sets. In the main thread only; the old handlers come back
    afterwards.

    Set explicitly, since a process that a script puts in the background is born ignoring SIGINT.
    """
    stopping = stopping or threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
