"""manage.py work: the worker."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django.utils.module_loading import import_string

from recordings import ledger, passes, services
from recordings.management.stopping import told_to_stop
from recordings.startup import refuse_on_errors
from recordings.tasks import EVERY_TICK

LONGEST_PAUSE_SECONDS = 59


class Command(BaseCommand):
    help = "Do whatever is due, again and again, as a worker of TASKS_ENGINE, until SIGTERM or SIGINT."
    requires_system_checks = []  # all of them are run below, and no option leaves them out

    def add_arguments(self, parser: ArgumentParser) -> None:
        # The engines' clocks know whole seconds of a minute.
        parser.add_argument(
            "--every",
            type=int,
            default=2,
            choices=range(1, LONGEST_PAUSE_SECONDS + 1),
            metavar="SECONDS",
            help=f"whole seconds between two rounds, 1 to {LONGEST_PAUSE_SECONDS} (default 2)",
        )
        parser.add_argument(
            "--once",
            action="store_true",
            help="one round in this process, without the engine; exit code 1 if a task failed",
        )

    def handle(self, *args: Any, every: int, once: bool, **options: Any) -> None:
        refuse_on_errors()
        _refuse_without_key()
        paths = [task.module_path for task in EVERY_TICK]
        with told_to_stop(passes.stopping) as stopping:
            _refuse_without_tables()
            services.note_settings("worker", timezone.now())
            if once:
                _one_round(paths)
                return
            passes.settle_in()
            import_string(settings.TASKS_WORKER)(paths, every=every, stopping=stopping)


def _one_round(paths: list[str]) -> None:
    """Each task is tried whatever became of the one before; the row is the truth."""
    failed = passes.each(paths, lambda path: import_string(path).call())
    if failed:
        raise CommandError(f"Failed: {', '.join(failed)}. The log says why; what they had to do is still due.")


def _refuse_without_key() -> None:
    """The worker seals the ledger. The site does not, and has no key: so this is no check of the settings."""
    try:
        ledger.signing_key()
    except ledger.NoSigningKey as error:
        raise CommandError(f"{error} Nothing was started.") from error


def _refuse_without_tables() -> None:
    """An engine that was chosen a minute ago has no tables yet."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        names = ", ".join(sorted({migration.app_label for migration, _ in missing}))
        raise CommandError(f"Migrations of {names} are missing. Run `manage.py migrate` first. Nothing was started.")
