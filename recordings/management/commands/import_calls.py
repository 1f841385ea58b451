"""manage.py import_calls: calls from a file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from recordings import ingest
from recordings.models import Actor

EVERY_LINES = 1000


class Command(BaseCommand):
    help = (
        "Take in calls from JSON Lines or CSV, all of them or none; docs/commands.md names the fields. "
        "What is known already stays: a second import of the same file changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and change nothing")
        parser.add_argument("--format", choices=ingest.FORMATS, help="the default is what the file's name says")

    def handle(self, *args: Any, file: Path, dry_run: bool, **options: Any) -> None:
        try:
            done = ingest.import_calls(
                file,
                form=options["format"] or _form_of(file),
                actor=None if dry_run else Actor.objects.shell(),
                now=timezone.now(),
                progress=self._progress,
            )
        except OSError as problem:
            raise CommandError(f"{file} cannot be read: {problem.strerror}. Nothing was imported.") from problem
        except ingest.ImportRefused as refusal:
            raise CommandError(_listed(refusal.result)) from refusal
        counted = f"{done.new} new, {done.changed} changed, {done.unchanged} as they were"
        number, is_one = len(done.seen), len(done.seen) == 1
        what = "would be taken in" if dry_run else "was taken in" if is_one else "were taken in"
        self.stdout.write(f"{number} {'call' if is_one else 'calls'} {what}: {counted}. SHA-256 {done.sha256}")

    def _progress(self, line: int) -> None:
        if line % EVERY_LINES == 0:
            self.stderr.write(f"{line} lines …")


def _form_of(file: Path) -> str:
    forms = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv"}
    form = forms.get(file.suffix.lower())
    if form is None:
        raise CommandError(
            f"{file.name} does not say what it is. Use --format jsonl or --format csv. Nothing was imported."
        )
    return form


def _listed(result: ingest.Imported) -> str:
    rest = result.problem_count - len(result.problems)
    more = [f"and {rest} more"] if rest else []
    wrong = "1 line is wrong" if result.problem_count == 1 else f"{result.problem_count} lines are wrong"
    return "\n".join([*result.problems, *more, f"{wrong}. Nothing was imported."])
