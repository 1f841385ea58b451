"""A selection that many hands send at once starts one job, and what failed is tried again by one."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.utils import timezone

from recordings import findings, services
from recordings.models import BulkItem, BulkJob, Call, EvidenceFile, LedgerEntry
from recordings.services import BulkRefused, Requester, Selection
from sandbox.server import Sandbox
from tests import cast
from tests.at_graph import UPDATE

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 8


def all_at_once(act: Callable[[], BulkJob]) -> list[UUID | str]:
    """What each of THREADS gets: the key of a job, or why there was none."""
    start = threading.Barrier(THREADS)

    def one(_: int) -> UUID | str:
        try:
            start.wait()
            return act().pk
        except BulkRefused as refusal:
            return str(refusal)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(THREADS)))


def test_one_selection_starts_one_correction(sandbox: Sandbox, mira: User) -> None:
    cast.call("call-1", at=timezone.now(), capture="failed", told="recording")
    by, selection = Requester.at_screen(mira), Selection("1 call, chosen one by one")

    def start() -> BulkJob:
        return services.start_bulk(
            Call.objects.all(), wish="failed", reason="at once", by=by, selection=selection, now=timezone.now()
        )

    assert all_at_once(start) == [selection.key] * THREADS
    assert BulkItem.objects.count() == 1
    assert LedgerEntry.objects.filter(action="bulk.started").count() == 1


def test_one_selection_starts_one_attestation_and_keeps_one_file(mira: User) -> None:
    ago = timezone.now() - timedelta(minutes=5)
    cast.call("call-1", at=ago, told="recording", ended_at=ago)
    findings.sweep(timezone.now())
    by, selection = Requester.at_screen(mira), Selection("1 call, chosen one by one")

    def start() -> BulkJob:
        return services.start_bulk_attestation(
            Call.objects.all(),
            root_cause="network",
            reason="at once",
            evidence="",
            file=("line.log", b"14:32:08 the line dropped"),
            by=by,
            selection=selection,
            now=timezone.now(),
        )

    assert all_at_once(start) == [selection.key] * THREADS
    assert EvidenceFile.objects.count() == 1


def test_what_failed_is_tried_again_in_one_job(sandbox: Sandbox, mira: User) -> None:
    sandbox.add_call(call_id="call-1", state="established")
    sandbox.fault("error", action=UPDATE, status=409)
    cast.call("call-1", at=timezone.now(), capture="failed", told="recording")
    by, now = Requester.at_screen(mira), timezone.now()
    job = services.start_bulk(
        Call.objects.all(), wish="failed", reason="at once", by=by, selection=Selection("1 call"), now=now
    )
    services.run_bulk_due(now)
    answers = all_at_once(lambda: services.retry_failed(job, by=by, now=timezone.now()))
    (again,) = BulkJob.objects.filter(retry_of=job)
    assert answers.count(again.pk) == 1
    assert sum("tried again already" in str(answer) for answer in answers) == THREADS - 1
