"""Entries that no leaf asked for: they wait for their seal, were sealed meanwhile, or were smuggled in."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db.models import Exists, OuterRef

from recordings.choices import Alarm
from recordings.ledger.places import places_of
from recordings.ledger.verifying.alarms import Alarms
from recordings.ledger.verifying.reading import rows_of, with_keys
from recordings.models import LedgerEntry, Unsealed

STEP = 1000


class Unasked:
    """Judges keys that no leaf asked for. `unsealed` counts those that wait."""

    def __init__(self, alarms: Alarms) -> None:
        self.unsealed = 0
        self._alarms = alarms

    def settle(self, keys: Sequence[UUID]) -> None:
        for at in range(0, len(keys), STEP):
            self._settle(keys[at : at + STEP])

    def _settle(self, keys: Sequence[UUID]) -> None:
        """The line is read before the leaves: an entry goes from the one to the other, never back."""
        waiting = set(Unsealed.objects.filter(entry__in=keys).values_list("entry", flat=True))
        self.unsealed += len(waiting)
        rest = [key for key in keys if key not in waiting]
        places = places_of(rest) if rest else {}
        for key in rest:
            if key not in places:
                self._alarms.sound(
                    Alarm.ENTRY_INSERTED, f"Entry {key} is neither sealed nor in line for a seal.", entry=key
                )


def check_line(alarms: Alarms, *, size: int) -> Iterator[int]:
    """Whoever waits for a seal is an entry, and has no place below `size`, the newest seal's, since a seal takes its
    entries out of the line. Yields how many wait, a page at a time.
    """
    lost = Unsealed.objects.filter(~Exists(LedgerEntry.objects.filter(pk=OuterRef("entry"))))
    for (key,) in rows_of(lost.order_by("pk")[:STEP], "pk"):
        sentence = f"Entry {key} waits for its seal, and is gone."
        alarms.sound(Alarm.ENTRY_MISSING, sentence, entry=key if isinstance(key, UUID) else None)
    line, after = Unsealed.objects.order_by("pk"), None
    while rows := with_keys(rows_of((line.filter(pk__gt=after) if after else line)[:STEP], "pk")):
        page = [key for (key,) in rows]
        for key, place in places_of(page, below=size).items():
            sentence = f"Entry {place} ({key}) is sealed, and waits for a second place."
            alarms.sound(Alarm.ENTRY_DOUBLED, sentence, index=place, entry=key)
        yield len(page)
        after = page[-1]
