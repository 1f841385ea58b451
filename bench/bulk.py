"""1,000 bulk corrections at width 32 against a bare thread pool of the same width that only posts.

    python -m tests.postgres -- python -m bench.bulk [--calls 1000] [--rounds 5]

Both post to the same stand-in, a process of its own that answers in 50 ms over TLS. The bare pool has one
`requests.Session` a thread and keeps nothing. Ours keeps everything: intents, attempts, results, status changes and
ledger entries, on PostgreSQL; it is worked off by two workers of half the width each, as docs/deploy.md advises. They
wait ready when the clock starts, as workers do. Limit: at least 0.8 of the bare pool's throughput, in the median of the
rounds, in which the two take turns. Exit code 1 if the limit is broken.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from django.contrib.auth.models import Group, User
from django.db import connection
from django.utils import timezone

from bench.databases import fresh_database
from bench.processes import url_of
from bench.worker import connect
from recordings import services
from recordings.choices import BulkItemStatus
from recordings.models import AttemptResult, BulkJob, Call, LedgerEntry, Recorder
from sandbox.defaults import CLIENT_ID, CLIENT_SECRET, TENANT_ID

LIMIT = 0.8
WIDTH = 32
WORKERS = 2
DELAY_SECONDS = 0.05
UPDATE = "updateRecordingStatus"


@dataclass(frozen=True)
class Microsoft:
    """The stand-in, as the bare pool needs it."""

    base_url: str
    ca_file: str

    def session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env, session.verify = False, self.ca_file
        return session

    def token(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "scope": f"{self.base_url}/.default",
        }
        with self.session() as session:
            answer = session.post(f"{self.base_url}/{TENANT_ID}/oauth2/v2.0/token", data=form)
        return str(answer.json()["access_token"])

    def prepare(self, names: list[str]) -> None:
        """Make the calls known there, and let every status update take its time."""
        with self.session() as session:
            session.delete(f"{self.base_url}/control/faults").raise_for_status()
            fault = {"do": "delay", "seconds": DELAY_SECONDS, "times": None, "action": UPDATE}
            session.post(f"{self.base_url}/control/faults", json=fault).raise_for_status()
            for name in names:
                call = {"call_id": name, "state": "established"}
                session.post(f"{self.base_url}/control/calls", json=call).raise_for_status()


@contextmanager
def microsoft() -> Iterator[Microsoft]:
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "sandbox", "--port", "0", "--directory", directory]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            base_url = process.stdout.readline().split()[-1]
            try:
                yield Microsoft(base_url, str(Path(directory) / "ca.pem"))
            finally:
                process.terminate()


def bare(at: Microsoft, names: list[str]) -> float:
    """Calls a second of a pool that posts and forgets."""
    headers = {"Authorization": f"Bearer {at.token()}"}
    local = threading.local()

    def post(name: str) -> None:
        if not hasattr(local, "session"):
            local.session = at.session()
        body = {"status": "notRecording", "clientContext": f"bare:{uuid.uuid4()}"}
        url = f"{at.base_url}/v1.0/communications/calls/{name}/{UPDATE}"
        answer = local.session.post(url, json=body, headers=headers, timeout=10)
        answer.raise_for_status()
        answer.json()

    began = time.perf_counter()
    with ThreadPoolExecutor(WIDTH) as pool:
        list(pool.map(post, names))
    return len(names) / (time.perf_counter() - began)


class Worker:
    """A process that works off what waits whenever it is told to, and says when it has."""

    def __init__(self, at: Microsoft) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "bench.worker", str(WIDTH // WORKERS), at.base_url, at.ca_file]
        database = {"DATABASE_URL": url_of(str(connection.settings_dict["NAME"]))}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env={**os.environ, **database})
        self.wait()

    def begin(self) -> None:
        assert self._process.stdin
        self._process.stdin.write("begin\n")
        self._process.stdin.flush()

    def wait(self) -> None:
        assert self._process.stdout
        if self._process.stdout.readline() != "ready\n":
            sys.exit("A worker ended before its time.")

    def end(self) -> None:
        with self._process:
            assert self._process.stdin
            self._process.stdin.close()


@contextmanager
def workers(at: Microsoft) -> Iterator[list[Worker]]:
    found = [Worker(at) for _ in range(WORKERS)]
    try:
        yield found
    finally:
        for worker in found:
            worker.end()


def ours(names: list[str], *, by: services.Requester, hands: list[Worker]) -> float:
    """Calls a second of a bulk job, from the first look at its items until all of them are finished and stored."""
    _store_calls(names)
    calls = Call.objects.filter(graph_id__in=names).order_by("id")
    job = services.start_bulk(
        calls,
        wish="notRecording",
        reason="measured",
        by=by,
        selection=services.Selection("all calls of a round"),
        now=timezone.now(),
    )
    began = time.perf_counter()
    for worker in hands:
        worker.begin()
    for worker in hands:
        worker.wait()
    took = time.perf_counter() - began
    _check(job, len(names))
    return len(names) / took


def _store_calls(names: list[str]) -> None:
    """Live legs that Teams shows as recorded, and whose recorder has just said that capture stopped."""
    now = timezone.now()
    known = {"token_hash": "0" * 64, "tenants": [TENANT_ID], "created_at": now}
    recorder, _ = Recorder.objects.get_or_create(name="rec-01", defaults=known)
    Call.objects.bulk_create(
        Call(
            graph_id=name,
            tenant_id=TENANT_ID,
            call_chain_id=f"chain-of-{name}",
            recorder=recorder,
            state="established",
            established_at=now,
            capture_state="stopped",
            capture_at=now,
            capture_changed_at=now,
            recording_status="recording",
            recording_status_at=now,
            recording_status_source="recorder",
            told_changed_at=now,
            created_at=now,
            first_signal_at=now,
            last_signal_at=now,
            recorder_word_at=now,
            is_policy_call=True,
        )
        for name in names
    )


def _check(job: BulkJob, count: int) -> None:
    """Everything was sent once, and everything is kept."""
    done = services.progress(job).counts
    results = AttemptResult.objects.filter(attempt__operation__bulkitem__job=job, outcome="accepted").count()
    kept = LedgerEntry.objects.filter(operation__bulkitem__job=job).count()
    if (done[BulkItemStatus.DONE], results, kept) != (count, count, 4 * count):
        sys.exit(f"Of {count} corrections {dict(done)}, {results} results, {kept} ledger entries.")


def _requester() -> services.Requester:
    user = User.objects.create_user("mira")
    user.groups.add(Group.objects.get(name="Recording admin"))
    return services.Requester.at_screen(user)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.bulk", description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    with microsoft() as at, fresh_database("bench_bulk"), ExitStack() as stack:
        connect(at.base_url, at.ca_file)
        by, ratios = _requester(), []
        hands = stack.enter_context(workers(at))
        for number in range(chosen.rounds):
            names = [f"round-{number}-{call}" for call in range(chosen.calls)]
            at.prepare(names)
            peer, own = bare(at, names), ours(names, by=by, hands=hands)
            ratios.append(own / peer)
            print(f"bare pool {peer:5.0f}/s, bulk job {own:5.0f}/s, ratio {own / peer:.2f}", flush=True)
    ratio = statistics.median(ratios)
    print(f"median ratio {ratio:.2f}, limit {LIMIT:.2f}: {'kept' if ratio >= LIMIT else 'BROKEN'}")
    print(f"({WIDTH} requests of {1000 * DELAY_SECONDS:.0f} ms at a time can reach {WIDTH / DELAY_SECONDS:.0f}/s)")
    return 0 if ratio >= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
