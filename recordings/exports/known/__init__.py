"""What the ledger says of one call, rebuilt from its entries: as it stood at a moment, or under a checkpoint.

Nothing here reads a row that can change, but for actors, whose names, kinds and subjects stand outside the ledger, and
the call's recorder where none spoke.
"""

from recordings.exports.known.corrections import KnownCorrection, KnownTry, corrections_of
from recordings.exports.known.findings import KnownFinding, findings_of
from recordings.exports.known.spots import KnownSpot, recorders_of, spot_steps, spots_of
from recordings.exports.known.standing import KnownCall, Standing, call_of
from recordings.exports.known.steps import AsOf, Step, entries_about, is_about, steps_as_of, steps_of

__all__ = [
    "AsOf",
    "KnownCall",
    "KnownCorrection",
    "KnownFinding",
    "KnownSpot",
    "KnownTry",
    "Standing",
    "Step",
    "call_of",
    "corrections_of",
    "entries_about",
    "findings_of",
    "is_about",
    "recorders_of",
    "spot_steps",
    "spots_of",
    "steps_as_of",
    "steps_of",
]
