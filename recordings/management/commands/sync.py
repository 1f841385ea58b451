"""manage.py sync: ask Microsoft about calls nobody speaks of, once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from recordings import services
from recordings.services import Found, Synced
from recordings.startup import refuse_on_errors


class Command(BaseCommand):
    help = "Ask Microsoft whether the longest silent calls still live: one pass, as the worker makes them."
    requires_system_checks = []  # all of them are run below, and no option leaves them out

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", type=int, metavar="CALLS", help="at most so many calls (default SYNC_CALLS)")

    def handle(self, *args: Any, limit: int | None, **options: Any) -> None:
        if limit is not None and limit < 1:
            raise CommandError("--limit must be at least 1. Nothing was asked.")
        refuse_on_errors()
        synced = services.sync(timezone.now(), limit=limit)
        self.stdout.write(_words(synced))
        if synced.is_suspect:
            raise CommandError(
                "Microsoft found most of these calls not: is this the recorder bot's own credential? "
                "No call was taken for gone."
            )


def _words(synced: Synced) -> str:
    found = synced.found
    asked = found.total() - found[Found.NOT_ASKED]
    words = [f"{found[each]} {each.value}" for each in Found if each != Found.NOT_ASKED]
    later = f" {found[Found.NOT_ASKED]} are left for later." if found[Found.NOT_ASKED] else ""
    return f"Asked Microsoft about {asked} calls: {', '.join(words)}.{later}"
