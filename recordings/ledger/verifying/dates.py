"""The dates of entries and seals, held against their order in the tree.

An entry bears its time twice: in its key (UUIDv7, milliseconds) and as `recorded_at`. Its place in the tree says since
when it has really been there, so that what is put in later cannot pass for old. Entries that wait are sealed in the
order of their keys, however long they wait; out of this order comes only what was committed late.
"""

import sys
from array import array
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import TextField
from django.db.models.functions import Cast

from recordings.choices import Alarm
from recordings.ledger.places import LARGEST_INDEX
from recordings.ledger.verifying.alarms import MOST_KEPT, Alarms
from recordings.ledger.verifying.entries import entries_with_keys
from recordings.ledger.verifying.hashing import KEY_BYTES
from recordings.ledger.verifying.reading import as_bytes, rows_of, with_keys
from recordings.models import LeafBatch, Seal, Unsealed
from recordings.models.keys import new_key, parse_key

# The longest that a transaction of the product takes is the import of a large file: its entries bear the time of its
# beginning, and are there from its end on. Two clocks are closer together than that.
TOLERANCE = timedelta(hours=1)
_SLACK = TOLERANCE // timedelta(milliseconds=1)
BATCHES = 256
SEALS = 1000
ENTRIES = 10_000

# The first twelve digits of a key are its milliseconds. Compared by the database, so that a moment which is none, as
# an owner may leave it, stops nobody: as a column it sounds an alarm of its own.
_APART = {
    "postgresql": """
SELECT id FROM (
    SELECT id, recorded_at, to_timestamp(('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0)
        AS keyed_at FROM recordings_ledgerentry WHERE id >= %(first)s AND id <= %(last)s
) AS page
WHERE recorded_at NOT BETWEEN keyed_at - %(hours)s * interval '1 hour' AND keyed_at + %(hours)s * interval '1 hour'
ORDER BY id
""",
    "sqlite": """
SELECT id FROM (
    SELECT id, substr(id, 1, 12) AS keyed, strftime('%%s', recorded_at) AS seconds
    FROM recordings_ledgerentry WHERE id >= %(first)s AND id <= %(last)s
) AS page
WHERE keyed NOT BETWEEN printf('%%012x', max(seconds - 3600 * %(hours)s, 0) * 1000)
    AND printf('%%012x', max(seconds + 1 + 3600 * %(hours)s, 0) * 1000)
ORDER BY id
""",
}


class Sealed(NamedTuple):
    """A seal, and when it says it was made, in milliseconds since 1970; None where that is no moment."""

    size: int
    at: int | None


def check_dates(alarms: Alarms) -> Iterator[int]:
    """Entries and seals, a page at a time. Yields 0 each time: no record beside the ledger is looked at."""
    dates = _Dates(alarms)
    for page in _batches():
        for first_index, keys in page:
            dates.take(first_index, keys)
        yield 0
    dates.finish()
    yield from _check_recorded(alarms)


class _Dates:
    """How far the dates have come, in milliseconds since 1970: under the seals before, and under the one at hand."""

    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms
        self._seals = _seals()
        self._seal = next(self._seals, None)
        self._under_earlier = self._newest = 0
        self._is_told = False
        self._judge_seal(before=None)

    def take(self, first_index: int, keys: bytes) -> None:
        """A batch of leaves; one that no seal covers is no leaf, which the tree's check says."""
        while self._seal and self._seal.size <= first_index:
            self._turn()
        times = _times(keys)
        if self._seal is None or not times:
            return
        if min(times) < self._under_earlier - _SLACK:
            self._name_old(first_index, keys, times)
        if max(times) > self._latest_allowed:
            self._name_new(first_index, keys, times)
        within = max(times) if max(times) <= self._latest_allowed else 0
        self._newest = max(self._newest, within)

    def finish(self) -> None:
        """The seals that are left, and what waits for the next one."""
        while self._seal:
            self._turn()
        before = UUID(int=max(self._under_earlier - _SLACK, 0) << 80)
        waiting = Unsealed.objects.filter(pk__lt=before).order_by("pk")
        for (key,) in with_keys(rows_of(waiting[:MOST_KEPT], "pk")):
            sentence = f"Entry {key} waits for its seal, and is dated more than an hour before entries that have one."
            self._alarms.sound(Alarm.ENTRY_MISDATED, sentence, entry=key)

    @property
    def _latest_allowed(self) -> int:
        return _SLACK + (self._seal.at if self._seal and self._seal.at is not None else sys.maxsize)

    def _turn(self) -> None:
        before, self._seal = self._seal, next(self._seals, None)
        self._under_earlier, self._is_told = self._newest, False
        self._judge_seal(before=before)

    def _judge_seal(self, *, before: Sealed | None) -> None:
        seal, index = self._seal, before.size if before else 0
        if seal is None:
            return
        if seal.at is None:
            self._sound_seal(f"The seal over the first {seal.size} entries has a date that is none.", index)
        elif before and before.at is not None and seal.at < before.at:
            sentence = f"The seal over the first {seal.size} entries is dated before the one over {before.size}."
            self._sound_seal(sentence, index)
        elif seal.at > _milliseconds(new_key()) + _SLACK:
            self._sound_seal(f"The seal over the first {seal.size} entries is dated in the future.", index)

    def _sound_seal(self, sentence: str, index: int) -> None:
        self._alarms.sound(Alarm.SEAL_MISDATED, sentence, index=index)

    def _name_old(self, first_index: int, keys: bytes, times: Sequence[int]) -> None:
        for at, time in enumerate(times):
            if time < self._under_earlier - _SLACK:
                key = _key_at(keys, at)
                sentence = (
                    f"Entry {first_index + at} ({key}) is dated {_worded(time)}, more than an hour before entries "
                    f"that were sealed before it, up to {_worded(self._under_earlier)}."
                )
                self._alarms.sound(Alarm.ENTRY_MISDATED, sentence, index=first_index + at, entry=key)

    def _name_new(self, first_index: int, keys: bytes, times: Sequence[int]) -> None:
        """The first of a seal: whether it or the seal bears the wrong date, nobody can tell from here."""
        if self._is_told or self._seal is None or self._seal.at is None:
            return
        self._is_told = True
        at, time = next((at, time) for at, time in enumerate(times) if time > self._latest_allowed)
        sentence = (
            f"The seal over the first {self._seal.size} entries is dated {_worded(self._seal.at)}, more than an hour "
            f"before entry {first_index + at} ({_key_at(keys, at)}), which it covers and which is dated "
            f"{_worded(time)}."
        )
        self._alarms.sound(Alarm.SEAL_MISDATED, sentence, index=first_index + at)


def _check_recorded(alarms: Alarms) -> Iterator[int]:
    """The time in each entry's key, against its `recorded_at`."""
    keys = entries_with_keys().order_by("pk").values_list("pk", flat=True)
    first = keys.first()
    while first:
        last = keys.filter(pk__gte=first)[ENTRIES - 1 : ENTRIES].first() or keys.last()
        for key in _apart(first, last or first):
            sentence = f"Entry {key} was recorded at another time than its key says, more than an hour apart."
            alarms.sound(Alarm.ENTRY_MISDATED, sentence, entry=key)
        yield 0
        first = keys.filter(pk__gt=last or first).first()


def _apart(first: UUID, last: UUID) -> list[UUID]:
    is_text = connection.vendor == "sqlite"
    bounds = {"first": first.hex if is_text else first, "last": last.hex if is_text else last}
    with connection.cursor() as cursor:
        cursor.execute(_APART[connection.vendor], {**bounds, "hours": TOLERANCE // timedelta(hours=1)})
        found = [key for (key,) in cursor.fetchall()]
    return [own for own in map(parse_key, found) if own] if is_text else found


def _batches() -> Iterator[list[tuple[int, bytes]]]:
    """By their first index; the keys only."""
    batches = (
        LeafBatch.objects.filter(first_index__gte=0, first_index__lt=LARGEST_INDEX)
        .order_by("first_index")
        .values_list("first_index", "entry_ids")
    )
    page = list(batches[:BATCHES])
    while page:
        yield [(first, as_bytes(keys)) for first, keys in page]
        page = list(batches.filter(first_index__gt=page[-1][0])[:BATCHES])


def _seals() -> Iterator[Sealed]:
    """By their size. The date is asked for as a text, which can be read whatever stands there."""
    seals = Seal.objects.filter(size__lt=LARGEST_INDEX).annotate(at=Cast("sealed_at", TextField()))
    rows = seals.order_by("size").values_list("size", "at")
    page = list(rows[:SEALS])
    while page:
        yield from [Sealed(size, _moment(at)) for size, at in page]
        page = list(rows.filter(size__gt=page[-1][0])[:SEALS])


def _moment(text: str) -> int | None:
    """Both databases write UTC, SQLite without saying so."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _times(keys: bytes) -> Sequence[int]:
    """The milliseconds of each key, without an object for each of its bytes: this looks at every leaf there is."""
    halves = array("Q", keys[: len(keys) // KEY_BYTES * KEY_BYTES])
    if sys.byteorder == "little":
        halves.byteswap()
    return [half >> 16 for half in halves[::2]]


def _key_at(keys: bytes, at: int) -> UUID:
    return UUID(bytes=keys[at * KEY_BYTES : (at + 1) * KEY_BYTES])


def _milliseconds(key: UUID) -> int:
    return key.int >> 80


def _worded(milliseconds: int) -> str:
    """In UTC; a key can bear a time that no calendar has."""
    try:
        return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds):%Y-%m-%d %H:%M:%S} UTC"
    except OverflowError:
        return "after the year 9999"
