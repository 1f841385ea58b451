"""manage.py work: the worker."""

import logging
from argparse import ArgumentParser
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections
from django.tasks import TaskResultStatus

from recordings.management.stopping import told_to_stop
from recordings.startup import refuse_on_errors
from recordings.tasks import EVERY_TICK

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Send, settle, expire and sweep whatever is due, again and again, until SIGTERM or SIGINT."
    requires_system_checks = []  # all of them are run below, and no option leaves them out

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", type=float, default=2.0, metavar="SECONDS", help="the pause between two rounds")
        parser.add_argument("--once", action="store_true", help="one round only; exit code 1 if a task failed")

    def handle(self, *args: Any, every: float, once: bool, **options: Any) -> None:
        refuse_on_errors()
        with told_to_stop() as stopping:
            failed = _tick(stopping)
            while not once and not stopping.wait(every):
                _tick(stopping)
        if once and failed:
            raise CommandError(f"Failed: {', '.join(failed)}. The log says why; what they had to do is still due.")


def _tick(stopping: Event) -> list[str]:
    """One round; answers what failed. Each task is tried whatever became of the one before; the row is the truth."""
    failed = []
    for task in EVERY_TICK:
        if stopping.is_set():
            break
        try:
            is_done = task.enqueue().status == TaskResultStatus.SUCCESSFUL
        except Exception:  # the outermost loop: a broken round must not end the worker
            logger.exception("%s failed; it is tried again in the next round", task.name)
            is_done = False
        failed += [] if is_done else [task.name]
        close_old_connections()
    return failed
