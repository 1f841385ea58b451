"""Verification: the whole ledger, worked out anew from the bodies, and held against everything that is stored.

It finds what was changed, deleted, swapped or smuggled in after it was sealed. That a tail was cut off, or that all was
written anew and signed anew, only a checkpoint shows that was kept elsewhere.
"""

from recordings.ledger.verifying.alarms import Alarms, Found
from recordings.ledger.verifying.kept import NothingKept, kept_at, kept_in
from recordings.ledger.verifying.runs import (
    Interrupted,
    newest_unfinished,
    newest_verdict,
    request_verification,
    standing_alarm,
    verify_due,
    verify_now,
)
from recordings.ledger.verifying.seals import Kept
from recordings.ledger.verifying.whole import Report, verify_all, verify_tree

__all__ = [
    "Alarms",
    "Found",
    "Interrupted",
    "Kept",
    "NothingKept",
    "Report",
    "kept_at",
    "kept_in",
    "newest_unfinished",
    "newest_verdict",
    "request_verification",
    "standing_alarm",
    "verify_all",
    "verify_due",
    "verify_now",
    "verify_tree",
]
