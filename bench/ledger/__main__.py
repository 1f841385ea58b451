"""Recording, sealing, verifying and proving, among one million and ten million entries: see bench/README.md.

    python -m tests.postgres -- python -m bench.ledger [recording sealing verifying proving] [--small N] [--large N]

Exit code 1 if a limit is broken. Ten million entries take some 12 GB of disk while it runs.
"""

import argparse
import sys
import time
from contextlib import ExitStack

from django.conf import settings

from bench.databases import fresh_database, use
from bench.ledger import proving, recording, sealing, verifying
from bench.ledger.filling import CALLS_A_DAY, fill_ledger

ALL = ("recording", "sealing", "verifying", "proving")


def main() -> int:
    chosen = _arguments()
    settings.DEBUG = False  # else Django remembers every query
    sizes = {proving.FEW if "proving" in chosen.what else chosen.small, chosen.small, chosen.large}
    databases = {entries: f"bench_ledger_{entries}" for entries in sorted(sizes)}
    with ExitStack() as stack:
        kept = []
        for entries, name in databases.items():
            stack.enter_context(fresh_database(name))
            _fill(entries, chosen.calls_a_day)
            is_kept = sealing.measure(entries)  # whatever is asked for: what is not sealed cannot be proved
            kept += [is_kept] if "sealing" in chosen.what and entries >= chosen.small else []
        names = [databases[chosen.small], databases[chosen.large]]
        if "verifying" in chosen.what:
            kept.append(verifying.measure(*names))
        if "proving" in chosen.what:
            kept.append(proving.measure(databases[proving.FEW], databases[chosen.large]))
        if "recording" in chosen.what:
            kept += [recording.measure(name) for name in dict.fromkeys(names)]
        stack.callback(use, next(iter(databases.values())))  # so that the larger ones can go
    return 0 if all(kept) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.ledger", description=__doc__)
    parser.add_argument("what", nargs="*", help=f"of {', '.join(ALL)}; all of them where none is named")
    parser.add_argument("--small", type=int, default=1_000_000)
    parser.add_argument("--large", type=int, default=10_000_000)
    parser.add_argument("--calls-a-day", type=int, default=CALLS_A_DAY, help="how close together the entries lie")
    chosen = parser.parse_args()
    if unknown := set(chosen.what) - set(ALL):
        parser.error(f"there is no measurement {', '.join(sorted(unknown))}")
    chosen.what = chosen.what or list(ALL)
    return chosen


def _fill(entries: int, calls_a_day: int) -> None:
    began = time.perf_counter()
    fill_ledger(entries, calls_a_day=calls_a_day)
    print(f"{entries:>10,} entries, filled in {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
