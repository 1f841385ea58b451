"""Calls from a file, all of them or none. A word that is known better already changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.db import transaction

from recordings import conf, ledger
from recordings.choices import CallState, LedgerAction, Source
from recordings.ingest.calls import Said, locked_or_new_call, take_over
from recordings.ingest.import_files import READERS, Found, HashedText
from recordings.ingest.import_lines import BadLine, ImportedCall, parse_call
from recordings.models import Actor, Call

FORMATS = tuple(READERS)
MOST_PROBLEMS = 100

type Progress = Callable[[int], None]


@dataclass
class Imported:
    """How an import went: calls that were new, learned something, or said nothing new; and the lines that are wrong."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    sha256: str = ""
    problems: list[str] = field(default_factory=list)
    problem_count: int = 0
    seen: dict[str, int] = field(default_factory=dict)

    def note(self, line: int, problem: str) -> None:
        self.problem_count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(f"line {line}: {problem}")


class ImportRefused(Exception):
    """Some lines are wrong, and `result` names them. Nothing was written."""

    def __init__(self, result: Imported) -> None:
        super().__init__(f"{result.problem_count} of the lines are wrong.")
        self.result = result


def import_calls(
    file: Path, *, form: str, actor: Actor, now: datetime, is_dry_run: bool, progress: Progress = lambda line: None
) -> Imported:
    """Take in every call of `file` in one transaction (`now` aware UTC); a dry run does the same and takes it back.

    Raises ImportRefused if any line is wrong; OSError if the file cannot be read.
    """
    result = Imported()
    with file.open("rb") as opened, transaction.atomic():
        text = HashedText(opened)
        for line, found in READERS[form](text):
            _take_line(line, found, result, actor=actor, now=now)
            progress(line)
        result.sha256 = text.sha256
        if result.problem_count or is_dry_run:
            transaction.set_rollback(True)
        else:
            _record(file.name, result, actor=actor, now=now)
    if result.problem_count:
        raise ImportRefused(result)
    return result


def _take_line(line: int, found: Found, result: Imported, *, actor: Actor, now: datetime) -> None:
    try:
        if isinstance(found, BadLine):
            raise found
        said = parse_call(found, now=now, claim_fresh=conf.graces().claim_fresh)
        before = result.seen.setdefault(said.graph_id, line)
        if before != line:
            raise BadLine(f"call {said.graph_id} stands in line {before} already")
        _take_call(said, result, actor=actor, now=now)
    except BadLine as problem:
        result.note(line, str(problem))


def _take_call(said: ImportedCall, result: Imported, *, actor: Actor, now: datetime) -> None:
    """One call. Once a line is wrong all will be taken back, so the rest is only looked at."""
    known = Call.objects.filter(graph_id=said.graph_id).values_list("tenant_id", flat=True).first()
    if known not in (None, said.tenant_id):
        raise BadLine(f"call {said.graph_id} is known here, and belongs to another tenant")
    if result.problem_count:
        return
    call = locked_or_new_call(said.graph_id, tenant_id=said.tenant_id, now=now)
    learned = _fill_in(call, said)
    changes = [change for word in _words(call, said, actor=actor) for change in take_over(call, word, now=now)]
    call.save()
    if known is None:
        result.new += 1
    elif learned or changes:
        result.changed += 1
    else:
        result.unchanged += 1


def _fill_in(call: Call, said: ImportedCall) -> bool:
    """What is not known yet. What the recorder or Graph said about the call stays as they said it."""
    missing = {column: value for column, value in said.about.items() if value and not getattr(call, column)}
    for column, value in missing.items():
        setattr(call, column, value)
    if call.is_policy_call is None and said.is_policy_call is not None:
        call.is_policy_call = said.is_policy_call
        return True
    return bool(missing)


def _words(call: Call, said: ImportedCall, *, actor: Actor) -> list[Said]:
    """The line as words for their own moments, the oldest first. A file is no sign of life: `gone` stays as it is.

    The state is taken only where nobody has said any: a call that is known ends by a real end only (invariant 5).
    """
    words: list[Said] = []

    def say(at: datetime | None, **what: str) -> None:
        if at:
            words.append(Said(actor, Source.IMPORT, at, gone=None, reason="imported", **what))

    if not call.state:
        earliest = said.established_at or said.capture_at or said.recording_status_at or said.ended_at
        has_begun = bool(said.established_at) or said.state != CallState.TERMINATED
        if said.state and has_begun:
            began = CallState.ESTABLISHED.value if said.state == CallState.TERMINATED else said.state
            say(earliest or call.created_at, state=began)
        if said.state == CallState.TERMINATED:
            say(said.ended_at, state=said.state)
    say(said.capture_at, capture_state=said.capture_state)
    say(said.recording_status_at, recording_status=said.recording_status)
    return sorted(words, key=lambda word: word.at)


def _record(name: str, result: Imported, *, actor: Actor, now: datetime) -> None:
    ledger.record(
        LedgerAction.IMPORT_FINISHED,
        actor=actor,
        now=now,
        file=name,
        sha256=result.sha256,
        lines=len(result.seen),
        new=result.new,
        changed=result.changed,
        unchanged=result.unchanged,
    )
