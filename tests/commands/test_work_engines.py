"""manage.py work on each job engine, as real processes: a job is a trigger, and losing it loses nothing."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Event

import psutil
import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from dashboard.engines import embedded, running
from recordings import services
from recordings.choices import AttemptOutcome, OperationStatus
from recordings.models import Attempt, Finding, Operation
from recordings.services import Requester
from sandbox.server import Sandbox
from tests import cast
from tests.at_graph import UPDATE, posts
from tests.demo.processes import gone, until
from tests.processes import environment, manage

pytestmark = pytest.mark.django_db(transaction=True)

# Short enough for a test to wait past, in the proportions the settings' check asks for.
TIMES = {"GRAPH_TIMEOUT": "1,4", "GRAPH_DEADLINE": "5", "SETTLE_GRACE": "10"}
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Engine:
    name: str
    jobs: str
    processes: str
    heard_of: str
    ticks: str
    queued: str

    def count_of_jobs(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {self.jobs}")
            return int(cursor.fetchone()[0])

    def has_queued(self, path: str) -> bool:
        """A job of its own; those of a tick are `run_periodic` with the path as argument."""
        with connection.cursor() as cursor:
            cursor.execute(self.queued, [path])
            return int(cursor.fetchone()[0]) > 0

    def is_at_work(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {self.processes}")
            return int(cursor.fetchone()[0]) > 0


EMBEDDED = Engine(
    "embedded",
    jobs="dj_queue_claimed_executions",
    processes="dj_queue_processes",
    heard_of="last_heartbeat_at",
    ticks="dj_queue_recurring_executions",
    queued="SELECT count(*) FROM dj_queue_jobs WHERE task_path = %s",
)
DISTRIBUTED = Engine(
    "distributed",
    jobs="procrastinate_jobs",
    processes="procrastinate_workers",
    heard_of="last_heartbeat",
    ticks="procrastinate_periodic_defers",
    queued="SELECT count(*) FROM procrastinate_jobs WHERE args ->> 'path' = %s",
)


# Each on the database it is advised for; the tests that kill workers run the embedded one on both.
ADVISED = DISTRIBUTED if connection.vendor == "postgresql" else EMBEDDED


@pytest.fixture(params=[ADVISED], ids=lambda one: one.name)
def engine(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Engine]:
    """The tables of `distributed` are made as an operator makes them who changes the engine."""
    chosen: Engine = request.param
    if chosen is EMBEDDED:
        yield chosen
        return
    with manage("migrate", "procrastinate", env=environment(sandbox, TASKS_ENGINE=chosen.name)) as process:
        said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    yield chosen
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers, procrastinate_periodic_defers CASCADE")


@contextmanager
def worker(sandbox: Sandbox, engine: Engine) -> Iterator["subprocess.Popen[str]"]:
    process = manage("work", "--every", "1", env=environment(sandbox, TASKS_ENGINE=engine.name, **TIMES))
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def end(process: "subprocess.Popen[str]") -> str:
    """SIGTERM; answers what it has said in its whole life."""
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, out + err
    return str(out + err)


def stored_wish(sandbox: Sandbox, mira: User, graph_id: str = "call-1") -> Operation:
    """A correction whose asker went away before it was sent."""
    now = timezone.now()
    sandbox.add_call(call_id=graph_id, state="established")
    call = cast.call(graph_id, at=now, capture="stopped", told="recording")
    cast.heartbeat(graph_id, at=now, capture="stopped")
    by = Requester.at_screen(mira)
    wish = services.request_correction(call, wish="notRecording", reason="the desk checked", by=by, now=now)
    Operation.objects.filter(pk=wish.pk).update(send_after=now)
    return wish


def is_completed() -> bool:
    return not Operation.objects.exclude(status=OperationStatus.COMPLETED).exists()


def ended_too_long_ago(graph_id: str) -> None:
    ago = timezone.now() - timedelta(minutes=5)
    cast.call(graph_id, at=ago, told="recording", ended_at=ago)


def finding_opens(graph_id: str) -> bool:
    return until(PATIENCE_SECONDS, Finding.objects.filter(call__graph_id=graph_id).exists)


def test_it_sends_what_is_due_and_opens_findings_and_says_nothing(sandbox: Sandbox, mira: User, engine: Engine) -> None:
    stored_wish(sandbox, mira)
    ended_too_long_ago("call-2")
    with worker(sandbox, engine) as process:
        assert until(PATIENCE_SECONDS, is_completed)
        assert finding_opens("call-2")
        ended_too_long_ago("call-3")
        assert finding_opens("call-3")
        assert end(process) == ""
    assert len(posts(sandbox)) == 1


def test_told_to_end_it_finishes_the_correction_under_way_and_leaves_no_process(
    sandbox: Sandbox, mira: User, engine: Engine
) -> None:
    stored_wish(sandbox, mira)
    sandbox.fault("hang", when="after", action=UPDATE)
    with worker(sandbox, engine) as process:
        assert sandbox.wait_for_hanging(1, seconds=PATIENCE_SECONDS)
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        process.send_signal(signal.SIGTERM)
        sandbox.release()
        assert process.wait(PATIENCE_SECONDS) == 0
        assert gone(family)
    assert is_completed()
    assert len(posts(sandbox)) == 1


@pytest.mark.parametrize("heir", ["the other worker", "the restarted one"])
def test_what_a_killed_worker_had_in_hand_is_found_by(sandbox: Sandbox, mira: User, engine: Engine, heir: str) -> None:
    wish = stored_wish(sandbox, mira)
    sandbox.settings(list_operations=True)
    sandbox.fault("hang", when="after", action=UPDATE)
    with worker(sandbox, engine) as first, ExitStack() as others:
        assert sandbox.wait_for_hanging(1, seconds=PATIENCE_SECONDS)
        if heir == "the other worker":
            others.enter_context(worker(sandbox, engine))
            ended_too_long_ago("call-2")
            assert finding_opens("call-2")
        first.kill()
        first.wait(PATIENCE_SECONDS)
        sandbox.release()
        if heir == "the restarted one":
            others.enter_context(worker(sandbox, engine))
        assert until(PATIENCE_SECONDS, is_completed)
        ended_too_long_ago("call-3")
        assert finding_opens("call-3")
    assert [post["acted"] for post in posts(sandbox)] == [True]
    assert Attempt.objects.get().operation_id == wish.pk


def test_the_jobs_of_a_killed_worker_are_cleared_away(sandbox: Sandbox, mira: User, engine: Engine) -> None:
    stored_wish(sandbox, mira)
    sandbox.fault("hang", when="after", action=UPDATE)
    with worker(sandbox, engine) as first:
        assert sandbox.wait_for_hanging(1, seconds=PATIENCE_SECONDS)
        first.kill()
        first.wait(PATIENCE_SECONDS)
    sandbox.release()
    assert engine.count_of_jobs() > 0
    nothing_was_heard_for_long(engine)
    with worker(sandbox, engine) as heir:
        ended_too_long_ago("call-2")
        assert finding_opens("call-2")
        assert until(PATIENCE_SECONDS, lambda: engine.count_of_jobs() == 0)
        end(heir)


def nothing_was_heard_for_long(engine: Engine) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {engine.processes} SET {engine.heard_of} = '2026-01-01 00:00:00+00:00'")
        cursor.execute(f"DELETE FROM {engine.ticks}")


def test_two_workers_at_once_send_each_correction_once(sandbox: Sandbox, mira: User, engine: Engine) -> None:
    with worker(sandbox, engine) as first, worker(sandbox, engine) as second:
        assert until(PATIENCE_SECONDS, engine.is_at_work)
        sandbox.fault("delay", action="getCall", seconds=0.05, times=None)
        wishes = {stored_wish(sandbox, mira, f"call-{number}").pk for number in range(12)}
        assert until(PATIENCE_SECONDS, lambda: Operation.objects.exists() and is_completed())
        end(first)
        end(second)
    sent = [post["body"] for post in posts(sandbox)]
    assert len(sent) == len({str(body) for body in sent}) == len(wishes)
    left = Attempt.objects.exclude(
        result__outcome=AttemptOutcome.NOT_SENT
    )  # on a busy machine a try may run out of time first
    assert sorted(left.values_list("operation_id", flat=True)) == sorted(wishes)


def test_a_job_that_the_engine_lost_does_not_matter(sandbox: Sandbox, mira: User, engine: Engine) -> None:
    stored_wish(sandbox, mira)
    sandbox.fault("hang", when="after", action=UPDATE)
    with worker(sandbox, engine) as process:
        assert sandbox.wait_for_hanging(1, seconds=PATIENCE_SECONDS)
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {engine.jobs}")
        sandbox.release()
        assert until(PATIENCE_SECONDS, is_completed)
        stored_wish(sandbox, mira, "call-2")
        ended_too_long_ago("call-3")
        assert finding_opens("call-3")
        assert until(PATIENCE_SECONDS, is_completed)
        end(process)
    assert len(posts(sandbox)) == 2


def test_a_task_that_somebody_enqueues_is_run_once(sandbox: Sandbox, engine: Engine) -> None:
    code = "from recordings.tasks import sweep; print(sweep.enqueue().status)"
    with manage("shell", "-v", "0", "-c", code, env=environment(sandbox, TASKS_ENGINE=engine.name)) as shell:
        out, err = shell.communicate(timeout=PATIENCE_SECONDS)
    assert (out, err) == ("READY\n", "")
    assert engine.has_queued("recordings.tasks.sweep")
    with worker(sandbox, engine) as process:
        assert until(PATIENCE_SECONDS, lambda: not engine.has_queued("recordings.tasks.sweep"))
        assert end(process) == ""


def test_an_engine_without_its_tables_is_refused(sandbox: Sandbox) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'dj_queue' AND name LIKE '0018%%'", [])
    try:
        with manage("work", env=environment(sandbox)) as process:
            _, err = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO django_migrations (app, name, applied)"
                " VALUES ('dj_queue', '0018_recurringexecution_intended_job_id', '2026-01-01 00:00:00+00:00')"
            )
    assert process.returncode == 1
    assert "Migrations of dj_queue are missing" in err


def test_an_engine_that_brings_no_work_any_more_ends_its_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever supervises the worker then starts it again; of all that is due nothing is lost."""
    monkeypatch.setattr(running, "STANDSTILL_SECONDS", 1.0)
    with pytest.raises(CommandError, match="brings no work any more"):
        embedded.work([], every=1, stopping=Event())
