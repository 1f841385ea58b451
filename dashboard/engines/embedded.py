"""TASKS_ENGINE=embedded: dj-queue, with its jobs in our own database, SQLite or PostgreSQL."""

from threading import Event
from typing import Any

from dj_queue.runtime.supervisor import AsyncSupervisor
from django.conf import settings
from django.core.management.base import CommandError

from dashboard.engines.running import BEAT_SECONDS, DEAD_SECONDS, DRAIN_SECONDS, run_periodic, threads_for


def work(paths: list[str], *, every: int, stopping: Event) -> None:
    """Run the tasks at `paths` every so many seconds until `stopping`. Raises CommandError if the engine gives up."""
    supervisor = AsyncSupervisor.from_backend_config(
        tasks_settings=_tasks_settings(paths, every=every), env={}, standalone=False
    )
    supervisor.start()
    try:
        while not stopping.wait(1):
            if not supervisor.poll_once_if_running():
                raise CommandError("The job engine gave up; the log says why. What is due is still due.")
    finally:
        supervisor.stop()


def _tasks_settings(paths: list[str], *, every: int) -> dict[str, Any]:
    return {"default": {**settings.TASKS["default"], "OPTIONS": _options(paths, every=every)}}


def _options(paths: list[str], *, every: int) -> dict[str, Any]:
    """Threads of one process, since SQLite has one writer anyway and the work is waiting for Graph.

    A finished job is deleted, and a job that was left behind by a killed worker a day after it was noticed.
    """
    return {
        "mode": "async",
        "workers": [
            {"queues": "*", "threads": threads_for(paths), "polling_interval": 0.5, "prefetch_multiplier": 1},
        ],
        "dispatchers": [{"polling_interval": 60}],
        "scheduler": {"polling_interval": 0.5},
        "recurring": {path: _periodic(path, every=every) for path in paths},
        "listen_notify": False,
        "preserve_finished_jobs": False,
        "clear_failed_jobs_after": 24 * 3600,
        "clear_recurring_executions_after": 24 * 3600,
        "process_heartbeat_interval": BEAT_SECONDS,
        "process_alive_threshold": DEAD_SECONDS,
        "shutdown_timeout": DRAIN_SECONDS,
    }


def _periodic(path: str, *, every: int) -> dict[str, Any]:
    """The first of six fields is the second."""
    return {"task_path": run_periodic.module_path, "args": [path], "schedule": f"*/{every} * * * * *"}
