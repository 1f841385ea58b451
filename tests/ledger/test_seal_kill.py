"""A sealer dies (SIGKILL) in the middle. Nothing is half sealed, nothing is lost, and the next one goes on."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.utils import timezone

from recordings import ledger
from recordings.models import LeafBatch, LedgerEntry, Node, Seal, SealKey, Unsealed
from tests import ledgers
from tests.ledger.test_sealing import assert_every_seal_fits
from tests.processes import PRODUCTION, ROOT, database_url, manage
from tests.services.test_kill import kill

pytestmark = pytest.mark.django_db(transaction=True)

ENTRIES = 600
SEALERS = 3
# Says so and waits where `moment` finds it, which is about one statement; the rest is the product's own.
STOPS = """
import sys, django; django.setup()
from django.db import connection
from django.utils import timezone
from recordings import ledger
statement, moment = sys.argv[1:]
def stop():
    print("here", flush=True)
    sys.stdin.read()
def watch(execute, sql, params, many, context):
    is_it = sql.startswith(statement)
    if is_it and moment == "before":
        stop()
    answer = execute(sql, params, many, context)
    if is_it and moment == "after":
        stop()
    return answer
connection.ensure_connection()
with connection.execute_wrapper(watch):
    ledger.seal(timezone.now(), key=ledger.signing_key())
"""
MOMENTS = [
    ('DELETE FROM "recordings_unsealed"', "before"),
    ('DELETE FROM "recordings_unsealed"', "after"),
    ('INSERT INTO "recordings_sealkey"', "after"),
    ('INSERT INTO "recordings_seal"', "before"),
    ('INSERT INTO "recordings_seal"', "after"),
]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A real sealer's: the site's settings, the key in a file, this database."""
    (tmp_path / "key.pem").write_text(ledgers.pem())
    own = {"DATABASE_URL": database_url(), "LEDGER_SIGNING_KEY": str(tmp_path / "key.pem"), "ENV_FILE": os.devnull}
    own |= {"LEDGER_ORIGIN": ledgers.ORIGIN, "DJANGO_SETTINGS_MODULE": "dashboard.settings"}
    return {"PATH": os.environ["PATH"], **PRODUCTION, **own}


def sealer(env: dict[str, str], statement: str, moment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", STOPS, statement, moment],
        env=env,
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize(("statement", "moment"), MOMENTS)
def test_a_sealer_killed_in_the_middle_leaves_nothing_behind(env: dict[str, str], statement: str, moment: str) -> None:
    ledgers.entries(ENTRIES, at=timezone.now())

    with sealer(env, statement, moment) as process:
        assert process.stdout
        assert process.stdout.readline() == "here\n"
        kill(process)

    assert Unsealed.objects.count() == LedgerEntry.objects.count() == ENTRIES
    for model in (LeafBatch, Node, Seal, SealKey):
        assert not model._default_manager.exists()
    seal = ledger.seal(timezone.now(), key=ledgers.signing_key())
    assert seal
    assert seal.size == ENTRIES
    assert_every_seal_fits()


def test_processes_that_seal_at_once_and_one_that_is_killed_make_one_tree(env: dict[str, str]) -> None:
    ledgers.entries(ENTRIES, at=timezone.now())

    with ExitStack() as stack:
        doomed = stack.enter_context(sealer(env, 'INSERT INTO "recordings_seal"', "before"))
        assert doomed.stdout
        assert doomed.stdout.readline() == "here\n"
        others = [stack.enter_context(manage("seal", env=env)) for _ in range(SEALERS)]
        kill(doomed)
        said = [process.communicate(timeout=120) for process in others]

    assert [process.returncode for process in others] == [0] * SEALERS, said
    assert not Unsealed.objects.exists()
    assert Seal.objects.filter(size=ENTRIES).exists()
    assert_every_seal_fits()
