"""What was said of one leg, kept so that the same words give the same answer in whatever order they came.

A recorder's events are delivered at least once and in any order (CloudEvents; reference on Graph, section 5). So
nothing here depends on when a word was heard, only on the moment it speaks of: of every state of capture the first and
the latest word are kept, the latest words that said that something began, and of every fact the word that told it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple, Self

from recordings.choices import CALL_STATE_RANK, CallState

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


class Move(NamedTuple):
    """A word that changed what stood before it."""

    old: str
    word: Word


@dataclass(frozen=True)
class Heard:
    """All that is kept: each capture state's first and latest word, beginnings of them, what Teams was told, the call's
    states, and the word behind each fact that only the latest word counts for."""

    firsts: Mapping[str, Word] = field(default_factory=dict)
    claims: Mapping[str, Word] = field(default_factory=dict)
    captures: tuple[Word, ...] = ()
    told: tuple[Word, ...] = ()
    states: tuple[Word, ...] = ()
    about: Mapping[str, Word] = field(default_factory=dict)

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

    def with_state(self, word: Word) -> Self:
        """The word that stands is never forgotten, however old it is."""
        words = {*self.states, word}
        standing = max(words, key=_by_rank)
        return replace(self, states=tuple(sorted({standing, *sorted(words - {standing})[1 - KEPT :]})))

    def with_fact(self, name: str, word: Word) -> Self:
        return replace(self, about={**self.about, name: word})

    @property
    def state(self) -> Word | None:
        """What the call's state rests on: the highest rank, and within it the latest word (invariant 5)."""
        return max(self.states, key=_by_rank, default=None)

    @property
    def capture_words(self) -> tuple[Word, ...]:
        """All that is kept of capture, the oldest first."""
        return tuple(sorted({*self.captures, *self.firsts.values(), *self.claims.values()}))

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
        return self.capture_since((current.value,)) if current else None

    def capture_since(self, states: Collection[str]) -> datetime | None:
        """Since when capture has been in any of these states; None if it is in none of them."""
        current = self.capture
        if current is None or current.value not in states:
            return None
        other = max((word for word in self.claims.values() if word.value not in states), default=None)
        if other is None:
            return min(word for word in self.firsts.values() if word.value in states).at
        begun = [word for word in self.captures if word.value in states and word > other]
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
            "states": [_row(word) for word in self.states],
            "about": self._facts_by_word(),
        }

    def _facts_by_word(self) -> list[list[Any]]:
        """Most facts of a call come with one word, which is kept once for all of them."""
        told: dict[Word, list[str]] = {}
        for name, word in sorted(self.about.items()):
            told.setdefault(word, []).append(name)
        return [[*_row(word), names] for word, names in sorted(told.items())]

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        return cls(
            firsts={word.value: word for word in map(_word, kept.get("firsts", ()))},
            claims={word.value: word for word in map(_word, kept.get("claims", ()))},
            captures=tuple(map(_word, kept.get("captures", ()))),
            told=tuple(map(_word, kept.get("told", ()))),
            states=tuple(map(_word, kept.get("states", ()))),
            about={name: _word(row[:4]) for row in kept.get("about", ()) for name in row[4]},
        )


def changes(words: Iterable[Word]) -> tuple[datetime, ...]:
    """The moments at which a word said something else than the one before it, oldest first."""
    ordered = sorted(words)
    return tuple(new.at for old, new in pairwise(ordered) if old.value != new.value)


def moves(words: Iterable[Word], *, at_first: str, is_state: bool = False) -> tuple[Move, ...]:
    """What the words changed, oldest first; of a call's states a lower rank changes nothing."""
    found, standing = [], at_first
    for word in sorted(words):
        value = merged_state(standing, word.value) if is_state else word.value
        if value != standing:
            found.append(Move(standing, word))
        standing = value
    return tuple(found)


def late_moves(
    before: Iterable[Word], after: Iterable[Word], word: Word, *, at_first: str, is_state: bool = False
) -> tuple[Move, ...]:
    """What `word` changed in the past, where words were known `before` it and `after` it.

    That is itself, and the next word if until now that one only confirmed what stood.
    """
    known = {move.word for move in moves(before, at_first=at_first, is_state=is_state)}
    after = tuple(after)
    touched = sorted(each for each in after if each >= word)[:2]
    now_moving = moves(after, at_first=at_first, is_state=is_state)
    return tuple(move for move in now_moving if move.word in touched and move.word not in known)


def merged_state(old: str, new: str) -> str:
    """The call's state once `new` was heard while `old` stood: a lower rank never replaces a higher (invariant 5)."""
    return new if _rank(new) >= _rank(old) else old


def _rank(state: str) -> int:
    """A word Graph invents later ranks with the established ones: it moves a call, but never ends it."""
    return _RANKS.get(state, _RANKS[CallState.ESTABLISHED])


def _by_rank(word: Word) -> tuple[int, Word]:
    return _rank(word.value), word


def _latest(words: Iterable[Word]) -> tuple[Word, ...]:
    return tuple(sorted(set(words))[-KEPT:])


def _row(word: Word) -> list[str | int]:
    """Microseconds since 1970, so that a moment comes back as the very same."""
    return [(word.at - _EPOCH) // timedelta(microseconds=1), word.weight, word.sequence, word.value]


def _word(row: list[Any]) -> Word:
    microseconds, weight, sequence, value = row
    return Word(_EPOCH + timedelta(microseconds=microseconds), weight, sequence, value)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANKS = {state.value: rank for state, rank in CALL_STATE_RANK.items()}
