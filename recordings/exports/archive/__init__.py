"""Rows with their proofs in one ZIP that an auditor can check without us."""

from recordings.exports.archive.rows import Contents
from recordings.exports.archive.writing import write_archive

__all__ = ["Contents", "write_archive"]
