"""The threads that POST. They touch no database: what is sent is stored already, and what comes back is handed over."""

import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from threading import Event
from types import TracebackType
from typing import Self

from recordings import conf
from recordings.graph.errors import GraphNotSent
from recordings.models import Attempt
from recordings.services import budget, connection, tries
from recordings.services.tries import Tried

type Try = tuple[Attempt, Tried]

WIDTH = 32


class Pool:
    """WIDTH requests at a time. Where one answer asks for a pause, none of the rest leaves."""

    def __init__(self) -> None:
        self._client = connection.wide_client(WIDTH)
        self._threads = ThreadPoolExecutor(WIDTH, thread_name_prefix="bulk")
        self._done: SimpleQueue[Future[Try]] = SimpleQueue()
        self._paused = Event()
        self.outstanding = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._threads.shutdown(cancel_futures=True)
        self._client.close()

    def pause(self) -> None:
        """Let nothing more leave; what has not left yet comes back as not sent."""
        self._paused.set()

    def renew_token(self) -> None:
        self._client.renew_token()

    def send(self, attempts: Iterable[Attempt]) -> None:
        """Post them as threads become free. No answer is waited for beyond the lease of the operations."""
        lease_until = time.monotonic() + conf.lease().total_seconds()
        for attempt in attempts:
            self.outstanding += 1
            self._threads.submit(self._try, attempt, lease_until).add_done_callback(self._done.put)

    def resume(self) -> None:
        self._paused.clear()

    def answers(self, *, least: int = 1, most: int) -> list[Try]:
        """What has come back, at most so many; waits until it is so many at least, or all that is outstanding."""
        found: list[Try] = []
        while len(found) < min(most, self.outstanding):
            try:
                found.append(self._done.get(block=len(found) < least).result())
            except Empty:
                break
        self.outstanding -= len(found)
        return found

    def _try(self, attempt: Attempt, lease_until: float) -> Try:
        if self._paused.is_set():
            said = "Microsoft asked for a pause before it was sent."
            return attempt, tries.failed(GraphNotSent(said, code="turn"))
        tried = tries.post(self._client, attempt, until=min(lease_until, connection.deadline()))
        if tried.error and budget.pause_asked_for(tried.error):
            self._paused.set()
        return attempt, tried
