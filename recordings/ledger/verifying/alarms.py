"""What verification found, by kind and place."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from recordings.choices import Alarm

# Of one kind. All are counted; who needs more than these needs the database itself.
MOST_KEPT = 20


@dataclass(frozen=True)
class Found:
    """One alarm. `index` is the place in the tree, the first one where it is about several; None where it has none."""

    kind: Alarm
    sentence: str
    index: int | None = None
    entry: UUID | None = None

    def as_json(self) -> dict[str, object]:
        entry = str(self.entry) if self.entry else None
        return {"kind": self.kind.value, "index": self.index, "entry": entry, "sentence": self.sentence}


class Alarms:
    """Every alarm is counted, and the first MOST_KEPT of each kind are kept."""

    def __init__(self) -> None:
        self.counts: Counter[Alarm] = Counter()
        self._kept: list[Found] = []

    @property
    def total(self) -> int:
        return self.counts.total()

    def sound(self, kind: Alarm, sentence: str, *, index: int | None = None, entry: UUID | None = None) -> None:
        self.add([Found(kind, sentence, index, entry)])

    def add(self, found: Iterable[Found]) -> None:
        for one in found:
            self.counts[one.kind] += 1
            if self.counts[one.kind] <= MOST_KEPT:
                self._kept.append(replace(one, sentence=_printable(one.sentence)))

    def kept(self) -> list[Found]:
        """By their place in the tree; those without one come last."""
        return sorted(self._kept, key=lambda one: (one.index is None, one.index or 0))


def _printable(sentence: str) -> str:
    """It may name what somebody put into a row, and no database keeps a NUL or half a character."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in sentence)
