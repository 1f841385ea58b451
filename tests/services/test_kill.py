"""A process dies (SIGKILL) at each dangerous moment. The intent is never lost, and what happened is found out."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from recordings.choices import FINAL_STATUSES, OperationStatus
from recordings.models import Attempt, Call, Operation
from sandbox.server import Sandbox
from tests import cast
from tests.at_graph import UPDATE, posts
from tests.processes import environment, manage

pytestmark = pytest.mark.django_db(transaction=True)

# Short enough for a test to wait past, in the proportions the settings' check asks for.
TIMES = {"GRAPH_TIMEOUT": "1,1.2", "GRAPH_DEADLINE": "1.5", "SETTLE_GRACE": "3"}
ASK = ("correct_status", "call-1", "notRecording", "--reason", "the desk checked", "--actor", "mira")


@pytest.fixture
def call(sandbox: Sandbox, mira: User) -> Call:
    """Teams shows recording; the recorder has just said that capture stopped."""
    now = timezone.now()
    sandbox.add_call(call_id="call-1", state="established")
    cast.call(at=now, capture="stopped", told="recording")
    cast.heartbeat(at=now, capture="stopped")
    return Call.objects.get(graph_id="call-1")


def kill(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    assert process.wait(timeout=30) == -signal.SIGKILL
    process.communicate()


def wait_until(true: Callable[[], bool], *, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            pytest.fail("it did not come to that")
        time.sleep(0.05)


def reconcile_past_the_grace(sandbox: Sandbox, started: Operation) -> Operation:
    """`reconcile --once`, run by a new process after the lease and the grace, while the recorder goes on talking."""
    ripe = timezone.now() + timedelta(seconds=4)
    wait_until(lambda: timezone.now() > ripe)
    cast.heartbeat(at=timezone.now(), capture="stopped")
    with manage("reconcile", "--once", env=environment(sandbox, **TIMES)) as process:
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, output + errors
    started.refresh_from_db()
    return started


def every_post_has_one_attempt(sandbox: Sandbox) -> bool:
    sent = sorted(str(post["client_request_id"]) for post in posts(sandbox))
    tried = {str(key) for key in Attempt.objects.values_list("client_request_id", flat=True)}
    return len(sent) == len(set(sent)) and set(sent) <= tried


@contextmanager
def nobody_else_writes() -> Iterator[None]:
    """Hold what a writer of the call's outcome needs, so that an answer arrives and cannot be stored."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE recordings_attemptresult IN EXCLUSIVE MODE")
        yield


def test_killed_after_the_intent_it_is_sent_by_the_next_worker(sandbox: Sandbox, call: Call) -> None:
    sandbox.fault("hang", when="before", action="getCall")
    with manage(*ASK, env=environment(sandbox, **TIMES)) as process:
        assert sandbox.wait_for_hanging(1, seconds=30)
        kill(process)
    sandbox.release()
    operation = Operation.objects.get()
    assert operation.status == OperationStatus.PENDING
    assert posts(sandbox) == []
    settled = reconcile_past_the_grace(sandbox, operation)
    assert settled.status == OperationStatus.COMPLETED
    assert len(posts(sandbox)) == 1
    assert every_post_has_one_attempt(sandbox)


@pytest.mark.parametrize("acted", ["before", "after"])
@pytest.mark.parametrize("list_operations", [True, False])
def test_killed_during_the_post_it_is_found_out_or_repeated_once(
    sandbox: Sandbox, call: Call, acted: str, list_operations: bool
) -> None:
    sandbox.settings(list_operations=list_operations)
    sandbox.fault("hang", when=acted, action=UPDATE)
    with manage(*ASK, env=environment(sandbox, **TIMES)) as process:
        assert sandbox.wait_for_hanging(1, seconds=30)
        kill(process)
    operation = Operation.objects.get()
    assert operation.status == OperationStatus.SENT
    assert operation.attempts.get().client_request_id
    sandbox.release()
    wait_until(lambda: all(entry["answered"] or entry["cut"] for entry in posts(sandbox)))
    settled = reconcile_past_the_grace(sandbox, operation)
    assert settled.status == OperationStatus.COMPLETED
    assert every_post_has_one_attempt(sandbox)
    contexts = {str(post["body"]) for post in posts(sandbox)}
    assert len(contexts) == 1
    assert [attempt.is_repeat for attempt in operation.attempts.all()] == [False, True][: len(posts(sandbox))]
    acted_on = [post for post in posts(sandbox) if post["acted"]]
    if list_operations:
        assert len(acted_on) == 1
    assert len(posts(sandbox)) <= 2


@pytest.mark.parametrize("list_operations", [True, False])
def test_killed_after_the_answer_but_before_it_is_stored(sandbox: Sandbox, call: Call, list_operations: bool) -> None:
    sandbox.settings(list_operations=list_operations)
    sandbox.fault("hang", when="after", action=UPDATE)
    with manage(*ASK, env=environment(sandbox, **TIMES)) as process:
        assert sandbox.wait_for_hanging(1, seconds=30)
        with nobody_else_writes():
            sandbox.release()
            wait_until(lambda: all(entry["answered"] for entry in posts(sandbox)))
            let_it_come_to_storing(process)
            kill(process)
    operation = Operation.objects.get()
    assert operation.status == OperationStatus.SENT
    settled = reconcile_past_the_grace(sandbox, operation)
    assert settled.status == OperationStatus.COMPLETED
    assert len(posts(sandbox)) == (1 if list_operations else 2)
    assert every_post_has_one_attempt(sandbox)


def test_killed_on_a_call_that_ends_it_is_unresolved(sandbox: Sandbox, call: Call) -> None:
    sandbox.fault("hang", when="before", action=UPDATE)
    with manage(*ASK, env=environment(sandbox, **TIMES)) as process:
        assert sandbox.wait_for_hanging(1, seconds=30)
        kill(process)
    sandbox.end_call("call-1")
    sandbox.release()
    settled = reconcile_past_the_grace(sandbox, Operation.objects.get())
    assert settled.status == OperationStatus.UNRESOLVED
    assert settled.status in FINAL_STATUSES
    assert len(posts(sandbox)) == 1


def let_it_come_to_storing(process: "subprocess.Popen[str]") -> None:
    """Give the process time to read the answer. However far it comes, it cannot have stored it."""
    time.sleep(0.3)
    assert process.poll() is None
