"""Asking for an export that is made in the background."""

from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from recordings import ledger, permissions
from recordings.choices import ExportFormat, ExportSheet, LedgerAction
from recordings.exports.asked import BadFilter, Period
from recordings.exports.jobs.since import refuse_unfit
from recordings.exports.past import PAST
from recordings.models import Actor, Export, Seal

LONGEST_REASON = 500


@dataclass(frozen=True)
class Wanted:
    """What somebody asks for: rows chosen by the words of `query`, which `sentence` says and `told` says without names.

    With `as_of` only history and ledger take a `query`. `since` is the text of an earlier checkpoint of this ledger.
    """

    sheet: ExportSheet
    format: ExportFormat
    reason: str
    query: str = ""
    sentence: str = ""
    told: str = ""
    period: Period = field(default_factory=Period)
    zone: str = "UTC"
    as_of: datetime | None = None
    since: str = ""
    with_entries: bool = False
    estimated_rows: int = 0
    # Of an evidence pack: the seal under which everything in it lies.
    seal: Seal | None = None


def request_export(wanted: Wanted, *, actor: Actor, user: User, now: datetime) -> Export:
    """Put an export in line for the worker (`now` aware UTC). Raises BadFilter and NotAllowed; then nothing is done."""
    permissions.require(user, permissions.EXPORT)
    _refuse_nonsense(wanted, now=now)
    export: Export = _export(wanted, actor=actor, user=user, now=now)
    with transaction.atomic():
        export.save(force_insert=True)
        ledger.record(
            LedgerAction.EXPORT_REQUESTED,
            actor=actor,
            now=now,
            export=export.pk,
            what=export.sheet,
            filter=wanted.told,
            from_at=export.from_at,
            until_at=export.until_at,
            zone=export.zone,
            format=export.format,
            as_of=export.as_of,
            reason=export.reason,
        )
    return export


def _export(wanted: Wanted, *, actor: Actor, user: User, now: datetime) -> Export:
    return Export(
        sheet=wanted.sheet,
        format=wanted.format,
        reason=wanted.reason.strip(),
        query=wanted.query,
        sentence=wanted.sentence,
        from_at=wanted.period.since,
        until_at=wanted.period.until,
        zone=wanted.zone,
        as_of=wanted.as_of,
        since=wanted.since,
        with_entries=wanted.with_entries,
        estimated_rows=wanted.estimated_rows,
        seal=wanted.seal,
        requested_by=actor,
        requester=user,
        requested_at=now,
    )


def _refuse_nonsense(wanted: Wanted, *, now: datetime) -> None:
    if not 0 < len(wanted.reason.strip()) <= LONGEST_REASON:
        raise BadFilter(f"An export needs a reason of at most {LONGEST_REASON} characters. Nothing was exported.")
    since, until = wanted.period.since, wanted.period.until
    if since and until and since >= until:
        raise BadFilter("From is not before Until, so no row fits. Nothing was exported.")
    if wanted.as_of and wanted.sheet in PAST and wanted.query:
        raise BadFilter(
            "As of a moment of the past, calls, corrections and findings are chosen by the time only: the other fields "
            "choose by how things stand now. Leave these empty, and choose in the file. Nothing was exported."
        )
    if wanted.as_of and wanted.as_of > now:
        raise BadFilter("As of lies in the future. Nothing was exported.")
    if wanted.since:
        refuse_unfit(wanted.since)
