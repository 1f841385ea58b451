"""What is stuck, since when it is due, how bad; and what may be sent. Facts and now in, verdicts out.

Nothing here reads the clock, the database or the settings. Times are aware UTC; graces are timedeltas.
Rule codes are those of the reference on Graph (R1, R2, R4, R7); each function says what its rule rests on.
"""

from recordings.rules.facts import CallFacts, Graces, is_established, merged_state
from recordings.rules.ruling import Permit, Ruling, fresh_claim, rule_on
from recordings.rules.stuck import Explained, Verdict, duration, explain, is_settled, next_due, verdicts

__all__ = [
    "CallFacts",
    "Explained",
    "Graces",
    "Permit",
    "Ruling",
    "Verdict",
    "duration",
    "explain",
    "fresh_claim",
    "is_established",
    "is_settled",
    "merged_state",
    "next_due",
    "rule_on",
    "verdicts",
]
