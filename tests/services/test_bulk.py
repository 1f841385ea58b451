"""One wish for many calls: sorted beforehand, worked off, stopped, tried again; every selected call accounted for."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from recordings import services
from recordings.choices import BulkItemStatus
from recordings.models import BulkItem, BulkJob, Call
from recordings.services import Requester, Selection
from sandbox.server import Sandbox
from tests import cast
from tests.at_graph import posts

pytestmark = pytest.mark.django_db(transaction=True)


def stopped_calls(sandbox: Sandbox, *names: str) -> None:
    """Live calls at Graph; Teams shows recording, and their recorder has just said that capture stopped."""
    now = timezone.now()
    for name in names:
        sandbox.add_call(call_id=name, state="established")
        cast.call(name, at=now, capture="stopped", told="recording")
        cast.heartbeat(name, at=now, capture="stopped")


def start(by: User, *, wish: str = "notRecording") -> BulkJob:
    return services.start_bulk(
        Call.objects.order_by("id"),
        wish=wish,
        reason="the desk checked",
        by=Requester.at_screen(by),
        selection=Selection("all calls"),
        now=timezone.now(),
    )


def run() -> None:
    services.run_bulk_due(timezone.now())


def outcomes(job: BulkJob) -> dict[str, str]:
    return dict(BulkItem.objects.filter(job=job).order_by("id").values_list("call__graph_id", "status"))


def test_every_call_of_a_job_is_corrected(sandbox: Sandbox, mira: User) -> None:
    stopped_calls(sandbox, "call-1", "call-2", "call-3")
    job = start(mira)
    run()
    assert set(outcomes(job).values()) == {BulkItemStatus.DONE}
    assert len(posts(sandbox)) == 3
    assert set(Call.objects.values_list("recording_status", flat=True)) == {"notRecording"}
    job.refresh_from_db()
    assert job.finished_at
