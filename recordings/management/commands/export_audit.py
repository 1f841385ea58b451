"""manage.py export_audit: the same bytes as the downloads, into a file."""

import os
import tempfile
from argparse import ArgumentParser
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from django.utils import timezone

from recordings import exports, permissions, services
from recordings.management.named import user_named
from recordings.models import Call, Operation


class Command(BaseCommand):
    help = (
        "Write history, calls or operations to a CSV file, all of it or nothing. A time without a zone is taken as "
        "UTC; --from is included, --to is not, and a bare date as --to includes that day."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--what", choices=list(exports.SHEETS), default=exports.HISTORY.name)
        parser.add_argument("--from", dest="since", default="", metavar="TIME", help="for example 2026-11-01")
        parser.add_argument("--to", dest="until", default="", metavar="TIME", help="for example 2026-11-30T12:00:00Z")
        parser.add_argument("--flavour", choices=[flavour.value for flavour in exports.Flavour], default="spreadsheet")
        parser.add_argument("--output", type=Path, required=True, metavar="FILE")
        parser.add_argument("--actor", required=True, metavar="USERNAME", help="on whose behalf")

    def handle(self, *args: Any, what: str, since: str, until: str, output: Path, **options: Any) -> None:
        by = services.Requester.at_shell(user_named(options["actor"]))
        words = {name: word for name, word in (("--from", since), ("--to", until)) if word}
        try:
            by.require(permissions.EXPORT)
            rows = _rows(what, exports.Period.asked_for(words, names=("--from", "--to")))
        except (exports.BadFilter, permissions.NotAllowed) as problem:
            raise CommandError(str(problem)) from problem
        if not output.parent.is_dir():
            raise CommandError(f"There is no directory {output.parent}. Nothing was exported.")
        asked = exports.Asked(by.actor, filter=_filter_text(what, words), flavour=exports.Flavour(options["flavour"]))
        with closing(exports.start(exports.SHEETS[what], rows, asked=asked, clock=timezone.now)) as export:
            try:
                _write(export, output)
            except OSError as problem:
                raise CommandError(
                    f"{output} could not be written: {problem.strerror}. It was left as it was."
                ) from problem
        self.stdout.write(f"{export.rows} rows, {export.bytes} bytes, SHA-256 {export.sha256}: {output}")
        if words:
            self.stdout.write("Times are UTC; a time given without a zone was taken as UTC.")


def _rows(what: str, period: exports.Period) -> QuerySet[Any]:
    """History by when it was recorded, calls by when we first heard of them, operations by when they were asked for."""
    if what == exports.CALLS.name:
        return period.within(Call.objects.all(), "created_at")
    if what == exports.OPERATIONS.name:
        return period.within(Operation.objects.all(), "requested_at")
    return exports.History(period=period).entries()


def _filter_text(what: str, words: dict[str, str]) -> str:
    """In the words of the download that gives the same rows."""
    since, until = exports.History.PERIOD if what == exports.HISTORY.name else ("from", "to")
    names = {"--from": since, "--to": until}
    return urlencode({names[word]: value for word, value in words.items()})


def _write(export: exports.Export, output: Path) -> None:
    """Beside the output first, so that the name only ever stands for a whole file."""
    handle, name = tempfile.mkstemp(prefix=f".{output.name}.", suffix=".part", dir=output.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(export)
            file.flush()
            os.fsync(file.fileno())
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
