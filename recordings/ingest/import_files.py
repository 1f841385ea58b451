"""A file of calls as numbered lines of data: JSON Lines or CSV, read once from beginning to end."""

import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import BinaryIO

from recordings.ingest.import_lines import BadLine, check_names

type Data = dict[str, object]
type Found = Data | BadLine


class HashedText:
    """The lines of a file as text, and the digest of the bytes read so far."""

    def __init__(self, opened: BinaryIO) -> None:
        self._opened, self._hash = opened, hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[str]:
        """Bytes that are no UTF-8 stay recognisable (as lone surrogates), so that their line can be named."""
        for number, line in enumerate(self._opened):
            self._hash.update(line)
            yield line.decode("utf-8", "surrogateescape").removeprefix("\ufeff" if number == 0 else "")


def json_lines(text: HashedText) -> Iterator[tuple[int, Found]]:
    for number, line in enumerate(text, start=1):
        if line.strip():
            yield number, _json(line)


def _json(line: str) -> Found:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return BadLine("is not JSON")
    return data if isinstance(data, dict) else BadLine("is not a JSON object")


def csv_rows(text: HashedText) -> Iterator[tuple[int, Found]]:
    """Rows under a header row. After a row that is no CSV at all nothing that follows can be trusted.

    Under a wrong header every row would be wrong: that is said once, of the header.
    """
    reader = csv.reader(iter(text), strict=True)
    try:
        header = next(reader, [])
        problem = _problem_of(header)
        if problem:
            yield reader.line_num, problem
            return
        for cells in reader:
            if cells:
                yield reader.line_num, _row(header, cells)
    except csv.Error as problem:
        yield reader.line_num, BadLine(f"is not CSV: {problem}")


def _problem_of(header: list[str]) -> BadLine | None:
    try:
        check_names(header)
    except BadLine as problem:
        return problem
    return None if "graphId" in header or "graph_id" in header or not header else BadLine("has no column graphId")


def _row(header: list[str], cells: list[str]) -> Found:
    if len(cells) != len(header):
        return BadLine(f"has {len(cells)} cells, the header has {len(header)}")
    return dict(zip(header, cells, strict=True))


READERS: dict[str, Callable[[HashedText], Iterator[tuple[int, Found]]]] = {"jsonl": json_lines, "csv": csv_rows}
