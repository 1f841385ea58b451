"""A worker exports a million rows of history, while somebody reads pages without a pause.

    python -m tests.postgres -- python -m bench.export [--rows 1000000]

Limits: the worker holds at most 100 MB (of a million bytes) at its peak, and a page takes at most three times as long
while it works as before and afterwards, in the median, whichever page is slowed most. Exit code 1 if one is broken.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from bench.databases import fresh_database
from bench.ledger.filling import fill_ledger
from bench.processes import url_of
from recordings import conf, export_rows, exports, ledger
from recordings.choices import ExportFormat, ExportSheet, ExportStatus
from recordings.ledger.keys import key_from
from recordings.models import Actor, Export

# On two cores reader and worker, each with its part of PostgreSQL, fill both, and share them with all else there is.
LIMIT = 3.0
MEMORY_LIMIT_MB = 100
QUIET_ROUNDS = 40
DATABASE = "bench_export"
# Those that read most: counts of everything, a list, the history of one call, the newest of the ledger.
PAGES = {"overview": "/", "calls": "/calls/", "history of a call": "/calls/bench-1/", "ledger": "/ledger/"}

type Times = dict[str, list[float]]


def main() -> int:
    chosen = _arguments()
    settings.DEBUG = False  # else Django remembers every query
    with fresh_database(DATABASE):
        key, began = Ed25519PrivateKey.generate(), time.perf_counter()
        fill_ledger(chosen.rows)
        _seal(key)
        print(f"{chosen.rows:>10,} entries, filled and sealed in {time.perf_counter() - began:.0f} s", flush=True)
        return _measure(key)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.export", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    return parser.parse_args()


def _seal(key: Ed25519PrivateKey) -> None:
    signing = key_from(key, name=conf.ledger_origin())
    while ledger.seal(timezone.now(), key=signing):
        pass


def _measure(key: Ed25519PrivateKey) -> int:
    reader = User.objects.create_user("olga")
    reader.groups.add(Group.objects.get(name="Compliance officer"))
    client = Client(SERVER_NAME="localhost")
    client.force_login(reader)
    export = _ask(reader)
    _rounds(client, 5)  # only warms up
    before = _rounds(client, QUIET_ROUNDS)
    began = time.perf_counter()
    meanwhile, peak = _while_exporting(client, key)
    took = time.perf_counter() - began
    afterwards = _rounds(client, QUIET_ROUNDS)
    export.refresh_from_db()
    if export.status != ExportStatus.READY:
        sys.exit(f"The export is {export.status}: {export.message}")
    print(f"{export.rows:>10,} rows in {took:.0f} s, {export.rows / took:,.0f}/s, {export.bytes / 1e6:.0f} MB of ZIP")
    is_small = _tell_memory(peak)
    return 0 if _tell_pages(before, meanwhile, afterwards) and is_small else 1


def _ask(reader: User) -> Export:
    narrowed = export_rows.Narrowed(exports.Period(), reader, timezone.now())
    chosen = export_rows.choose(ExportSheet.HISTORY, QueryDict(""), narrowed=narrowed)
    wanted = exports.Wanted(ExportSheet.HISTORY, ExportFormat.SPREADSHEET, "measured", query=chosen.query)
    return exports.request_export(wanted, actor=Actor.objects.person(reader), user=reader, now=timezone.now())


def _rounds(client: Client, count: int) -> Times:
    times: Times = {name: [] for name in PAGES}
    for _ in range(count):
        _read(client, times)
    return times


def _read(client: Client, times: Times) -> None:
    """Each page once."""
    for name, path in PAGES.items():
        began = time.perf_counter()
        answer = client.get(path)
        times[name].append(time.perf_counter() - began)
        if answer.status_code != 200:
            sys.exit(f"{path} answered {answer.status_code}.")


def _while_exporting(client: Client, key: Ed25519PrivateKey) -> tuple[Times, int]:
    """How long each page took while the worker made the export, and the most memory the worker held, in kB."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    own = {"DATABASE_URL": url_of(DATABASE), "LEDGER_SIGNING_KEY": pem}
    command = [sys.executable, "-W", "ignore", "-m", "bench.export_worker"]
    times: Times = {name: [] for name in PAGES}
    with subprocess.Popen(command, env={**os.environ, **own}, stdout=subprocess.PIPE, text=True) as worker:
        while not Export.objects.filter(status=ExportStatus.RUNNING).exists() and worker.poll() is None:
            time.sleep(0.01)
        while Export.objects.filter(status=ExportStatus.RUNNING).exists() and worker.poll() is None:
            _read(client, times)
        said, _ = worker.communicate()
    if worker.returncode or not all(times.values()):
        sys.exit(f"The worker ended with {worker.returncode}; {len(times['overview'])} rounds of pages were read.")
    return times, int(said)


def _tell_memory(peak: int) -> bool:
    megabytes = peak * 1024 / 1e6
    is_kept = megabytes <= MEMORY_LIMIT_MB
    print(f"peak memory of the worker {megabytes:.0f} MB, limit {MEMORY_LIMIT_MB}: {'kept' if is_kept else 'BROKEN'}")
    return is_kept


def _tell_pages(before: Times, meanwhile: Times, afterwards: Times) -> bool:
    ratios = []
    for name in PAGES:
        quiet, busy = before[name] + afterwards[name], meanwhile[name]
        ratios.append(statistics.median(busy) / statistics.median(quiet))
        print(f"{name:>20}: {_told(quiet)} without, {_told(busy)} meanwhile, ratio {ratios[-1]:.2f}")
    ratio = max(ratios)
    print(f"slowed most: ratio {ratio:.2f}, limit {LIMIT:.2f}: {'kept' if ratio <= LIMIT else 'BROKEN'}")
    return ratio <= LIMIT


def _told(times: list[float]) -> str:
    """Median and the slowest of twenty."""
    return (
        f"{1000 * statistics.median(times):.0f} ms (95th percentile {1000 * statistics.quantiles(times, n=20)[-1]:.0f})"
    )


if __name__ == "__main__":
    sys.exit(main())
