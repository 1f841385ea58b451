"""Calls from a file, all of them or none. A word that is known better already changes nothing.

Reading, checking and foreseeing take no lock; what then has to be written is written in one short transaction.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from pathlib import Path

from django.db import transaction

from recordings import conf, ledger
from recordings.choices import LedgerAction
from recordings.ingest.calls import locked_call, reschedule_all
from recordings.ingest.held import locked_calls, removed_legs
from recordings.ingest.import_files import READERS, Found, HashedText
from recordings.ingest.import_lines import BadLine, ImportedCall, parse_call
from recordings.ingest.import_words import Effect, foresee, take
from recordings.models import Actor, Call

FORMATS = tuple(READERS)
MOST_PROBLEMS = 100
READ_AT_ONCE = 500

type Progress = Callable[[int], None]


@dataclass
class Imported:
    """How an import went: calls that were new, learned something, or said nothing new; and the lines that are wrong."""

    sha256: str = ""
    problems: list[str] = field(default_factory=list)
    problem_count: int = 0
    seen: dict[str, int] = field(default_factory=dict)  # the id of a call -> its line
    effects: Counter[Effect] = field(default_factory=Counter)

    @property
    def new(self) -> int:
        return self.effects[Effect.NEW]

    @property
    def changed(self) -> int:
        return self.effects[Effect.CHANGED]

    @property
    def unchanged(self) -> int:
        return self.effects[Effect.UNCHANGED]

    def note(self, line: int, problem: BadLine) -> None:
        self.problem_count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(f"line {line}: {problem}")

    def check(self) -> None:
        if self.problem_count:
            raise ImportRefused(self)


class ImportRefused(Exception):
    """Some lines are wrong, and `result` names them. Nothing was written."""

    def __init__(self, result: Imported) -> None:
        super().__init__(f"{result.problem_count} of the lines are wrong.")
        self.result = result


def import_calls(
    file: Path, *, form: str, actor: Actor | None, now: datetime, progress: Progress = lambda line: None
) -> Imported:
    """Take in every call of `file` (`now` aware UTC). Without an actor it is a dry run, which writes and locks nothing.

    Raises ImportRefused if any line is wrong; OSError if the file cannot be read.
    """
    result = Imported()
    said = _read(file, result, form=form, now=now, progress=progress)
    foreseen = _foresee(said, result, now=now)
    result.check()
    if actor is None:
        result.effects = Counter(effect for _, effect, _ in foreseen)
    else:
        _write(file, foreseen, result, actor=actor, now=now)
    return result


def _read(file: Path, result: Imported, *, form: str, now: datetime, progress: Progress) -> list[ImportedCall]:
    said = []
    with file.open("rb") as opened:
        text = HashedText(opened)
        for line, found in READERS[form](text):
            try:
                said.append(_parsed(line, found, result, now=now))
            except BadLine as problem:
                result.note(line, problem)
            progress(line)
        result.sha256 = text.sha256
    return said


def _parsed(line: int, found: Found, result: Imported, *, now: datetime) -> ImportedCall:
    if isinstance(found, BadLine):
        raise found
    said = parse_call(found, now=now, claim_fresh=conf.graces().claim_fresh)
    before = result.seen.setdefault(said.graph_id, line)
    if before != line:
        raise BadLine(f"call {said.graph_id} stands in line {before} already")
    return said


def _foresee(
    said: Iterable[ImportedCall], result: Imported, *, now: datetime
) -> list[tuple[ImportedCall, Effect, bool]]:
    """Every line with its effect and whether it moves anything, by what is known now."""
    foreseen = []
    for some in batched(said, READ_AT_ONCE):
        known = Call.objects.in_bulk([each.graph_id for each in some], field_name="graph_id")
        for each in some:
            try:
                foreseen.append((each, *foresee(each, known.get(each.graph_id))))
            except BadLine as problem:
                result.note(result.seen[each.graph_id], problem)
    return foreseen


def _write(
    file: Path, foreseen: Sequence[tuple[ImportedCall, Effect, bool]], result: Imported, *, actor: Actor, now: datetime
) -> None:
    """What moves something, all of it or nothing. Calls are locked in the order of their ids, as heartbeats do it.

    So are ended legs of the same conversations, which are judged by the others (R10).
    """
    moving = {said.graph_id: said for said, _, moves in foreseen if moves}
    result.effects = Counter(effect for _, effect, moves in foreseen if not moves)
    with transaction.atomic():
        beside = removed_legs(said.about.get("call_chain_id", "") for said in moving.values())
        for graph_id in sorted(moving.keys() | beside):
            if graph_id not in moving:
                locked_call(graph_id)
                continue
            try:
                result.effects[take(moving[graph_id], actor=actor, now=now)] += 1
            except BadLine as problem:  # somebody else made the call meanwhile
                result.note(result.seen[graph_id], problem)
                break
        result.check()
        reschedule_all(list(locked_calls(beside)), now=now)
        _record(file.name, result, actor=actor, now=now)


def _record(name: str, result: Imported, *, actor: Actor, now: datetime) -> None:
    """A file's name is bytes, and not always text."""
    ledger.record(
        LedgerAction.IMPORT_FINISHED,
        actor=actor,
        now=now,
        file=os.fsencode(name).decode("utf-8", "backslashreplace"),
        sha256=result.sha256,
        lines=len(result.seen),
        new=result.new,
        changed=result.changed,
        unchanged=result.unchanged,
    )
