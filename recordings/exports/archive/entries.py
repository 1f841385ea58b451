"""The entries of an export, put into the order of the tree on disk, since rows come in the order of their keys."""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Self

type Range = tuple[int, int]

# In kibibytes: what of the file may stand in memory.
_CACHE = 2048


class SortedEntries:
    """Bodies by their index in the tree, each once.

    A database without a name is a file of SQLite's that no directory lists: it is gone with the process, killed or not.
    """

    def __init__(self) -> None:
        self._rows = sqlite3.connect("", isolation_level=None)
        for setting in (f"cache_size = -{_CACHE}", "journal_mode = OFF", "synchronous = OFF", "temp_store = FILE"):
            self._rows.execute(f"PRAGMA {setting}")
        self._rows.execute("CREATE TABLE entry (place INTEGER PRIMARY KEY, body TEXT NOT NULL)")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._rows.close()

    def add(self, entries: Iterable[tuple[int, str]]) -> None:
        """Indexes and bodies; one that is there already is left as it is."""
        self._rows.execute("BEGIN")
        self._rows.executemany("INSERT OR IGNORE INTO entry VALUES (?, ?)", entries)
        self._rows.execute("COMMIT")

    def count(self) -> int:
        number: int = self._rows.execute("SELECT COUNT(*) FROM entry").fetchone()[0]
        return number

    def lines(self) -> Iterator[bytes]:
        """The very bytes that are hashed, each with a line's end, in the order of the tree."""
        for (body,) in self._rows.execute("SELECT body FROM entry ORDER BY place"):
            yield f"{body}\n".encode()

    def ranges(self) -> Iterator[Range]:
        """The longest stretches of indexes without a gap, first and last, from left to right."""
        first = last = -1
        for (place,) in self._rows.execute("SELECT place FROM entry ORDER BY place"):
            if first >= 0 and place > last + 1:
                yield first, last
            first, last = (place if first < 0 or place > last + 1 else first), place
        if first >= 0:
            yield first, last
