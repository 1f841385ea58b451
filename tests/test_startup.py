"""A check that refuses is a process that does not start: the site, and every command that may send."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.processes import PRODUCTION, ROOT, database_url

pytestmark = pytest.mark.django_db(transaction=True)

WSGI = (sys.executable, "-c", "import dashboard.wsgi; print('started')")
# As an ASGI server does it: its loop runs already.
_LOAD = "async def load(): importlib.import_module('dashboard.asgi')"
ASGI = (sys.executable, "-c", f"import asyncio, importlib\n{_LOAD}\nasyncio.run(load()); print('started')")
MANAGE = (sys.executable, "manage.py")
SENDERS = {
    "wsgi": WSGI,
    "asgi": ASGI,
    "work": (*MANAGE, "work", "--once"),
    "reconcile": (*MANAGE, "reconcile", "--once"),
    "correct_status": (*MANAGE, "correct_status", "call-1", "recording", "--reason", "x", "--actor", "mira"),
}
REFUSED = [
    ("E004", {"GRAPH_BASE_URL": "https://graph.evil.example/v1.0"}),
    ("E005", {"GRAPH_TIMEOUT": "5"}),
    ("E005", {"GRAPH_BASE_URL": "http://graph.microsoft.com/v1.0"}),
    ("E005", {"GRAPH_CLOUD": "moon"}),
    ("E005", {"GRAPH_MAX_ATTEMPTS": "0"}),
    ("E007", {"REQUIRE_APPROVAL": "alwyas"}),
]


def start(*command: str, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {**kept, "ENV_FILE": os.devnull, **PRODUCTION, "DATABASE_URL": database_url(), **more}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("what", ["wsgi", "asgi"])
def test_a_site_that_is_in_order_starts(what: str) -> None:
    ran = start(*SENDERS[what])
    assert (ran.returncode, ran.stdout) == (0, "started\n"), ran.stderr


def test_a_worker_that_is_in_order_starts() -> None:
    ran = start(*SENDERS["work"])
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("key", ["", "/no/such/key.pem"])
def test_a_worker_without_the_ledgers_key_does_not_start_and_the_site_does(key: str) -> None:
    worker, site = start(*SENDERS["work"], LEDGER_SIGNING_KEY=key), start(*WSGI, LEDGER_SIGNING_KEY=key)
    assert worker.returncode == 1
    assert "LEDGER_SIGNING_KEY" in worker.stderr
    assert worker.stderr.endswith("Nothing was started.\n")
    assert (site.returncode, site.stdout) == (0, "started\n"), site.stderr


@pytest.mark.parametrize(("expected", "changed"), REFUSED)
def test_a_site_with_a_wrong_setting_does_not_start(expected: str, changed: dict[str, str]) -> None:
    ran = start(*WSGI, **changed)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert f"onrecord.{expected}" in ran.stderr


@pytest.mark.parametrize("what", SENDERS)
def test_nothing_that_may_send_starts_with_a_foreign_address(what: str) -> None:
    ran = start(*SENDERS[what], GRAPH_BASE_URL="https://graph.evil.example/v1.0")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "(onrecord.E004) GRAPH_BASE_URL is not Microsoft's." in ran.stderr
    assert "HINT: Correct the address, or set ALLOW_STAND_IN=1" in ran.stderr
    assert "Nothing was started and nothing was sent." in ran.stderr
    assert ("Traceback" in ran.stderr) == (what in ("wsgi", "asgi"))


def test_no_option_leaves_the_checks_out() -> None:
    ran = start(*SENDERS["work"], "--skip-checks")
    assert ran.returncode == 2
    assert "--skip-checks" in ran.stderr


@pytest.mark.postgresql
@pytest.mark.parametrize("what", SENDERS)
def test_nothing_starts_on_a_server_that_may_forget(what: str) -> None:
    ran = start(*SENDERS[what], PGOPTIONS="-c synchronous_commit=off")
    assert ran.returncode == 1
    assert "(onrecord.E009) PostgreSQL runs with synchronous_commit switched off." in ran.stderr


@pytest.fixture
def untriggered() -> Iterator[None]:
    on = " ON recordings_leafbatch" if connection.vendor == "postgresql" else ""
    name = "recordings_leafbatch_keep_rows" if connection.vendor == "postgresql" else "recordings_leafbatch_keep_update"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name}{on}")
    yield
    start(*MANAGE, "migrate", "--skip-checks")


@pytest.mark.usefixtures("untriggered")
def test_missing_triggers_stop_the_start_and_migrate_puts_them_back() -> None:
    refused = start(*WSGI)
    assert refused.returncode == 1
    assert "onrecord.E010" in refused.stderr

    assert start(*MANAGE, "migrate", "--skip-checks").returncode == 0
    assert start(*WSGI).returncode == 0


def test_a_database_that_cannot_be_asked_is_named(tmp_path: Path) -> None:
    ran = start(*SENDERS["work"], DATABASE_URL=f"sqlite:///{tmp_path}/no/such.sqlite3")
    assert ran.returncode == 1
    assert "The database does not answer, so it cannot be checked" in ran.stderr
    assert "Traceback" not in ran.stderr
