"""Rows to CSV: history, calls and operations, for a spreadsheet or exact to the byte."""

from recordings.exports.asked import Asked, BadFilter, History, Period, told_filter
from recordings.exports.cells import Flavour
from recordings.exports.events import HISTORY
from recordings.exports.sheet import Column, Sheet
from recordings.exports.states import CALLS, OPERATIONS
from recordings.exports.stream import Export, start

SHEETS: dict[str, Sheet] = {sheet.name: sheet for sheet in (HISTORY, CALLS, OPERATIONS)}

__all__ = [
    "CALLS",
    "HISTORY",
    "OPERATIONS",
    "SHEETS",
    "Asked",
    "BadFilter",
    "Column",
    "Export",
    "Flavour",
    "History",
    "Period",
    "Sheet",
    "start",
    "told_filter",
]
