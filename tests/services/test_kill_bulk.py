"""The worker dies (SIGKILL) in the middle of a bulk job: nothing is lost, and nobody hears a notice twice."""

import signal
import time
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from recordings import services
from recordings.choices import BulkItemStatus, LedgerAction, OperationStatus
from recordings.models import AttemptResult, BulkItem, BulkJob, Call, LedgerEntry, Operation
from recordings.services import Requester, Selection
from recordings.services.bulk.correcting import VANGUARD
from sandbox.server import Sandbox
from tests import cast
from tests.at_graph import UPDATE, posts
from tests.processes import environment, manage
from tests.services.test_kill import TIMES, every_post_has_one_attempt, kill, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

CALLS = [f"call-{number:02}" for number in range(12)]


@pytest.fixture
def job(sandbox: Sandbox, mira: User) -> BulkJob:
    """Twelve calls of which Teams shows recording, though their recorder has stopped."""
    now = timezone.now()
    for name in CALLS:
        sandbox.add_call(call_id=name, state="established")
        cast.call(name, at=now, capture="stopped", told="recording")
    recorders_go_on_talking()
    return services.start_bulk(
        Call.objects.order_by("id"),
        wish="notRecording",
        reason="the desk checked",
        by=Requester.at_screen(mira),
        selection=Selection("twelve calls"),
        now=timezone.now(),
    )


def recorders_go_on_talking() -> None:
    for name in CALLS:
        cast.heartbeat(name, at=timezone.now(), capture="stopped")


def work_past_the_grace(sandbox: Sandbox) -> None:
    """What the next worker does, a new process, once the dead one's leases and the grace are over."""
    ripe = timezone.now() + timedelta(seconds=4)
    wait_until(lambda: timezone.now() > ripe)
    recorders_go_on_talking()
    with manage("reconcile", "--once", env=environment(sandbox, **TIMES)) as process:
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, output + errors


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_while_answers_are_awaited(sandbox: Sandbox, job: BulkJob, moment: str) -> None:
    sandbox.settings(list_operations=True)
    sandbox.fault("hang", when=moment, times=None, action=UPDATE)
    with manage("reconcile", "--once", env=environment(sandbox, GRAPH_DEADLINE="30", SETTLE_GRACE="60")) as process:
        assert sandbox.wait_for_hanging(VANGUARD, seconds=60)
        kill(process)
    begun = Operation.objects.filter(status=OperationStatus.SENT)
    assert begun.count() == VANGUARD
    assert all(operation.attempts.count() == 1 for operation in begun)
    assert BulkItem.objects.filter(status=BulkItemStatus.WAITING).count() == len(CALLS) - VANGUARD
    begun.update(leased_until=timezone.now())  # as if the long lease of this worker were over
    sandbox.clear_faults()
    sandbox.release()
    wait_until(lambda: all(entry["answered"] or entry["cut"] for entry in posts(sandbox)))
    work_past_the_grace(sandbox)
    assert set(BulkItem.objects.values_list("status", flat=True)) == {BulkItemStatus.DONE}
    assert Operation.objects.filter(status=OperationStatus.COMPLETED).count() == len(CALLS)
    assert every_post_has_one_attempt(sandbox)
    acted = [str(post["path"]) for post in posts(sandbox) if post["acted"]]
    assert sorted(set(acted)) == sorted(acted)
    job.refresh_from_db()
    assert job.finished_at
    assert LedgerEntry.objects.filter(action=LedgerAction.BULK_FINISHED).count() == 1


def test_told_to_end_it_stores_every_answer_and_sends_no_more(sandbox: Sandbox, job: BulkJob) -> None:
    sandbox.fault("hang", when="after", times=None, action=UPDATE)
    with manage("work", "--every", "1", env=environment(sandbox, GRAPH_DEADLINE="15")) as worker:
        assert sandbox.wait_for_hanging(VANGUARD, seconds=60)
        worker.send_signal(signal.SIGTERM)
        time.sleep(1)  # so that it has heard it before the first answer comes
        sandbox.release()
        output, errors = worker.communicate(timeout=60)
    assert worker.returncode == 0, output + errors
    assert len(posts(sandbox)) == AttemptResult.objects.count() == VANGUARD
    assert BulkItem.objects.filter(status=BulkItemStatus.DONE).count() == VANGUARD
    assert BulkItem.objects.filter(status=BulkItemStatus.WAITING).count() == len(CALLS) - VANGUARD


def test_several_workers_at_once_send_each_correction_once(sandbox: Sandbox, job: BulkJob) -> None:
    env = environment(sandbox)
    workers = [manage("reconcile", "--once", env=env) for _ in range(3)]
    for worker in workers:
        output, errors = worker.communicate(timeout=120)
        assert worker.returncode == 0, output + errors
    assert set(BulkItem.objects.values_list("status", flat=True)) == {BulkItemStatus.DONE}
    assert len(posts(sandbox)) == len(CALLS)
    assert every_post_has_one_attempt(sandbox)
    assert LedgerEntry.objects.filter(action=LedgerAction.BULK_FINISHED).count() == 1
