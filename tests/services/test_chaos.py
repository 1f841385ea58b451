"""500 corrections while workers are killed and Microsoft misbehaves at random: each comes to an end that is true."""

import json
import signal
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from recordings import services
from recordings.choices import BulkItemStatus, LedgerAction, OperationStatus
from recordings.ingest import ingest_events, parse_events
from recordings.ledger import body_of
from recordings.models import Attempt, BulkItem, BulkJob, Call, LedgerEntry, Operation
from recordings.operations import HARMLESS
from recordings.services import Requester
from sandbox.defaults import TENANT_ID
from sandbox.server import Sandbox
from tests import cast
from tests.at_graph import UPDATE, posts
from tests.processes import environment, manage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.longest]

SEED = 20261123
CALLS = 500
WORKERS = 3
# Kills go on for so long; what is left then has to come to an end by itself.
CHAOS_SECONDS, PATIENCE_SECONDS = 20.0, 480.0
# Short enough for a test to wait past; and nobody repeats a heartbeat here, so the recorder's word lasts.
TIMES = {"GRAPH_TIMEOUT": "1,1.2", "GRAPH_DEADLINE": "1.5", "SETTLE_GRACE": "3", "CLAIM_FRESH": "900"}
SETTLED = (OperationStatus.COMPLETED, OperationStatus.FAILED, OperationStatus.UNRESOLVED)

# What may happen to one call's update, each as likely as the other.
FAULTS: tuple[dict[str, Any], ...] = (
    {"do": "error", "status": 500},
    {"do": "error", "status": 503, "retry_after": "1"},
    {"do": "error", "status": 504, "when": "after"},
    {"do": "error", "status": 429, "retry_after": "1"},
    {"do": "error", "status": 408},
    {"do": "error", "status": 400},
    {"do": "error", "code": "8522"},
    {"do": "close", "when": "before"},
    {"do": "close", "when": "after"},
    {"do": "garbage"},
    {"do": "half"},
    {"do": "delay", "seconds": 2.0},
    {"do": "drip", "seconds": 0.3},
    {"do": "operation", "operation": {"status": "failed", "code": 500, "subcode": 7}},
    {"do": "operation", "operation": {"status": "running", "then": "completed", "after": 2}},
)


def test_whatever_is_killed_and_whatever_graph_answers_each_correction_comes_to_a_true_end(
    sandbox: Sandbox, mira: User, settings: Settings
) -> None:
    settings.CLAIM_FRESH = 900.0
    random = Random(SEED)
    _enter_calls(sandbox)
    _plan_faults(sandbox, random)
    job = services.start_bulk(
        Call.objects.all(),
        wish="notRecording",
        reason="the desk checked",
        by=Requester.at_screen(mira),
        selection=services.Selection("all calls"),
        now=timezone.now(),
    )

    _work_and_kill(sandbox, random)

    _each_is_over_with_its_reason(job)
    _no_two_contexts(sandbox)
    _each_post_has_one_attempt(sandbox)
    _each_repeat_is_by_the_rule()


def _enter_calls(sandbox: Sandbox) -> None:
    """500 legs of which Teams shows recording, and the recorder has said that capture stopped."""
    now = timezone.now()
    recorder, before = cast.recorder(now=now), now - timedelta(minutes=1)
    names = [f"call-{number:03}" for number in range(CALLS)]
    for name in names:
        sandbox.add_call(call_id=name, state="established")
    for events in (
        [cast.event("call.joined", name, at=before, tenantId=TENANT_ID, state="established") for name in names],
        [cast.event("status.told", name, at=before, status="recording") for name in names],
        [cast.event("capture.stopped", name, at=now) for name in names],
    ):
        body = json.dumps(events).encode()
        ingest_events(parse_events(body, now=now), recorder=recorder, body=body, now=now)


def _plan_faults(sandbox: Sandbox, random: Random) -> None:
    """Every third call meets a fault at its update, some of them another one at the next; a few cannot be read."""
    for number in random.sample(range(CALLS), CALLS // 3):
        for fault in random.sample(FAULTS, random.choice((1, 1, 2))):
            sandbox.fault(**fault, action=UPDATE, call_id=f"call-{number:03}")
    for number in random.sample(range(CALLS), CALLS // 20):
        sandbox.fault("error", status=500, action="getCall", call_id=f"call-{number:03}")


def _work_and_kill(sandbox: Sandbox, random: Random) -> None:
    """Workers that die and are replaced, for a while; then workers that may live, until nothing is left to do."""
    began = time.monotonic()
    with _workers(sandbox) as workers:
        while time.monotonic() < began + CHAOS_SECONDS and _is_anything_left():
            time.sleep(random.uniform(0.5, 2.0))
            place = random.randrange(WORKERS)
            workers[place].send_signal(signal.SIGKILL)
            workers[place].communicate()
            workers[place] = _start(sandbox)
        while _is_anything_left():
            assert time.monotonic() < began + PATIENCE_SECONDS, Counter(
                Operation.objects.values_list("status", flat=True)
            )
            time.sleep(0.5)


@contextmanager
def _workers(sandbox: Sandbox) -> Iterator[list["subprocess.Popen[str]"]]:
    workers = [_start(sandbox) for _ in range(WORKERS)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def _start(sandbox: Sandbox) -> "subprocess.Popen[str]":
    """A worker of the embedded engine: one process with threads, so that a SIGKILL leaves nothing of it."""
    return manage("work", "--every", "1", env=environment(sandbox, **TIMES))


def _is_anything_left() -> bool:
    return BulkJob.objects.filter(finished_at__isnull=True).exists()


def _each_is_over_with_its_reason(job: BulkJob) -> None:
    operations = list(Operation.objects.all())
    assert {operation.status for operation in operations} <= set(SETTLED)
    assert len({operation.call_id for operation in operations}) == len(operations) == CALLS
    for operation in operations:
        if operation.status == OperationStatus.UNRESOLVED:
            assert _why(operation), f"{operation.call} is unresolved without a reason"
        if operation.status == OperationStatus.FAILED:
            assert operation.result_message or operation.result_code
    items = BulkItem.objects.filter(job=job)
    done = {operation.pk for operation in operations if operation.status == OperationStatus.COMPLETED}
    assert set(items.filter(status=BulkItemStatus.DONE).values_list("operation", flat=True)) == done
    assert items.count() == CALLS
    # Not all of it went well, or nothing would have been proved.
    assert {operation.status for operation in operations} > {OperationStatus.COMPLETED}


def _why(operation: Operation) -> str:
    entry = LedgerEntry.objects.filter(operation=operation, action=LedgerAction.CORRECTION_UNRESOLVED).last()
    return str(body_of(entry)["reason"]) if entry else operation.result_message


def _no_two_contexts(sandbox: Sandbox) -> None:
    contexts: dict[str, set[str]] = defaultdict(set)
    for post in posts(sandbox):
        body: Any = post["body"]
        contexts[str(post["call_id"])].add(body["clientContext"])
    known = {one.call.graph_id: {one.client_context} for one in Operation.objects.select_related("call")}
    assert all(found == known[call] for call, found in contexts.items())


def _each_post_has_one_attempt(sandbox: Sandbox) -> None:
    """And an attempt of which nothing arrived says so, or has lost its process before it could say anything."""
    sent = Counter(str(post["client_request_id"]) for post in posts(sandbox))
    assert set(sent.values()) == {1}
    attempts = {str(attempt.client_request_id): attempt for attempt in Attempt.objects.select_related("result")}
    assert set(sent) <= set(attempts)
    for key in set(attempts) - set(sent):
        result = getattr(attempts[key], "result", None)
        assert result is None or result.outcome == "notSent"


def _each_repeat_is_by_the_rule() -> None:
    """Invariant 3e: after the grace, marked as what it is, and only one of them may have reached Teams."""
    grace = timedelta(seconds=float(TIMES["SETTLE_GRACE"]))
    for operation in Operation.objects.prefetch_related("attempts__result"):
        lost: list[Attempt] = []
        for attempt in operation.attempts.all():
            assert attempt.is_repeat or not lost
            assert all(attempt.started_at >= one.started_at + grace for one in lost)
            if getattr(attempt, "result", None) is None or attempt.result.outcome not in HARMLESS:
                lost.append(attempt)
        assert len(lost) <= 2
