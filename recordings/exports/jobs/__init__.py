"""Exports that a worker makes in the background. The only writer of Export and ExportPart."""

from recordings.exports.jobs.asking import LONGEST_REASON, Wanted, request_export
from recordings.exports.jobs.claiming import LeaseLost, stop_export
from recordings.exports.jobs.expiring import expire_exports
from recordings.exports.jobs.forgetting import forget_in_exports, kept_files, under_way
from recordings.exports.jobs.making import make_exports
from recordings.exports.jobs.packs import WantedPack, request_pack
from recordings.exports.jobs.parts import NoFile, download
from recordings.exports.jobs.since import tidied

__all__ = [
    "LONGEST_REASON",
    "LeaseLost",
    "NoFile",
    "Wanted",
    "WantedPack",
    "download",
    "expire_exports",
    "forget_in_exports",
    "kept_files",
    "make_exports",
    "request_export",
    "request_pack",
    "stop_export",
    "tidied",
    "under_way",
]
