"""One run of a periodic task: what a job of either engine does."""

import time
from threading import Lock

from django.tasks import task
from django.utils.module_loading import import_string

from recordings.passes import each

_running: dict[str, Lock] = {}
_begun_at = [time.monotonic()]


@task
def run_periodic(path: str) -> None:
    """Run the task at `path`, unless this process runs it already: then the job was one trigger too many.

    So a task that takes long is never queued up behind itself, and the others keep their threads. What fails is
    logged here and tried again at the next tick; the engine has nothing to keep of it.
    """
    _begun_at[0] = time.monotonic()
    lock = _running.setdefault(path, Lock())
    if not lock.acquire(blocking=False):
        return
    try:
        each([path], lambda path: import_string(path).call())
    finally:
        lock.release()


def seconds_since_one_began() -> float:
    """How long no job has reached this process, since it began to count."""
    return time.monotonic() - _begun_at[0]


def begin_to_count() -> None:
    _begun_at[0] = time.monotonic()


def threads_for(paths: list[str]) -> int:
    """One for each task, and one more to find out that a task is running already."""
    return len(paths) + 1


# A worker that was told to end finishes the row under way first: at most two deadlines of Graph's, and some more.
DRAIN_SECONDS = 40
# How long nothing may be heard of a worker before its jobs are thrown away.
BEAT_SECONDS, DEAD_SECONDS = 5, 30
# An engine that brings no job for so long has died without saying so, as after losing its database again and again.
STANDSTILL_SECONDS = 60.0
