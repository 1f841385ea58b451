"""The evidence pack of a call or a finding: what an auditor prints, and checks without us."""

from recordings.exports.pack.making import pack_archive
from recordings.exports.pack.reading import MOST_ENTRIES, Subject

__all__ = ["MOST_ENTRIES", "Subject", "pack_archive"]
