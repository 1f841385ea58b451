"""The threads that POST. They touch no database: what is sent is stored already, and what comes back is handed over."""

import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Condition
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
        self._done: deque[Future[Try]] = deque()
        self._news = Condition()
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
            job.add_done_callback(self._come_back)

    @property
    def leaving(self) -> int:
        """How many are on the wire or wait for their thread."""
        return self.outstanding - len(self._done)

    def wait(self, *, ready: int, within_seconds: float | None = None, leaving: int = 0) -> None:
        """Wait for an answer, and then until `ready` of them are there, no longer than so.

        It ends, too, once no more than `leaving` are on the wire or wait for their thread.
        """
        with self._news:
            self._news.wait_for(lambda: self._done or self.leaving <= leaving)
            self._news.wait_for(lambda: len(self._done) >= ready or self.leaving <= leaving, within_seconds)

    def answers(self, *, most: int) -> list[Try]:
        """What has come back, at most so many."""
        found = [self._done.popleft().result() for _ in range(min(most, len(self._done)))]
        self.outstanding -= len(found)
        return found

    def _come_back(self, job: Future[Try]) -> None:
        with self._news:
            self._done.append(job)
            self._news.notify()

    def _try(self, attempt: Attempt, leaves_until: float, lease_until: float) -> Try:
        if why := self._why_not(leaves_until):
            return attempt, tries.failed(GraphNotSent(why, code=tries.NO_TURN))
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
