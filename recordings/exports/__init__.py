"""Rows to files: at once as CSV, or in the background as an archive with the proofs of what it says."""

from recordings.exports.access import access_csv, note_of
from recordings.exports.asked import Asked, BadFilter, History, Period, moment, told_filter
from recordings.exports.cells import Flavour
from recordings.exports.events import HISTORY
from recordings.exports.finding_rows import FINDINGS
from recordings.exports.jobs import (
    LONGEST_REASON,
    NoFile,
    Wanted,
    WantedPack,
    download,
    expire_exports,
    forget_in_exports,
    kept_files,
    make_exports,
    request_export,
    request_pack,
    stop_export,
    tidied,
    under_way,
)
from recordings.exports.ledger_rows import LEDGER
from recordings.exports.pack import Subject
from recordings.exports.sheet import Column, Sheet
from recordings.exports.states import CALLS, OPERATIONS
from recordings.exports.stream import Export, start

SHEETS: dict[str, Sheet] = {sheet.name: sheet for sheet in (HISTORY, CALLS, OPERATIONS)}
# The background makes these, too.
EVERY_SHEET: dict[str, Sheet] = {**SHEETS, FINDINGS.name: FINDINGS, LEDGER.name: LEDGER}

__all__ = [
    "CALLS",
    "EVERY_SHEET",
    "FINDINGS",
    "HISTORY",
    "LEDGER",
    "LONGEST_REASON",
    "OPERATIONS",
    "SHEETS",
    "Asked",
    "BadFilter",
    "Column",
    "Export",
    "Flavour",
    "History",
    "NoFile",
    "Period",
    "Sheet",
    "Subject",
    "Wanted",
    "WantedPack",
    "access_csv",
    "download",
    "expire_exports",
    "forget_in_exports",
    "kept_files",
    "make_exports",
    "moment",
    "note_of",
    "request_export",
    "request_pack",
    "start",
    "stop_export",
    "tidied",
    "told_filter",
    "under_way",
]
