"""One run of a periodic task: what a job of either engine does."""

from threading import Lock

from django.tasks import task
from django.utils.module_loading import import_string

from recordings.passes import each

_running: dict[str, Lock] = {}


@task
def run_periodic(path: str) -> None:
    """Run the task at `path`, unless this process runs it already: then the job was one trigger too many.

    So a task that takes long is never queued up behind itself, and the others keep their threads. What fails is
    logged here and tried again at the next tick; the engine has nothing to keep of it.
    """
    lock = _running.setdefault(path, Lock())
    if not lock.acquire(blocking=False):
        return
    try:
        each([path], lambda path: import_string(path).call())
    finally:
        lock.release()


def threads_for(paths: list[str]) -> int:
    """One for each task, and one more to find out that a task is running already."""
    return len(paths) + 1


# A worker that was told to end finishes the row under way first: at most two deadlines of Graph's, and some more.
DRAIN_SECONDS = 40
# How long nothing may be heard of a worker before its jobs are thrown away.
BEAT_SECONDS, DEAD_SECONDS = 5, 30
