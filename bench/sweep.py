"""The same sweep, 200 calls due, among few calls and among many: its time must not depend on how many there are.

    python -m tests.postgres -- python -m bench.sweep [--small 25000] [--large 2500000]

Limit: the time among many is at most twice that among few. The rounds take turns, so that whatever else the machine
does meets both alike. Exit code 1 if the limit is broken.
"""

import argparse
import statistics
import sys
import time
from datetime import datetime, timedelta

from django.utils import timezone

from bench.databases import fresh_database, use
from bench.filling import fill
from recordings import findings
from recordings.models import Actor, Call, Finding, Recorder
from sandbox.defaults import TENANT_ID

LIMIT = 2.0


def main() -> int:
    chosen = _arguments()
    few, many = (f"bench_{calls}" for calls in (chosen.small, chosen.large))
    with fresh_database(few):
        _fill(chosen.small)
        with fresh_database(many):
            _fill(chosen.large)
            times = [
                (_seconds(few, number, chosen.small, chosen.due), _seconds(many, number, chosen.large, chosen.due))
                for number in range(chosen.rounds)
            ]
            use(few)  # so that the other one can go
    return _report(times, due=chosen.due)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.sweep", description=__doc__)
    parser.add_argument("--small", type=int, default=25_000)
    parser.add_argument("--large", type=int, default=2_500_000)
    parser.add_argument("--due", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=9)
    return parser.parse_args()


def _fill(calls: int) -> None:
    now = timezone.now()
    recorder = Recorder.objects.create(name="rec-01", token_hash="0" * 64, tenants=[TENANT_ID], created_at=now)
    began = time.perf_counter()
    fill(calls, recorder=recorder.pk, actor=Actor.objects.recorder(recorder).pk, now=now)
    print(f"{calls:>9,} calls, {4 * calls:>10,} changes, filled in {time.perf_counter() - began:.0f} s", flush=True)


def _seconds(database: str, number: int, calls: int, due: int) -> float:
    """How long one sweep took. Other calls are stuck in each round; it must find these and no others."""
    use(database)
    now, before = timezone.now(), Finding.objects.count()
    _make_stuck([f"bench-{1 + place * (calls // due) + number}" for place in range(due)], now=now)
    began = time.perf_counter()
    handled = findings.sweep(now)
    took = time.perf_counter() - began
    opened = Finding.objects.count() - before
    if (handled, opened) != (due, due):
        sys.exit(f"{handled} calls were handled and {opened} findings opened, not {due}.")
    return took


def _make_stuck(names: list[str], *, now: datetime) -> None:
    hour_ago = now - timedelta(hours=1)
    Call.objects.filter(graph_id__in=names).update(
        state="established",
        ended_at=None,
        capture_state="capturing",
        capture_changed_at=hour_ago,
        recording_status="unknown",
        first_signal_at=hour_ago,
        last_signal_at=now,
        recorder_word_at=now,
        due_after=now,
    )


def _report(times: list[tuple[float, float]], *, due: int) -> int:
    for few, many in times:
        print(f"{due} due: {1000 * few:6.0f} ms among few, {1000 * many:6.0f} ms among many, ratio {many / few:.2f}")
    ratio = statistics.median(many / few for few, many in times)
    print(f"median ratio {ratio:.2f}, limit {LIMIT:.2f}: {'kept' if ratio <= LIMIT else 'BROKEN'}")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
