"""Twenty threads, and four processes, correct one call at once: one is let through, the others are told clearly."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.utils import timezone

from recordings import services
from recordings.choices import LedgerAction
from recordings.models import Call, LedgerEntry, Operation
from recordings.services import CorrectionRefused, Requester
from sandbox.server import Sandbox
from tests import cast
from tests.at_graph import UPDATE, posts
from tests.processes import environment, manage

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 20
PROCESSES = 4


@pytest.fixture
def call(sandbox: Sandbox, mira: User) -> Call:
    """A call whose corrections Graph never answers before the test is over, so that the first stays live."""
    sandbox.add_call(call_id="call-1", state="established")
    sandbox.fault("hang", when="before", times=None, action=UPDATE)
    return cast.call(at=timezone.now(), told="recording")


def test_twenty_threads_make_one_live_operation(call: Call, mira: User) -> None:
    start = threading.Barrier(THREADS)
    by = Requester.at_screen(mira)

    def ask(_: int) -> str:
        try:
            start.wait()
            services.request_correction(call, wish="failed", reason="at once", by=by, now=timezone.now())
        except CorrectionRefused as refusal:
            return refusal.why
        finally:
            connections.close_all()
        return "stored"

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(ask, range(THREADS)))
    assert answers.count("stored") == 1
    assert sum("Another correction of this call is in progress" in answer for answer in answers) == THREADS - 1
    assert Operation.objects.live().count() == 1
    assert LedgerEntry.objects.filter(action=LedgerAction.CORRECTION_REFUSED).count() == THREADS - 1


def test_four_processes_send_one_correction(sandbox: Sandbox, call: Call) -> None:
    env = environment(sandbox, GRAPH_TIMEOUT="2,20", GRAPH_DEADLINE="25", SETTLE_GRACE="60")
    command = ("correct_status", "call-1", "failed", "--reason", "at once", "--actor", "mira", "--json")
    with ExitStack() as running:
        processes = [running.enter_context(manage(*command, env=env)) for _ in range(PROCESSES)]
        assert sandbox.wait_for_hanging(1, seconds=60)
        _wait_for_refusals(PROCESSES - 1)
        assert Operation.objects.live().count() == 1
        sandbox.clear_faults()
        sandbox.release()
        outputs = [process.communicate(timeout=60)[0] for process in processes]
        codes = sorted(process.returncode for process in processes)
    assert codes == [0, 4, 4, 4]
    assert sum("in progress" in json.dumps(json.loads(output)) for output in outputs) == PROCESSES - 1
    assert len(posts(sandbox)) == 1


def _wait_for_refusals(count: int) -> None:
    """Until the others have been told: their refusals stand in the ledger."""
    until = timezone.now() + timedelta(seconds=60)
    while timezone.now() < until:
        if LedgerEntry.objects.filter(action=LedgerAction.CORRECTION_REFUSED).count() >= count:
            return
        threading.Event().wait(0.1)
    pytest.fail("the other processes were not refused")
