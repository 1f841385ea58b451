"""One wish, or one attestation, for many calls: sorted beforehand, worked off in batches, each call accounted for."""

from recordings.services.bulk.jobs import retry_failed, start_bulk, start_bulk_attestation, stop_bulk
from recordings.services.bulk.precheck import MOST_CALLS, BulkRefused, Group, Precheck, precheck
from recordings.services.bulk.progress import Progress, items_of, progress
from recordings.services.bulk.running import run_bulk_due

__all__ = [
    "MOST_CALLS",
    "BulkRefused",
    "Group",
    "Precheck",
    "Progress",
    "items_of",
    "precheck",
    "progress",
    "retry_failed",
    "run_bulk_due",
    "start_bulk",
    "start_bulk_attestation",
    "stop_bulk",
]
