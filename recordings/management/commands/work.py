"""manage.py work: the worker."""

import logging
from argparse import ArgumentParser
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from recordings.management.stopping import told_to_stop
from recordings.tasks import EVERY_TICK

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Send, settle, expire and sweep whatever is due, again and again, until SIGTERM or SIGINT."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", type=float, default=2.0, metavar="SECONDS", help="the pause between two rounds")
        parser.add_argument("--once", action="store_true", help="one round only")

    def handle(self, *args: Any, every: float, once: bool, **options: Any) -> None:
        with told_to_stop() as stopping:
            _tick(stopping)
            while not once and not stopping.wait(every):
                _tick(stopping)


def _tick(stopping: Event) -> None:
    """One round. Each task is tried whatever became of the one before; the row is the truth and is due again."""
    for task in EVERY_TICK:
        if stopping.is_set():
            return
        try:
            task.enqueue()
        except Exception:  # the outermost loop: a broken round must not end the worker
            logger.exception("%s failed; it is tried again in the next round", task.name)
        close_old_connections()
