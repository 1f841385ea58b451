"""TASKS_ENGINE=distributed: procrastinate, with jobs of any number of machines in one PostgreSQL."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event

from django.core.management.base import CommandError
from procrastinate import App, JobContext
from procrastinate.contrib.django import app
from procrastinate.jobs import Status

from dashboard.engines.procrastinate_backend import perform
from dashboard.engines.running import BEAT_SECONDS, DEAD_SECONDS, DRAIN_SECONDS, run_periodic, threads_for


def work(paths: list[str], *, every: int, stopping: Event) -> None:
    """Run the tasks at `paths` every so many seconds until `stopping`. Raises CommandError if the engine gives up."""
    for path in paths:
        _run_periodically(path, every=every)
    with app.replace_connector(app.connector.get_worker_connector()) as worker:  # type: ignore[attr-defined]
        asyncio.run(_work(worker, threads=threads_for(paths), stopping=stopping))


def _run_periodically(path: str, *, every: int) -> None:
    """The last of six fields is the second. All machines together make one job a tick, and none while one waits."""
    app.periodic(
        cron=f"* * * * * */{every}",
        periodic_id=path,
        queueing_lock=path,
        task_kwargs={"path": run_periodic.module_path, "args": [path], "kwargs": {}},
    )(perform)


async def _work(worker: App, *, threads: int, stopping: Event) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(threads))
    async with worker.open_async():
        running = asyncio.create_task(
            worker.run_worker_async(
                concurrency=threads,
                # Of no use afterwards, whatever came of it: the row is the truth.
                delete_jobs="always",
                # `stopping` is told by our own handlers, and not only of SIGINT and SIGTERM.
                install_signal_handlers=False,
                update_heartbeat_interval=BEAT_SECONDS,
                stalled_worker_timeout=DEAD_SECONDS,
                shutdown_graceful_timeout=DRAIN_SECONDS,
            )
        )
        while not running.done() and not stopping.is_set():
            await asyncio.sleep(0.2)
        if running.done():
            await running
            raise CommandError("The job engine gave up; the log says why. What is due is still due.")
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@app.periodic(cron="* * * * * */30")
@app.task(name="onrecord.forget_stalled", queueing_lock="onrecord.forget_stalled", pass_context=True)
async def forget_stalled(context: JobContext, timestamp: int) -> None:
    """Delete the jobs of killed workers, which procrastinate leaves as they were. Nothing is lost with a trigger."""
    jobs = context.app.job_manager
    for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=DEAD_SECONDS):
        await jobs.finish_job(job, status=Status.FAILED, delete_job=True)
