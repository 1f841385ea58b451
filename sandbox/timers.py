"""One thread that does things later."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable

type Deed = Callable[[], None]


class Timers:
    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Deed]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="sandbox-timers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def after(self, seconds: float, deed: Deed) -> None:
        with self._changed:
            heapq.heappush(self._waiting, (time.monotonic() + seconds, next(self._numbers), deed))
            self._changed.notify()

    def clear(self) -> None:
        with self._changed:
            self._waiting.clear()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while deed := self._next():
            deed()

    def _next(self) -> Deed | None:
        with self._changed:
            while not self._stopped:
                wait = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._waiting)[2]
                self._changed.wait(wait)
        return None
