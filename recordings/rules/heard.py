"""What was said of one leg, kept so that the same words give the same answer in whatever order they came.

A recorder's events are delivered at least once and in any order (CloudEvents; reference on Graph, section 5). So
nothing here depends on when a word was heard, only on the moment it speaks of: of every state the first and the latest
word are kept, and the latest words that said that something began.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Self

# More than any leg says in earnest; beyond it the oldest words are forgotten.
KEPT = 50


@dataclass(frozen=True, order=True)
class Word:
    """One word on one thing: the moment it speaks of (aware UTC), and what it says.

    At one moment Graph's word outranks a recorder's, and a recorder's own sequence decides between two of its words.
    """

    at: datetime
    weight: int = 0
    sequence: int = 0
    value: str = ""


@dataclass(frozen=True)
class Heard:
    """All that is kept: each capture state's first and latest word, beginnings of them, and what Teams was told."""

    firsts: Mapping[str, Word] = field(default_factory=dict)
    claims: Mapping[str, Word] = field(default_factory=dict)
    captures: tuple[Word, ...] = ()
    told: tuple[Word, ...] = ()

    def with_claim(self, word: Word, *, is_beginning: bool) -> Self:
        """A word on capture; `is_beginning` for one that says that this state began then, as no heartbeat does."""
        first = min(word, self.firsts.get(word.value, word))
        latest = max(word, self.claims.get(word.value, word))
        return replace(
            self,
            firsts={**self.firsts, word.value: first},
            claims={**self.claims, word.value: latest},
            captures=_latest((*self.captures, word)) if is_beginning else self.captures,
        )

    def with_told(self, word: Word) -> Self:
        return replace(self, told=_latest((*self.told, word)))

    @property
    def capture(self) -> Word | None:
        """The latest word on capture."""
        return max(self.claims.values(), default=None)

    @property
    def capture_changed_at(self) -> datetime | None:
        """Since when capture has been as it is: its first beginning after the last word that said otherwise.

        Where only heartbeats tell of it, that last other word is the earliest moment it can have begun.
        """
        current = self.capture
        if current is None:
            return None
        other = max((word for word in self.claims.values() if word.value != current.value), default=None)
        if other is None:
            return self.firsts[current.value].at
        begun = [word for word in self.captures if word.value == current.value and word > other]
        return min(begun, default=other).at

    @property
    def status(self) -> Word | None:
        """What Teams was told last."""
        return max(self.told, default=None)

    @property
    def told_changed_at(self) -> datetime | None:
        """Since when that stands: the first time it was told after anything else."""
        current = self.status
        if current is None:
            return None
        other = max((word for word in self.told if word.value != current.value), default=None)
        return min(word for word in self.told if other is None or word > other).at

    def as_json(self) -> dict[str, Any]:
        return {
            "firsts": [_row(word) for word in sorted(self.firsts.values())],
            "claims": [_row(word) for word in sorted(self.claims.values())],
            "captures": [_row(word) for word in self.captures],
            "told": [_row(word) for word in self.told],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        return cls(
            firsts={word.value: word for word in map(_word, kept.get("firsts", ()))},
            claims={word.value: word for word in map(_word, kept.get("claims", ()))},
            captures=tuple(map(_word, kept.get("captures", ()))),
            told=tuple(map(_word, kept.get("told", ()))),
        )


def changes(words: Iterable[Word]) -> tuple[datetime, ...]:
    """The moments at which a word said something else than the one before it, oldest first."""
    ordered = sorted(words)
    return tuple(new.at for old, new in pairwise(ordered) if old.value != new.value)


def _latest(words: Iterable[Word]) -> tuple[Word, ...]:
    return tuple(sorted(set(words))[-KEPT:])


def _row(word: Word) -> list[str | int]:
    """Microseconds since 1970, so that a moment comes back as the very same."""
    return [(word.at - _EPOCH) // timedelta(microseconds=1), word.weight, word.sequence, word.value]


def _word(row: list[Any]) -> Word:
    microseconds, weight, sequence, value = row
    return Word(_EPOCH + timedelta(microseconds=microseconds), weight, sequence, value)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
