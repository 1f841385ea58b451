"""manage.py show_call: one call, with everything known of it."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from recordings import ledger
from recordings.management.named import call_named
from recordings.management.portrait import portrait


class Command(BaseCommand):
    help = (
        "Show a call: what is captured, what Teams was told, the evidence, changes, corrections, findings, blind spots."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("graph_id", help="Microsoft Graph's id of the call")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, graph_id: str, **options: Any) -> None:
        now, call = timezone.now(), call_named(graph_id)
        drawn = portrait(call, now=now)
        ledger.note_call_printed(call, now=now)
        if options["json"]:
            self.stdout.write(json.dumps(drawn, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(_lines(drawn)))


def _lines(drawn: dict[str, Any]) -> Iterator[str]:
    """Facts line by line; what is not known is left out."""
    for part, content in drawn.items():
        yield f"{part}:" if content else f"{part}: none"
        for item in content if isinstance(content, list) else [content]:
            yield f"  {_line(item)}"
            yield from (f"    attempt: {_line(attempt)}" for attempt in item.get("attempts", []))


def _line(item: dict[str, Any]) -> str:
    known = {name: value for name, value in item.items() if value not in (None, "") and name != "attempts"}
    return "  ".join(f"{name}={value}" for name, value in known.items())
