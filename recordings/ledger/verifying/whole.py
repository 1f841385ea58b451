"""One run: the tree and everything under it, the columns of the entries, and the records beside the ledger."""

import heapq
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from operator import attrgetter
from uuid import UUID

from recordings.choices import Alarm
from recordings.ledger.places import LARGEST_INDEX, places_of
from recordings.ledger.verifying.alarms import Alarms, Found
from recordings.ledger.verifying.calls import check_calls, check_strays
from recordings.ledger.verifying.corrections import check_corrections
from recordings.ledger.verifying.dates import check_dates
from recordings.ledger.verifying.entries import blocks, keys_that_are_none, newest_key
from recordings.ledger.verifying.files import check_files, check_keys
from recordings.ledger.verifying.findings import check_findings
from recordings.ledger.verifying.hashing import Block
from recordings.ledger.verifying.leaves import Leaves
from recordings.ledger.verifying.own_key import check_own_key
from recordings.ledger.verifying.reading import any_bytes_as_text
from recordings.ledger.verifying.seals import Kept, Keys, expected_of_kept, expected_of_seals
from recordings.ledger.verifying.settling import Unasked, check_line
from recordings.ledger.verifying.standing import check_standing
from recordings.ledger.verifying.walking import Walk, check_nothing_beyond
from recordings.models import Seal, SealKey

type Progress = Callable[[int], object]


@dataclass(frozen=True)
class Report:
    """What a run found.

    `size` is how far the ledger was sealed when it began, `checked` how many of these leaves it came to, `unsealed` how
    many entries waited for their seal, `rows` how many records were held against entries. `alarms` are the first of
    each kind, `alarm_count` says how many there were.
    """

    size: int
    checked: int
    unsealed: int
    rows: int
    alarms: Sequence[Found]
    alarm_count: int

    @property
    def passed(self) -> bool:
        return not self.alarm_count


@any_bytes_as_text()
def verify_all(*, kept: Sequence[Kept] = (), only_keys: Collection[str] = (), progress: Progress = int) -> Report:
    """Verify the ledger as far as it is sealed now, and the records beside it.

    Asks in many short statements, in none of a transaction that lasts, and keeps nothing but hashes that wait for their
    leaf: so a ledger of any length takes the same memory, and the site goes on writing. `kept` are checkpoints from
    elsewhere, the smallest first; `only_keys` are the fingerprints of the keys that are believed, without any all are.
    `progress` is told how many leaves were checked, every few seconds at least and to the end: it may raise what ends
    the run.
    """
    alarms = Alarms()
    tree = verify_tree(alarms, kept=kept, only_keys=only_keys, progress=progress, with_columns=True)
    rows = 0
    for some in _beside(alarms):
        rows += some
        progress(tree.checked)
    return replace(tree, rows=rows, alarms=_placed(alarms.kept()), alarm_count=alarms.total)


def _beside(alarms: Alarms) -> Iterator[int]:
    """The records beside the ledger, a step at a time; yields how many records it held against entries."""
    yield from check_calls(alarms)
    yield from check_strays(alarms)
    yield from check_files(alarms)
    yield from check_keys(alarms)
    yield from check_standing(alarms)
    yield from check_corrections(alarms)
    yield from check_findings(alarms)
    yield from check_own_key(alarms)
    yield from check_dates(alarms)


def verify_tree(
    alarms: Alarms,
    *,
    kept: Sequence[Kept] = (),
    only_keys: Collection[str] = (),
    progress: Progress = int,
    with_columns: bool = False,
) -> Report:
    """The leaves, the tree and the seals; the entries' other columns where `with_columns`."""
    size = Seal.objects.filter(size__lt=LARGEST_INDEX).order_by("-size").values_list("size", flat=True).first() or 0
    last = newest_key()
    unasked = Unasked(alarms)
    found = blocks(until=last, with_columns=with_columns) if last else iter(())
    for key in keys_that_are_none():
        alarms.sound(Alarm.ENTRY_INSERTED, f"An entry is there under {key!r}, which is no key of an entry.")
    leaves = Leaves(_with_columns(found, alarms), settle=unasked.settle)
    keys = Keys(SealKey.objects.defer("first_used_at"), only=only_keys)
    seals, copies = expected_of_seals(keys, alarms, until=size), expected_of_kept(kept, keys, alarms, size=size)
    walk = Walk(leaves, heapq.merge(seals, copies, key=attrgetter("size")), alarms)
    walk.go(until=size, progress=progress)
    for _ in chain(leaves.settle_rest(), check_line(alarms, size=size)):
        progress(walk.checked)
    check_nothing_beyond(alarms)
    return Report(size, walk.checked, unasked.unsealed, 0, alarms.kept(), alarms.total)


def _with_columns(found: Iterator[Block], alarms: Alarms) -> Iterator[Block]:
    for block in found:
        for key, names in block.wrong:
            entry = UUID(key)
            alarms.sound(Alarm.COLUMN_CHANGED, f"Entry {entry} differs from its own text: {names}.", entry=entry)
        yield block


def _placed(found: Sequence[Found]) -> Sequence[Found]:
    """With the index of the entry where only its key was known, the first ones first."""
    places = places_of([one.entry for one in found if one.entry and one.index is None])
    placed = [replace(one, index=places.get(one.entry)) if one.entry and one.index is None else one for one in found]
    return sorted(placed, key=lambda one: (one.index is None, one.index or 0))
