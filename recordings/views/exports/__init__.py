"""Exports: CSV at once, and archives that the worker makes."""

from recordings.views.exports.asking import export_new
from recordings.views.exports.listing import export_download, export_list, export_stop
from recordings.views.exports.quick import export_calls, export_history, export_operations

__all__ = [
    "export_calls",
    "export_download",
    "export_history",
    "export_list",
    "export_new",
    "export_operations",
    "export_stop",
]
