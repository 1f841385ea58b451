"""django.tasks on procrastinate, which has no backend of its own for it."""

from typing import Any

from django.tasks import Task, TaskResult, TaskResultStatus
from django.tasks.backends.base import BaseTaskBackend
from django.tasks.signals import task_enqueued
from django.utils import timezone
from django.utils.json import normalize_json
from django.utils.module_loading import import_string
from procrastinate.contrib.django import app


@app.task(name="onrecord.perform")
def perform(timestamp: int = 0, *, path: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    """Every job is this one. `timestamp` is the tick of a periodic job; a result is kept nowhere."""
    import_string(path).call(*args, **kwargs)


class ProcrastinateBackend(BaseTaskBackend):
    """Enqueues in the transaction around it: a job is there if, and only if, that commits."""

    supports_defer = True
    supports_priority = True

    def enqueue[**P, R](self, task: "Task[P, R]", args: Any, kwargs: Any) -> "TaskResult[P, R]":
        self.validate_task(task)
        args, kwargs = normalize_json(list(args)), normalize_json(dict(kwargs))
        job = perform.configure(queue=task.queue_name, priority=task.priority, schedule_at=task.run_after)
        key = job.defer(path=task.module_path, args=args, kwargs=kwargs)
        result = TaskResult(
            task=task,
            id=str(key),
            status=TaskResultStatus.READY,
            enqueued_at=timezone.now(),
            started_at=None,
            finished_at=None,
            last_attempted_at=None,
            args=args,
            kwargs=kwargs,
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )
        task_enqueued.send(type(self), task_result=result)
        return result
