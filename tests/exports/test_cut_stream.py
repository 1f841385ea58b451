"""Over a real server: a file that was cut is an error to its reader, and both ways of being cut leave their trace."""

import hashlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime

import pytest
import requests
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from recordings.choices import LedgerAction
from recordings.exports.sheet import PAGE
from recordings.ledger import body_of
from recordings.models import Actor, Call, LedgerEntry
from sandbox.server import Sandbox
from tests import cast
from tests.owning import break_time, switch_triggers_off
from tests.processes import ROOT, environment

pytestmark = pytest.mark.django_db(transaction=True)

FEW, MANY = 1750, 20000
# The whole pages before the one that holds the last of the few.
READ = FEW // PAGE * PAGE


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def site(sandbox: Sandbox) -> Iterator[str]:
    """The product on the server it runs on, with the test's database."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "dashboard.wsgi", "--bind", f"127.0.0.1:{port}", "--no-control-socket"]
    command += ["--worker-class", "gthread", "--threads", "4", "--log-level", "error", "--graceful-timeout", "1"]
    known = environment(sandbox, SECRET_KEY=settings.SECRET_KEY)
    with subprocess.Popen(command, cwd=ROOT, env=known, stderr=subprocess.DEVNULL) as server:
        until = time.monotonic() + 30
        while not listens(port) and time.monotonic() < until:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        server.terminate()


@pytest.fixture
def cookies(olga: User) -> dict[str, str]:
    client = Client()
    client.force_login(olga)
    return {"sessionid": client.cookies["sessionid"].value}


def entries(count: int, now: datetime) -> None:
    """`count` events of one call."""
    call, actor = Call.objects.first() or cast.call(at=now), Actor.objects.graph()
    body = LedgerEntry.objects.filter(action=LedgerAction.STATUS_CHANGED).values_list("body", flat=True)[0]
    rows = [
        LedgerEntry(
            action=LedgerAction.STATUS_CHANGED, body=body, actor=actor, call=call, occurred_at=now, recorded_at=now
        )
        for _ in range(count)
    ]
    LedgerEntry.objects.bulk_create(rows, batch_size=1000)


def entry_of(action: LedgerAction, seconds: float = 15) -> dict[str, object]:
    """The body of the newest entry, once there is one."""
    until = time.monotonic() + seconds
    while not (found := LedgerEntry.objects.filter(action=action)) and time.monotonic() < until:
        time.sleep(0.05)
    return dict(body_of(found.latest("pk")))


def read_into(got: list[bytes], url: str, cookies: dict[str, str]) -> None:
    with requests.get(url, cookies=cookies, timeout=30, stream=True) as answer:
        assert answer.status_code == 200
        got.extend(answer.iter_content(None))


def test_a_whole_file_ends_cleanly_with_its_digest_in_the_ledger(
    site: str, cookies: dict[str, str], now: datetime
) -> None:
    entries(FEW, now)
    whole = requests.get(f"{site}/export/history.csv", cookies=cookies, timeout=30)
    assert whole.headers["Transfer-Encoding"] == "chunked"
    finished = entry_of(LedgerAction.EXPORT_FINISHED)
    assert finished["sha256"] == hashlib.sha256(whole.content).hexdigest()
    assert finished["rows"] == whole.content.count(b"\r\n") - 1


def test_a_fault_half_way_is_an_error_to_the_reader(site: str, cookies: dict[str, str], now: datetime) -> None:
    entries(FEW, now)
    requests.get(site, timeout=30)  # it starts with the triggers only
    switch_triggers_off()
    break_time(LedgerEntry.objects.filter(action=LedgerAction.STATUS_CHANGED).latest("pk"))
    got: list[bytes] = []
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        read_into(got, f"{site}/export/history.csv", cookies)
    whole = b"".join(got)
    assert whole.count(b"\r\n") == 1 + READ
    aborted = entry_of(LedgerAction.EXPORT_ABORTED)
    assert (aborted["rows"], aborted["sha256"]) == (READ, hashlib.sha256(whole).hexdigest())
    assert aborted["why"] == "the rows could not be read to their end"
    assert not LedgerEntry.objects.filter(action=LedgerAction.EXPORT_FINISHED).exists()


def test_a_reader_who_hangs_up_leaves_an_abort(site: str, cookies: dict[str, str], now: datetime) -> None:
    entries(MANY, now)
    with requests.get(f"{site}/export/history.csv", cookies=cookies, timeout=30, stream=True) as answer:
        next(answer.iter_content(1000))
    aborted = entry_of(LedgerAction.EXPORT_ABORTED)
    assert aborted["why"] == "the reader went away"
    assert 0 < int(str(aborted["rows"])) < MANY
