"""manage.py access_report: who held which role on a day, from the ledger."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator, Sequence
from datetime import UTC, date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from recordings import exports, ledger
from recordings.ledger.access import AccessReport, Holding, Step


class Command(BaseCommand):
    help = "Print who held which role on a day (UTC), and what the role allowed, with the ledger's entries it rests on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--on", type=_day, metavar="DATE", help="for example 2026-11-18 (default: today)")

    def handle(self, *args: Any, on: date | None, **options: Any) -> None:
        today = timezone.now().astimezone(UTC).date()
        if on and on > today:
            raise CommandError("Nobody knows yet who will hold a role on that day.")
        for line in _lines(ledger.access_on(on or today)):
            self.stdout.write(line)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day: write it as 2026-11-18") from None


def _lines(report: AccessReport) -> Iterator[str]:
    began = f"{report.began_at:%Y-%m-%d %H:%M:%S} UTC" if report.began_at else "not yet"
    yield f"Roles on {report.on} (UTC). The ledger begins: {began}. What was so before, it cannot say."
    yield from _of("holds", report.roles)
    yield ""
    yield "Superusers and staff on that day (no role: staff may enter the admin, and superusers give roles there):"
    yield from _of("is", report.accounts)
    yield ""
    yield "What the roles allowed on that day:"
    yield from _of("allows", report.rights)
    if report.unsaid:
        yield f"The tables say otherwise than the entries in {len(report.unsaid)} of these lines; each says how."
    if report.unreadable:
        yield f"{len(report.unreadable)} entries about roles cannot be read; run `manage.py verify`."


def _of(verb: str, holdings: Sequence[Holding]) -> Iterator[str]:
    if not holdings:
        yield "  nothing is known"
    for each in holdings:
        note = exports.note_of(each)
        ended = f", until {_step(each.until)}" if each.until else ""
        since = f"from {_step(each.since)}" if each.since else "from an unknown time"
        yield f"  {each.holder} {verb} {each.held}: {since}{ended}. {note}".rstrip()


def _step(step: Step) -> str:
    number = f"entry no. {step.index}" if step.index is not None else f"entry {step.entry_id}, not sealed yet"
    return f"{step.at:%Y-%m-%d %H:%M:%S} by {step.by} ({number})"
