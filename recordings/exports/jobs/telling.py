"""What the manifest of a background export says of it: who asked for what and why, and what is known of that time."""

from datetime import datetime
from typing import Any

from django.db.models import Q

from recordings import __version__, ledger
from recordings.exports.spots import Span
from recordings.models import ClockSkew, Export, LedgerEntry

_UNSURE = (
    "Entries younger than the newest seal that a witness off the machine of On Record keeps could have been changed "
    "before they were sealed. Compare the checkpoint with the one a witness has."
)
_ON_THIS_HOST = (
    "Copies of checkpoints are kept only on the machine of On Record itself. Whoever owns that machine can change "
    "them, so they show nothing to who does not trust its owner."
)


def newest_entry() -> LedgerEntry | None:
    return LedgerEntry.objects.only("id", "recorded_at").order_by("-pk").first()


def told_of(export: Export, *, newest: LedgerEntry | None, read_from: datetime, read_until: datetime) -> dict[str, Any]:
    """The words of the manifest (times aware UTC). Three queries, and some for each witness."""
    return {
        "export": str(export.pk),
        "filter": {"sentence": export.sentence, "query": export.query},
        "from_at": _stamp(export.from_at),
        "until_at": _stamp(export.until_at),
        "zone": export.zone,
        "as_of": _stamp(export.as_of),
        "requested_by": export.requested_by.label,
        "requested_at": _stamp(export.requested_at),
        "reason": export.reason,
        "code_version": __version__,
        "freshness": {
            "read_from_at": _stamp(read_from),
            "read_until_at": _stamp(read_until),
            "newest_entry_id": str(newest.pk) if newest else None,
            "newest_entry_at": _stamp(newest.recorded_at) if newest else None,
        },
        "blind_spots": _blind_spots(export),
        "clock_skews": _clock_skews(export),
        "witnessed": _witnessed(),
    }


def _blind_spots(export: Export) -> list[dict[str, str | None]]:
    spots = Span(export.from_at, export.until_at).spots().select_related("recorder")
    return [{"whose": spot.whose, "from_at": _stamp(spot.from_at), "until_at": _stamp(spot.until_at)} for spot in spots]


def _clock_skews(export: Export) -> list[dict[str, Any]]:
    skews = ClockSkew.objects.order_by("from_at")
    if export.until_at:
        skews = skews.filter(from_at__lt=export.until_at)
    if export.from_at:
        skews = skews.filter(Q(until_at__isnull=True) | Q(until_at__gte=export.from_at))
    return [
        {
            "from_at": _stamp(skew.from_at),
            "until_at": _stamp(skew.until_at),
            "milliseconds": round(skew.seconds * 1000),
        }
        for skew in skews
    ]


def _witnessed() -> dict[str, Any]:
    found = ledger.witnessed()
    return {
        "size": found.seal.size if found.seal else None,
        "sealed_at": _stamp(found.until),
        "is_off_host": found.is_off_host,
        "note": _ON_THIS_HOST if found.seal and not found.is_off_host else _UNSURE,
    }


def _stamp(at: datetime | None) -> str | None:
    return ledger.timestamp(at) if at else None
