"""The access report as CSV. Small enough to be made in one piece; the ledger says who took it."""

import hashlib
from collections.abc import Iterator
from datetime import datetime

from django.db import transaction

from recordings import ledger
from recordings.choices import LedgerAction
from recordings.exports.asked import Asked
from recordings.exports.cells import Value
from recordings.exports.stream import lines
from recordings.ledger.access import AccessReport, Holding, Step

NAME = "access"
HEADER = (
    "kind",
    "holder",
    "held",
    "from",
    "from_entry",
    "from_entry_id",
    "given_by",
    "until",
    "until_entry",
    "until_entry_id",
    "taken_by",
    "note",
)


def note_of(holding: Holding) -> str:
    """What the entries do not say of it, in one sentence; nothing where they say it all."""
    if holding.is_as_made:
        return "As On Record makes this role: it was set up so, without an entry."
    if holding.has_no_entry:
        return "Held now without an entry: since when, the ledger does not say."
    if holding.since is None:
        return "Held before that without an entry: since when, the ledger does not say."
    if holding.ended_unsaid:
        return "Not held now, and no entry says that it ended."
    return ""


def access_csv(report: AccessReport, *, asked: Asked, now: datetime) -> bytes:
    """The report as bytes, once the ledger has it that `asked` took them (`now` aware UTC)."""
    written = lines([list(HEADER), *_rows(report)], asked.flavour)
    with transaction.atomic():
        started = ledger.record(
            LedgerAction.EXPORT_STARTED,
            actor=asked.actor,
            now=now,
            export=None,
            what=NAME,
            filter=asked.filter,
            flavour=asked.flavour.value,
            columns=" ".join(HEADER),
        )
        ledger.record(
            LedgerAction.EXPORT_FINISHED,
            actor=asked.actor,
            now=now,
            export=started.pk,
            what=NAME,
            rows=len(report.all),
            bytes=len(written),
            sha256=hashlib.sha256(written).hexdigest(),
            why="",
        )
    return written


def _rows(report: AccessReport) -> Iterator[list[Value]]:
    for kind, holdings in (("role", report.roles), ("account", report.accounts), ("right", report.rights)):
        for each in holdings:
            yield [kind, each.holder, each.held, *_step(each.since), *_step(each.until), note_of(each)]


def _step(step: Step | None) -> list[Value]:
    return [step.at, step.index, step.entry_id, step.by] if step else [None, None, None, None]
