"""One budget of requests for all workers: never more than it holds, and closed for everyone at once."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from recordings import services
from recordings.choices import OperationStatus
from recordings.graph.errors import GraphError, GraphNotSent, GraphOutcomeUnknown, GraphThrottled
from recordings.models import Call, Operation, RequestBudget
from recordings.services import Requester, budget
from sandbox.server import Sandbox
from tests import cast
from tests.at_graph import UPDATE, posts
from tests.processes import ROOT, environment

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _small(settings: Settings) -> None:
    """Twenty tokens, ten more a second."""
    settings.GRAPH_RATE, settings.GRAPH_BURST = 10.0, 20


def test_what_the_bucket_holds_is_granted_and_then_it_says_how_long_to_wait(now: datetime) -> None:
    assert budget.take(15, now=now) == 0
    assert budget.take(10, now=now) == pytest.approx(0.5)
    assert budget.take(5, now=now) == 0
    assert budget.take(1, now=now) == pytest.approx(0.1)


def test_tokens_flow_in_with_time_and_never_beyond_the_brim(now: datetime) -> None:
    budget.take(20, now=now)
    assert budget.take(10, now=now + SECOND) == 0
    assert budget.take(1, now=now + SECOND) > 0
    later = now + timedelta(hours=1)
    assert budget.take(20, now=later) == 0
    assert budget.take(1, now=later) > 0


def test_a_clock_that_lags_behind_another_machines_wins_and_loses_nothing(now: datetime) -> None:
    budget.take(20, now=now)
    assert budget.take(1, now=now - timedelta(minutes=1)) > 0
    assert budget.take(10, now=now + SECOND) == 0
    assert budget.take(1, now=now + SECOND) > 0


def test_a_clock_that_was_an_hour_ahead_holds_nobody_up(now: datetime) -> None:
    budget.take(20, now=now + timedelta(hours=1))
    assert budget.take(10, now=now) > 0
    assert budget.take(10, now=now + SECOND) == 0
    assert budget.take(1, now=now + SECOND) > 0


def test_what_nobody_waits_for_leaves_the_last_tokens_to_people(now: datetime) -> None:
    assert budget.take(18, now=now, keep=2) == 0
    assert budget.take(1, now=now, keep=2) > 0
    assert budget.take(2, now=now) == 0


def test_tokens_that_were_not_needed_go_back(now: datetime) -> None:
    budget.take(20, now=now)
    budget.give_back(5, now=now)
    assert budget.take(5, now=now) == 0
    assert budget.take(1, now=now) > 0


def test_more_than_it_can_ever_hold_is_an_error_and_no_endless_wait(now: datetime) -> None:
    with pytest.raises(ValueError, match="never holds 21"):
        budget.take(21, now=now)


def test_while_it_is_closed_nobody_gets_a_token(now: datetime) -> None:
    budget.close_until(now + 30 * SECOND, now=now)
    assert budget.take(1, now=now) == pytest.approx(30)
    assert budget.take(1, now=now + 29 * SECOND) == pytest.approx(1)
    assert budget.take(1, now=now + 30 * SECOND) == 0


def test_of_two_pauses_the_longer_one_holds(now: datetime) -> None:
    budget.close_until(now + 30 * SECOND, now=now)
    budget.close_until(now + 5 * SECOND, now=now)
    assert budget.closed_until(now=now) == now + 30 * SECOND
    budget.close_until(now + 40 * SECOND, now=now)
    assert budget.closed_until(now=now) == now + 40 * SECOND


def test_no_header_stops_all_work_for_more_than_an_hour(now: datetime) -> None:
    budget.learn(GraphThrottled(retry_after_seconds=1e9), now=now)
    assert budget.closed_until(now=now) == now + timedelta(hours=1)


@pytest.mark.parametrize(
    ("problem", "seconds"),
    [
        (GraphThrottled(http_status=429, retry_after_seconds=7.0), 7.0),
        (GraphThrottled(http_status=429), 1.0),
        (GraphOutcomeUnknown(http_status=503, retry_after_seconds=4.0), 4.0),
        (GraphOutcomeUnknown(http_status=503), None),
        (GraphOutcomeUnknown(http_status=500, retry_after_seconds=4.0), None),
        (GraphNotSent(retry_after_seconds=4.0), None),
    ],
)
def test_only_graphs_own_wish_for_a_pause_closes_it(problem: GraphError, seconds: float | None) -> None:
    pause = budget.pause_asked_for(problem)
    assert (pause.total_seconds() if pause else None) == seconds


def take_all(now: datetime) -> int:
    """Take one token after the other until there is none; how many there were."""
    taken = 0
    while budget.take(1, now=now) == 0:
        taken += 1
    return taken


def test_many_threads_get_no_more_than_it_holds(now: datetime) -> None:
    def worker(_: int) -> int:
        try:
            return take_all(now)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(worker, range(8))) == 20


TAKE_ALL = """
import django; django.setup()
from datetime import datetime
from recordings.services import budget
now, taken = datetime.fromisoformat({now!r}), 0
while budget.take(1, now=now) == 0:
    taken += 1
print(taken)
"""


def test_many_processes_get_no_more_than_it_holds(sandbox: Sandbox, now: datetime) -> None:
    env = environment(sandbox, GRAPH_RATE="10", GRAPH_BURST="20")
    command = [sys.executable, "-c", TAKE_ALL.format(now=now.isoformat())]
    running = [
        subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    outputs = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], outputs
    assert sum(int(output) for output, _ in outputs) == 20


@pytest.fixture
def wish(sandbox: Sandbox, mira: User) -> Operation:
    """Mira's correction of call-1, stored and not sent."""
    sandbox.add_call(call_id="call-1", state="established")
    call = cast.call(at=timezone.now(), told="recording")
    by = Requester.at_screen(mira)
    return services.request_correction(call, wish="failed", reason="the desk checked", by=by, now=timezone.now())


def test_a_look_and_a_post_take_a_token_each(sandbox: Sandbox, wish: Operation, settings: Settings) -> None:
    settings.GRAPH_RATE = 0.001
    assert services.send_operation(wish.pk).status == OperationStatus.COMPLETED
    assert RequestBudget.objects.get().tokens == pytest.approx(18, abs=0.1)


def test_who_waits_is_told_when_it_will_be_sent_while_microsoft_wants_a_pause(
    sandbox: Sandbox, wish: Operation
) -> None:
    now = timezone.now()
    budget.close_until(now + 30 * SECOND, now=now)
    operation = services.send_operation(wish.pk)
    assert operation.status == OperationStatus.PENDING
    assert operation.result_message.startswith("Not sent yet: Microsoft asked for a pause until ")
    assert operation.send_after
    assert operation.send_after >= now + 29 * SECOND
    assert sandbox.log() == []


def test_where_the_budget_is_used_up_nothing_is_sent_and_no_try_is_spent(
    sandbox: Sandbox, wish: Operation, settings: Settings
) -> None:
    settings.GRAPH_RATE = 0.001
    budget.take(19, now=timezone.now())
    operation = services.send_operation(wish.pk)
    assert operation.status == OperationStatus.PENDING
    assert "Too many requests to Microsoft are waiting" in operation.result_message
    assert operation.attempts.count() == 0
    assert posts(sandbox) == []


def test_a_429_to_one_closes_it_for_all(sandbox: Sandbox, wish: Operation, mira: User) -> None:
    sandbox.fault("error", status=429, retry_after="60", action=UPDATE)
    sandbox.add_call(call_id="call-2", state="established")
    cast.call("call-2", at=timezone.now(), told="recording")
    services.send_operation(wish.pk)
    other = services.request_correction(
        Call.objects.get(graph_id="call-2"),
        wish="failed",
        reason="as well",
        by=Requester.at_screen(mira),
        now=timezone.now(),
    )
    asked = len(sandbox.log())
    operation = services.send_operation(other.pk)
    assert operation.status == OperationStatus.PENDING
    assert "Microsoft asked for a pause" in operation.result_message
    assert len(sandbox.log()) == asked
