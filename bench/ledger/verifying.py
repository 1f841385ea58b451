"""Verification of leaves, tree and seals against COPY of the same table. Limit: 0.8 of its rows a second.

    python -m bench.ledger.verifying DATABASE [--everything]     # one run, as a process: what `measure` starts

COPY goes to the same process, through psycopg, which throws each block away. The two take turns. Memory must be flat:
at most 1.1 times as much at the peak among many entries as among few. The check of columns and of the records beside
the ledger is measured apart, and has no limit.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection

from bench.processes import peak_kb, url_of
from recordings.ledger.verifying.alarms import Alarms
from recordings.ledger.verifying.whole import verify_all, verify_tree
from recordings.models import LedgerEntry
from recordings.passes import settle_in

LIMIT = 0.8
MEMORY_LIMIT = 1.1
ROUNDS = 3


type Said = dict[str, list[float]]


def measure(few: str, many: str) -> bool:
    """`few` and `many` are databases."""
    said = [_process(name) for name in (few, many)]
    kept = [_tell(one) for one in said]
    growth = said[1]["peak_kb"][0] / said[0]["peak_kb"][0]
    megabytes = [one["peak_kb"][0] / 1024 for one in said]
    print(
        f"peak memory {megabytes[0]:.0f} MB among few, {megabytes[1]:.0f} MB among many, ratio {growth:.2f}, "
        f"limit {MEMORY_LIMIT:.2f}: {'kept' if growth <= MEMORY_LIMIT else 'BROKEN'}",
        flush=True,
    )
    _tell_everything(few)
    return all(kept) and growth <= MEMORY_LIMIT


def _tell(said: Said) -> bool:
    rows = said["rows"][0]
    rates = {what: rows / statistics.median(said[what]) for what in ("tree", "copy", "copy_body")}
    ratio, of_bodies = (
        statistics.median(copy / own for copy, own in zip(said[what], said["tree"], strict=True))
        for what in ("copy", "copy_body")
    )
    print(
        f"{rows:>10,} entries verified, {rates['tree']:,.0f}/s; COPY of the table {rates['copy']:,.0f}/s, of keys and "
        f"bodies only {rates['copy_body']:,.0f}/s; ratio {ratio:.2f} (of keys and bodies {of_bodies:.2f}), "
        f"limit {LIMIT:.2f}: {'kept' if ratio >= LIMIT else 'BROKEN'}",
        flush=True,
    )
    return ratio >= LIMIT


def _tell_everything(name: str) -> None:
    said = _process(name, "--everything")
    (rows,), (took,), (records,) = said["rows"], said["everything"], said["records"]
    print(
        f"{rows:>10,} entries with their columns and {records:,} records beside them in {took:.0f} s, "
        f"{rows / took:,.0f}/s (no limit)",
        flush=True,
    )


def _process(name: str, *options: str) -> Said:
    command = [sys.executable, "-W", "ignore", "-m", "bench.ledger.verifying", *options]
    done = subprocess.run(command, env={**os.environ, "DATABASE_URL": url_of(name)}, check=True, stdout=subprocess.PIPE)
    said: Said = json.loads(done.stdout)
    return said


def main() -> None:
    settings.DEBUG = False
    rows = LedgerEntry.objects.count()
    settle_in()
    found = _everything() if "--everything" in sys.argv else _compare()
    sys.stdout.write(json.dumps({"rows": [rows], "peak_kb": [peak_kb()], **found}))


def _everything() -> Said:
    began = time.perf_counter()
    report = verify_all()
    took = time.perf_counter() - began
    if not report.passed:
        sys.exit(f"The ledger did not pass: {report}")
    return {"everything": [took], "records": [report.rows]}


def _compare() -> Said:
    found: Said = {"copy": [], "copy_body": [], "tree": []}
    for _ in range(ROUNDS):
        found["copy"].append(_seconds(lambda: _copy("recordings_ledgerentry")))
        found["tree"].append(_seconds(_verify))
        found["copy_body"].append(_seconds(lambda: _copy("recordings_ledgerentry (id, body)")))
    return found


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _copy(what: str) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {what} TO STDOUT") as copy:
        for _ in copy:
            pass


def _verify() -> None:
    report = verify_tree(Alarms())
    if not report.passed or not report.checked:
        sys.exit(f"The ledger did not pass: {report}")


if __name__ == "__main__":
    main()
