"""One wish, or one attestation, for many calls: sorted beforehand, worked off in batches, each call accounted for."""

from recordings.services.bulk.attestable import Attestable, left_to_attest, precheck_attestation
from recordings.services.bulk.jobs import retry_failed, retryable, start_bulk, start_bulk_attestation, stop_bulk
from recordings.services.bulk.precheck import MOST_CALLS, BulkRefused, Group, Precheck, precheck
from recordings.services.bulk.progress import Progress, items_of, progress, progress_of
from recordings.services.bulk.running import run_bulk_due
from recordings.services.bulk.selection import Selection

__all__ = [
    "MOST_CALLS",
    "Attestable",
    "BulkRefused",
    "Group",
    "Precheck",
    "Progress",
    "Selection",
    "items_of",
    "left_to_attest",
    "precheck",
    "precheck_attestation",
    "progress",
    "progress_of",
    "retry_failed",
    "retryable",
    "run_bulk_due",
    "start_bulk",
    "start_bulk_attestation",
    "stop_bulk",
]
