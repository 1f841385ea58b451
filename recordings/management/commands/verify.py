"""manage.py verify: has anybody changed the ledger, or what it tells of?"""

import re
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recordings import ledger, passes
from recordings.choices import Alarm
from recordings.ledger.verifying import Kept, Report
from recordings.management.stopping import told_to_stop
from recordings.models import Actor

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class Command(BaseCommand):
    help = "Work the whole ledger out anew, and say whether anything was altered; exit code 1 if so."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--witness", type=Path, metavar="DIR", help="a witness's directory of checkpoints")
        parser.add_argument("--since", type=Path, metavar="CHECKPOINT", help="a checkpoint that was put aside")
        parser.add_argument(
            "--key",
            action="append",
            default=[],
            metavar="FINGERPRINT",
            help="believe this key only; after a change of the key give it once for each",
        )

    def handle(self, *args: Any, witness: Path | None, since: Path | None, key: Sequence[str], **options: Any) -> None:
        kept = _kept(witness, since)
        only_keys = [_fingerprint(one) for one in key]
        with told_to_stop(passes.stopping):
            try:
                _, report = ledger.verify_now(Actor.objects.shell(), kept=kept, only_keys=only_keys)
            except ledger.Interrupted:
                raise CommandError("Stopped before the end: nothing was found out. Run it again.") from None
        for line in _words(report, kept):
            self.stdout.write(line)
        if not report.passed:
            raise CommandError(
                f"{_many(report.alarm_count, 'alarm')}. Nothing was changed by verifying. Keep the database as it is, "
                "and compare it with a backup from before."
            )


def _kept(witness: Path | None, since: Path | None) -> Sequence[Kept]:
    try:
        kept = [*(ledger.kept_in(witness) if witness else ()), *([ledger.kept_at(since)] if since else ())]
    except ledger.NothingKept as nothing:
        raise CommandError(str(nothing)) from nothing
    return sorted(kept, key=lambda one: one.size)


def _fingerprint(text: str) -> str:
    fingerprint = text.strip().lower()
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise CommandError("--key is not 64 hexadecimal digits. Nothing was verified.")
    return fingerprint


def _words(report: Report, kept: Sequence[Kept]) -> Iterator[str]:
    yield f"{_many(report.checked, 'sealed entry')} checked, and {_many(report.rows, 'record')} beside the ledger."
    for found in report.alarms:
        place = "" if found.index is None else f" at {found.index}"
        yield f"{Alarm(found.kind).value}{place}: {found.sentence}"
    if report.alarm_count > len(report.alarms):
        yield f"… and {_many(report.alarm_count - len(report.alarms), 'alarm')} more of these kinds."
    if report.passed:
        yield "Nothing was altered since it was sealed, as far as the ledger itself can show."
        yield from _fitting(kept)
        yield from _standing()
    yield from _unproven(report, kept)


def _fitting(kept: Sequence[Kept]) -> Iterator[str]:
    if kept:
        yield (
            f"It is the ledger that {_many(len(kept), 'checkpoint')} from elsewhere saw, the newest over its first "
            f"{_many(kept[-1].size, 'entry')}."
        )


def _standing() -> Iterator[str]:
    """What an earlier run found with a checkpoint from elsewhere, and this one could not see."""
    found = ledger.standing_alarm()
    if found and found.finished_at:
        yield (
            f"An alarm stands: on {found.finished_at:%Y-%m-%d %H:%M:%S} UTC the ledger was not the one that a "
            f"checkpoint from elsewhere saw. It stands until a run passes with one over at least {found.kept_size} "
            "entries."
        )


def _unproven(report: Report, kept: Sequence[Kept]) -> Iterator[str]:
    """What could be otherwise without anybody seeing it here."""
    if report.unsealed:
        yield f"Not proven: {_many(report.unsealed, 'entry')} not sealed yet."
    if not kept:
        yield (
            "Not proven: that the end was not cut off, and that not all of it was written and signed anew. "
            "Only a checkpoint from elsewhere shows that: --witness DIR or --since CHECKPOINT."
        )
    elif kept[-1].size < report.size:
        yield f"Not proven: what was sealed after the newest of these checkpoints, from entry {kept[-1].size} on."
    yield (
        "Not proven: what no entry carries, above all the name behind an actor's number; and, within an hour, when an "
        "entry was written. docs/verifying.md lists it."
    )
    yield from _witnessed()


def _witnessed() -> Iterator[str]:
    """By the rule of the ledger page."""
    found = ledger.witnessed()
    if found.seal is None or found.until is None:
        yield "Witnessed until: never, since no witness has said that it has a checkpoint of this ledger."
        yield "Who owns the database and the signing key can alter entries of any age unseen."
        return
    where = "" if found.is_off_host else ", on this machine only, which proves little"
    yield f"Witnessed until {found.until:%Y-%m-%d %H:%M:%S} UTC: the first {_many(found.seal.size, 'entry')}{where}."
    yield "Entries younger than that can be altered, left out or taken away unseen."


def _many(count: int, what: str) -> str:
    plural = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{count} {what if count == 1 else plural}"
