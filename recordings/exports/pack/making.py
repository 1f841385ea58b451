"""The pack itself: an archive of the history of one call or finding, with a page to print and its facts as JSON."""

from collections.abc import Callable, Iterator
from typing import Any

from recordings import __version__
from recordings.choices import ExportFormat
from recordings.exports.archive import Contents, write_archive
from recordings.exports.archive.members import member_of
from recordings.exports.asked import BadFilter
from recordings.exports.events import HISTORY
from recordings.exports.pack.facts import Facts, facts_of
from recordings.exports.pack.page import JSON, PAGE, json_of, page_of
from recordings.exports.pack.reading import Sealed, Subject, read
from recordings.ledger.keys import SigningKey
from recordings.ledger.notes import sign_note
from recordings.models import LedgerEntry, Seal


def pack_archive(query: str, seal: Seal, *, key: SigningKey, on_page: Callable[[int], None]) -> Iterator[bytes]:
    """The bytes of the pack of what `query` names, under `seal`. Raises BadFilter.

    Neither who asked nor when is in it: the same subject under the same seal gives the same bytes, and whoever doubts
    a pack can have it made again. Only names make another one: one that was erased since, which the pack counts, and
    the three that a later word about the call can bring, of which every pack says so.
    """
    if seal.key_id != key.fingerprint:
        raise BadFilter(
            "That checkpoint was signed with an earlier key, and a pack is signed with the present one. Ask for a pack "
            "under a newer checkpoint. No pack was made."
        )
    sealed = read(Subject.of_query(query), seal)
    facts = facts_of(sealed)
    rows = LedgerEntry.objects.filter(pk__in=[step.entry.pk for step in sealed.all])
    return write_archive(
        Contents(HISTORY, rows, form=ExportFormat.EXACT, seal=seal),
        told=lambda: told_of(sealed, facts),
        sign=lambda text: sign_note(text, key),
        on_page=on_page,
        beside=[member_of(PAGE, page_of(facts)), member_of(JSON, json_of(facts))],
    )


def told_of(sealed: Sealed, facts: Facts) -> dict[str, Any]:
    """The words of the manifest, all of them from what the pack holds."""
    newest = max(sealed.all, key=lambda step: step.entry.pk)
    return {
        "filter": {"sentence": sealed.subject.sentence, "query": sealed.subject.query},
        "from_at": None,
        "until_at": None,
        "zone": "UTC",
        "as_of": None,
        "code_version": __version__,
        "freshness": {"newest_entry_id": newest.text("id"), "newest_entry_at": newest.text("recorded_at")},
        "blind_spots": facts["blind_spots"],
        "clock_skews": facts["clock_skews"],
        "witnessed": facts["seal"]["witnessed"],
        "names_erased": facts["names"]["erased"],
        "names_may_differ": facts["names"]["later_places"],
    }
