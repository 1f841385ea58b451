"""The threads that POST. They touch no database: what is sent is stored already, and what comes back is handed over."""

import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self

from recordings import passes
from recordings.graph.errors import GraphNotSent
from recordings.models import Attempt
from recordings.services import budget, connection, tries
from recordings.services.tries import Tried

type Try = tuple[Attempt, Tried]

# What was true of a call when its attempt was stored is taken for true for so long (invariant 8), far below any lease.
LEAVES_WITHIN_SECONDS = 5.0


class Pool:
    """`width` requests at a time. Where one answer asks for a pause, none of the rest leaves."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._client = connection.wide_client(width)
        self._threads = ThreadPoolExecutor(width, thread_name_prefix="bulk")
        self._done: SimpleQueue[Future[Try]] = SimpleQueue()
        self._paused_until = 0.0
        self.outstanding = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._threads.shutdown(cancel_futures=True)
        self._client.close()

    def pause(self, seconds: float) -> None:
        """Let nothing leave for so long; what has not left yet comes back as not sent."""
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    def renew_token(self) -> None:
        self._client.renew_token()

    def send(self, attempts: Iterable[Attempt], *, ruled_at: float, lease_seconds: float) -> None:
        """Post them as threads become free. `ruled_at` is the time.monotonic() moment before their facts were read.

        None leaves long after it, and no answer is waited for beyond the lease of the operations, which began then.
        """
        lease_until = ruled_at + lease_seconds
        leaves_until = min(lease_until, ruled_at + LEAVES_WITHIN_SECONDS)
        for attempt in attempts:
            self.outstanding += 1
            job = self._threads.submit(self._try, attempt, leaves_until, lease_until)
            job.add_done_callback(self._done.put)

    @property
    def leaving(self) -> int:
        """How many are on the wire or wait for their thread."""
        return self.outstanding - self._done.qsize()

    def answers(self, *, least: int, most: int, within_seconds: float) -> list[Try]:
        """What has come back, at most so many. Waits for one, and then no longer than so until it is `least`."""
        found: list[Try] = []
        until = None
        while len(found) < min(most, self.outstanding):
            patience = None if until is None else max(0.0, until - time.monotonic())
            try:
                found.append(self._done.get(block=len(found) < least, timeout=patience).result())
            except Empty:
                break
            until = until or time.monotonic() + within_seconds
        self.outstanding -= len(found)
        return found

    def _try(self, attempt: Attempt, leaves_until: float, lease_until: float) -> Try:
        if why := self._why_not(leaves_until):
            return attempt, tries.failed(GraphNotSent(why, code="turn"))
        tried = tries.post(self._client, attempt, until=min(lease_until, connection.deadline()))
        pause = budget.pause_asked_for(tried.error) if tried.error else None
        if pause:
            self.pause(pause.total_seconds())
        return attempt, tried

    def _why_not(self, leaves_until: float) -> str:
        if passes.stopping.is_set():
            return "The worker was told to end before it was sent."
        if time.monotonic() < self._paused_until:
            return "Microsoft asked for a pause before it was sent."
        return "Microsoft answered too slowly for it to be sent in time." if time.monotonic() >= leaves_until else ""
