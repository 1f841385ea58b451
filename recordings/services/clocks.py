"""Whether our clock and Graph's agree, by what each answer says; only several in a row count."""

from datetime import datetime, timedelta
from threading import Lock

from django.conf import settings
from django.db import transaction

from recordings import ingest
from recordings.rules import ClockHeard, clock_heard

# One wrong Date may be a proxy's.
IN_A_ROW = 3
# Answers that were heard longer ago say nothing of now.
FRESH = timedelta(minutes=5)
# While it goes on, it is written down so often.
SAID_EVERY = timedelta(seconds=30)


class Watch:
    """What this process has heard last. Threads that wait for Graph share it, so it touches no database."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._row: list[ClockHeard] = []
        self._said_at: datetime | None = None

    def hear(self, server_date: datetime | None, *, received_at: datetime, latency_seconds: float) -> None:
        """Note one answer (aware UTC); one without a date says nothing."""
        if server_date is None:
            return
        new = clock_heard(server_date, received_at=received_at, latency_seconds=latency_seconds)
        with self._lock:
            fits = self._row and self._row[-1].side == new.side and new.at - self._row[-1].at < FRESH
            self._row = [*(self._row if fits else ()), new][-IN_A_ROW:]

    def row(self) -> tuple[ClockHeard, ...]:
        """The last answers, if they were enough and agree."""
        with self._lock:
            return tuple(self._row) if len(self._row) == IN_A_ROW else ()

    def may_say(self, at: datetime) -> bool:
        """Whether the last time that somebody wrote down a skew is long enough ago; it counts as now, if so."""
        with self._lock:
            is_due = self._said_at is None or abs(at - self._said_at) >= SAID_EVERY
            self._said_at = at if is_due else self._said_at
            return is_due

    def forget(self) -> None:
        with self._lock:
            self._row, self._said_at = [], None


watch = Watch()


def note_clocks(now: datetime, *, is_steady: bool = False) -> None:
    """Write down what this process heard of the clocks (aware UTC): that they are apart, every half minute while so.

    That they are together again is asked of the database only by who comes by steadily, which is the worker.
    """
    row = watch.row()
    if not row or (row[-1].side == 0 and not is_steady):
        return
    last = row[-1]
    with transaction.atomic():
        if last.side == 0:
            ingest.note_clock_right(settings.GRAPH_TENANT_ID, at=last.at, now=now)
        elif watch.may_say(last.at):
            furthest = max((heard.seconds for heard in row), key=abs)
            from_at = row[0].at
            ingest.note_skew(settings.GRAPH_TENANT_ID, seconds=furthest, from_at=from_at, seen_at=last.at, now=now)
