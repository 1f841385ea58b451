"""A recorder's event taken in with its ledger entry, against the same without. Limit: at most 35 % longer.

The event goes through the real function, each in a transaction of its own, commit and sync to disk included, and
changes one fact, so it leaves one entry. "Without" replaces, here only, what the writer of changes calls to record
one. The two take turns; first one writer, then eight processes at once.
"""

import itertools
import multiprocessing
import statistics
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from unittest.mock import patch

from django.conf import settings
from django.utils import timezone

from bench.databases import use
from recordings import ingest, ledger
from recordings.ingest import calls as writer_of_changes
from recordings.models import Call, LedgerEntry, Recorder
from recordings.passes import settle_in

LIMIT = 1.35
PAIRS = 400
WRITERS = 8
ROUNDS = 7
EVENTS_A_ROUND = 10


def measure(name: str) -> bool:
    """`name` is a database with calls that are still going on."""
    use(name)
    before = LedgerEntry.objects.count()
    recorder, calls = Recorder.objects.get(), _living_calls()
    settle_in()
    _event(next(calls), recorder)
    ratio = _compare_one(recorder, calls)
    if LedgerEntry.objects.count() != before + 1 + PAIRS:
        raise SystemExit(f"Of {PAIRS} events {LedgerEntry.objects.count() - before - 1} left an entry.")
    print(_line(f"{before:>10,} entries, one writer", ratio), flush=True)
    many = _compare_many(name)
    print(_line(f"{before:>10,} entries, {WRITERS} writers at once", many) + " (told, not judged)", flush=True)
    return ratio <= LIMIT


def _line(what: str, ratio: float) -> str:
    return f"{what}: an event with its entry takes {ratio:.2f} of one without, limit {LIMIT:.2f}: " + (
        "kept" if ratio <= LIMIT else "BROKEN"
    )


def _compare_one(recorder: Recorder, calls: Iterator[str]) -> float:
    times: dict[bool, list[float]] = {True: [], False: []}
    for number in range(PAIRS):
        for recorded in (True, False) if number % 2 else (False, True):
            with _recording(recorded):
                times[recorded].append(_event(next(calls), recorder))
    own, bare = (1000 * statistics.median(times[recorded]) for recorded in (True, False))
    print(f"{'':>10} one event {own:.2f} ms, without its entry {bare:.2f} ms (medians)")
    return own / bare


def _compare_many(name: str) -> float:
    ratios = []
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WRITERS, mp_context=spawn, initializer=_start, initargs=(name,)) as pool:
        list(pool.map(_write, [True] * WRITERS, range(WRITERS)))  # all of them are there
        for _ in range(ROUNDS):
            seconds = {}
            for recorded in (True, False):
                began = time.perf_counter()
                list(pool.map(_write, [recorded] * WRITERS, range(WRITERS)))
                seconds[recorded] = time.perf_counter() - began
            ratios.append(seconds[True] / seconds[False])
    return statistics.median(ratios)


def _start(name: str) -> None:
    settings.DEBUG = False
    use(name)


def _write(recorded: bool, number: int) -> None:
    """One writer's part of a round, on calls that no other one of the round touches."""
    recorder = Recorder.objects.get()
    calls = itertools.islice(_living_calls(), number, None, WRITERS)
    with _recording(recorded):
        for _ in range(EVENTS_A_ROUND):
            _event(next(calls), recorder)


def _living_calls() -> Iterator[str]:
    return itertools.cycle(list(Call.objects.filter(state="established").values_list("graph_id", flat=True)))


def _event(call: str, recorder: Recorder) -> float:
    """Seconds one event took that turns the call's capture from the one state to the other."""
    is_paused = Call.objects.values_list("capture_state", flat=True).get(graph_id=call) == "paused"
    now = timezone.now()
    kind = "onrecord.capture.started" if is_paused else "onrecord.capture.paused"
    event = ingest.Event(str(uuid.uuid4()), "/recorders/rec-01", kind, now, call_id=call)
    began = time.perf_counter()
    ingest.ingest_events([event], recorder=recorder, body=b"{}", now=now)
    return time.perf_counter() - began


def _recording(recorded: bool) -> AbstractContextManager[object]:
    if recorded:
        return nullcontext()
    nothing = SimpleNamespace(append=lambda _: None, entry_of=lambda *_, **__: None, References=ledger.References)
    return patch.object(writer_of_changes, "ledger", nothing)
