"""The same sweep, 200 calls due, among few calls and among many: its time must not depend on how many there are.

    python -m tests.postgres -- python -m bench.sweep [--small 25000] [--large 2500000]

Limit: the time among many is at most twice that among few. Exit code 1 if it is more.
"""

import argparse
import statistics
import sys
import time
from datetime import datetime, timedelta

from django.utils import timezone

from bench.databases import fresh_database
from bench.filling import fill
from recordings import findings
from recordings.models import Actor, Call, Finding, Recorder
from sandbox.defaults import TENANT_ID

LIMIT = 2.0


def main() -> int:
    chosen = _arguments()
    few, many = (_seconds(calls, chosen) for calls in (chosen.small, chosen.large))
    ratio = statistics.median(many) / statistics.median(few)
    print(f"ratio {ratio:.2f}, limit {LIMIT:.2f}: {'kept' if ratio <= LIMIT else 'BROKEN'}")
    return 0 if ratio <= LIMIT else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.sweep", description=__doc__)
    parser.add_argument("--small", type=int, default=25_000)
    parser.add_argument("--large", type=int, default=2_500_000)
    parser.add_argument("--due", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    return parser.parse_args()


def _seconds(calls: int, chosen: argparse.Namespace) -> list[float]:
    """How long each round took on a database with so many calls and four times as many changes."""
    with fresh_database(f"bench_{calls}"):
        now = timezone.now()
        recorder = Recorder.objects.create(name="rec-01", token_hash="0" * 64, tenants=[TENANT_ID], created_at=now)
        began = time.perf_counter()
        fill(calls, recorder=recorder.pk, actor=Actor.objects.recorder(recorder).pk, now=now)
        print(f"{calls:>9,} calls, {4 * calls:>10,} changes, filled in {time.perf_counter() - began:.0f} s")
        rounds = [_round(number, chosen.due, calls, now=now) for number in range(chosen.rounds)]
        print(f"{'':9} sweeps of {chosen.due} due: {', '.join(f'{1000 * one:.0f}' for one in rounds)} ms")
    return rounds


def _round(number: int, due: int, calls: int, *, now: datetime) -> float:
    """Make other calls stuck in each round, spread over all of them; the sweep must find these and no others."""
    step = calls // due
    stuck = [f"bench-{1 + place * step + number}" for place in range(due)]
    hour_ago = now - timedelta(hours=1)
    Call.objects.filter(graph_id__in=stuck).update(
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
    before = Finding.objects.count()
    began = time.perf_counter()
    handled = findings.sweep(now)
    took = time.perf_counter() - began
    opened = Finding.objects.count() - before
    if (handled, opened) != (due, due):
        sys.exit(f"{handled} calls were handled and {opened} findings opened, not {due}.")
    return took


if __name__ == "__main__":
    sys.exit(main())
