"""Records beside the ledger, held against the entries that were written with them."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from recordings.choices import Alarm
from recordings.ledger.verifying.alarms import Found

# What the site writes between two statements is seen by one of them only, so what seems wrong is looked at so often.
LOOKS = 3

type Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """What an entry says of one record."""

    entry: UUID
    facts: Facts


def unequal[Key: Hashable](what: str, told: Mapping[Key, Told], rows: Mapping[Key, Facts]) -> Iterator[Found]:
    """Records that differ from their entry, are missing, or of which no entry tells. `what` is such a record's name.

    A record's facts bear the names they have in the body; what the body says besides is not about the record.
    """
    for key, one in told.items():
        if key not in rows:
            sentence = f"The {what} {_worded(key)} is gone, of which entry {one.entry} tells."
            yield Found(Alarm.ROW_MISSING, sentence, entry=one.entry)
        elif names := [name for name, value in rows[key].items() if one.facts.get(name) != value]:
            sentence = f"The {what} {_worded(key)} differs from entry {one.entry} in {', '.join(names)}."
            yield Found(Alarm.ROW_DIFFERS, sentence, entry=one.entry)
    for key in rows:
        if key not in told:
            yield Found(Alarm.ROW_UNTOLD, f"No entry tells of the {what} {_worded(key)}.")


def each_time(look: Callable[[], list[Found]]) -> list[Found]:
    """What every look finds: a record and its entry were written in one transaction, whenever that was."""
    found = look()
    for _ in range(LOOKS - 1):
        if found:
            again = look()
            found = [one for one in found if one in again]
    return found


def _worded(key: Hashable) -> str:
    return " ".join(map(str, key)) if isinstance(key, tuple) else str(key)
