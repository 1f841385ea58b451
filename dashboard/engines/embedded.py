"""TASKS_ENGINE=embedded: dj-queue, with its jobs in our own database, SQLite or PostgreSQL."""

import os
from threading import Event, Timer
from typing import Any

from dj_queue.runtime.supervisor import AsyncSupervisor
from django.conf import settings
from django.core.management.base import CommandError

from dashboard.engines import running
from dashboard.engines.running import BEAT_SECONDS, DEAD_SECONDS, DRAIN_SECONDS, run_periodic, threads_for


def work(paths: list[str], *, every: int, stopping: Event) -> None:
    """Run the tasks at `paths` every so many seconds until `stopping`. Raises CommandError if the engine gives up."""
    supervisor = AsyncSupervisor.from_backend_config(
        tasks_settings=_tasks_settings(paths, every=every), env={}, standalone=False
    )
    supervisor.start()
    running.begin_to_count()
    try:
        while not stopping.wait(1):
            if not supervisor.poll_once_if_running():
                raise CommandError("The job engine gave up; the log says why. What is due is still due.")
            if running.seconds_since_one_began() > running.STANDSTILL_SECONDS + every:
                raise CommandError("The job engine brings no work any more. Start the worker again; all is still due.")
    finally:
        _stop(supervisor)


def _stop(supervisor: AsyncSupervisor) -> None:
    """Let what is under way end. An engine that has lost its threads may wait for them for ever: then without it."""
    last_resort = Timer(running.DRAIN_SECONDS + running.BEAT_SECONDS, os._exit, args=(1,))
    last_resort.daemon = True
    last_resort.start()
    supervisor.stop()
    last_resort.cancel()


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
