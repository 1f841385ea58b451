"""Findings: opened and closed by the sweep, worked by people. The only writer of Finding and EvidenceFile."""

from recordings.findings.recomputing import Recomputed, recompute
from recordings.findings.sweeping import sweep, sweep_call
from recordings.findings.working import (
    acknowledge,
    assign,
    attest,
    comment,
    explain_cause,
    keep_file,
    resolve,
    snooze,
)

__all__ = [
    "Recomputed",
    "acknowledge",
    "assign",
    "attest",
    "comment",
    "explain_cause",
    "keep_file",
    "recompute",
    "resolve",
    "snooze",
    "sweep",
    "sweep_call",
]
