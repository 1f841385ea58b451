"""What is stuck, since when it is due, how bad; and what may be sent. Facts and now in, verdicts out.

Nothing here reads the clock, the database or the settings. Times are aware UTC; graces are timedeltas. Rule codes are
those of the reference on Graph; each function says what its rule rests on, and stands beside its words: `status` (what
is captured and told), `legs` (whether a leg lives), `corrections` (ours), `beside` (recorders and tenants), `clocks`
(ours and Graph's). `stuck`
lists them all. R14, several legs of one person, is no error and therefore no rule: pages show such legs together.
"""

from recordings.rules.clocks import Heard as ClockHeard
from recordings.rules.clocks import heard as clock_heard
from recordings.rules.facts import (
    CallFacts,
    Facts,
    Graces,
    RecorderFacts,
    TenantFacts,
    is_established,
)
from recordings.rules.heard import Heard, Move, Word, late_moves, merged_state
from recordings.rules.legs import REMOVED, asks_for_siblings
from recordings.rules.ruling import Permit, Ruling, fresh_claim, rule_on
from recordings.rules.status import NOT_CAPTURING
from recordings.rules.stuck import explain, is_settled, next_due, verdicts
from recordings.rules.verdict import Explained, Verdict, duration

__all__ = [
    "NOT_CAPTURING",
    "REMOVED",
    "CallFacts",
    "ClockHeard",
    "Explained",
    "Facts",
    "Graces",
    "Heard",
    "Move",
    "Permit",
    "RecorderFacts",
    "Ruling",
    "TenantFacts",
    "Verdict",
    "Word",
    "asks_for_siblings",
    "clock_heard",
    "duration",
    "explain",
    "fresh_claim",
    "is_established",
    "is_settled",
    "late_moves",
    "merged_state",
    "next_due",
    "rule_on",
    "verdicts",
]
