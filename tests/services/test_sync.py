"""The sync asks Graph about calls nobody speaks of: few at a time, the longest silent first, and only looking."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connections
from pytest_django import DjangoAssertNumQueries, Settings

from recordings import ingest, services
from recordings.models import Call
from recordings.services import Found, budget
from sandbox.server import Sandbox
from tests import cast

pytestmark = pytest.mark.django_db(transaction=True)

SILENT = timedelta(seconds=61)


def call(sandbox: Sandbox, graph_id: str, *, at: datetime, at_graph: bool = True) -> Call:
    """A call of which the recorder last spoke at `at`."""
    if at_graph:
        sandbox.add_call(call_id=graph_id, state="established")
    return cast.call(graph_id, at=at + timedelta(minutes=1), told="recording")


def asked(sandbox: Sandbox) -> list[str]:
    """Which calls were asked for, in order; and nothing else was done at Graph."""
    entries = [entry for entry in sandbox.log() if "calls" in str(entry["path"])]
    assert {entry["action"] for entry in entries} <= {"getCall"}
    return [str(entry["path"]).rsplit("/", 1)[-1] for entry in entries]


def sync(at: datetime, **options: int) -> services.Synced:
    return services.sync(at, clock=lambda: at, **options)


def test_the_longest_silent_are_asked_for_first_and_no_more_than_allowed(
    sandbox: Sandbox, now: datetime, settings: Settings
) -> None:
    for name, minutes in (("old", 30), ("oldest", 50), ("older", 40)):
        call(sandbox, name, at=now - timedelta(minutes=minutes))
    settings.SYNC_CALLS = 2
    assert sync(now).found == {Found.LIVE: 2}
    assert asked(sandbox) == ["oldest", "older"]


def test_a_call_somebody_speaks_of_is_left_alone(sandbox: Sandbox, now: datetime) -> None:
    call(sandbox, "call-1", at=now)
    cast.heartbeat(at=now + timedelta(seconds=30), capture="capturing")
    sync(now + timedelta(seconds=89))
    assert asked(sandbox) == []
    sync(now + timedelta(seconds=91))
    assert asked(sandbox) == ["call-1"]


def test_an_answer_is_a_sign_of_life_and_the_call_comes_up_again_as_much_later(sandbox: Sandbox, now: datetime) -> None:
    call(sandbox, "call-1", at=now)
    sync(now + SILENT)
    known = Call.objects.get()
    assert known.last_signal_at == known.graph_seen_at == now + SILENT
    assert known.probe_after == now + SILENT + timedelta(seconds=60)


def test_a_call_that_ended_unnoticed_is_not_live_any_more(sandbox: Sandbox, now: datetime) -> None:
    call(sandbox, "call-1", at=now)
    sandbox.end_call("call-1")
    sync(now + SILENT)
    over = Call.objects.get()
    assert not over.is_live
    assert over.probe_after is None


def test_one_404_is_gone_where_calls_heard_of_lately_are_found(sandbox: Sandbox, now: datetime) -> None:
    call(sandbox, "lost", at=now, at_graph=False)
    for name in ("fresh-1", "fresh-2"):
        call(sandbox, name, at=now + SILENT)
    synced = sync(now + SILENT)
    assert (synced.found, synced.is_suspect) == ({Found.NOT_FOUND: 1}, False)
    assert set(asked(sandbox)) == {"lost", "fresh-1", "fresh-2"}
    assert set(Call.objects.filter(gone_at=None).values_list("graph_id", flat=True)) == {"fresh-1", "fresh-2"}


def test_a_call_that_is_alone_is_gone_by_its_own_404(sandbox: Sandbox, now: datetime) -> None:
    call(sandbox, "lost", at=now, at_graph=False)
    sync(now + SILENT)
    assert Call.objects.get().gone_at == now + SILENT


def test_a_404_beside_others_that_are_not_found_either_says_nothing_of_the_call(
    sandbox: Sandbox, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    """With the credential of another app every call would look gone, one small pass after the other (invariant 5)."""
    call(sandbox, "silent", at=now, at_graph=False)
    for name in ("fresh-1", "fresh-2"):
        call(sandbox, name, at=now + SILENT, at_graph=False)
    with caplog.at_level(logging.ERROR):
        assert sync(now + SILENT).is_suspect
    assert "credential" in caplog.text
    assert not Call.objects.exclude(gone_at=None).exists()


def test_most_of_a_pass_not_found_sets_nothing_and_the_others_are_believed(sandbox: Sandbox, now: datetime) -> None:
    for number in range(3):
        call(sandbox, f"lost-{number}", at=now, at_graph=False)
    for number in range(2):
        call(sandbox, f"found-{number}", at=now)
    assert sync(now + SILENT).is_suspect
    assert not Call.objects.exclude(gone_at=None).exists()
    assert Call.objects.filter(graph_seen_at=now + SILENT).count() == 2
    assert sync(now + SILENT).found.total() == 0, "they are asked for again a while later"


def test_fewer_than_half_not_found_are_gone(sandbox: Sandbox, now: datetime) -> None:
    for number in range(2):
        call(sandbox, f"lost-{number}", at=now, at_graph=False)
    for number in range(3):
        call(sandbox, f"found-{number}", at=now)
    assert not sync(now + SILENT).is_suspect
    assert Call.objects.exclude(gone_at=None).count() == 2


def test_a_problem_that_meets_all_ends_the_pass_and_the_others_wait_as_long_as_graph_says(
    sandbox: Sandbox, now: datetime
) -> None:
    for number in range(3):
        call(sandbox, f"call-{number}", at=now + timedelta(seconds=number))
    sandbox.fault("error", status=429, retry_after="40", action="getCall")
    at = now + timedelta(seconds=70)
    assert sync(at).found == {Found.UNCLEAR: 1, Found.NOT_ASKED: 2}
    assert asked(sandbox) == ["call-0"]
    waiting = Call.objects.exclude(graph_id="call-0").values_list("probe_after", flat=True)
    assert set(waiting) == {at + timedelta(seconds=40)}


def test_what_is_left_of_the_budget_is_left_to_people(sandbox: Sandbox, now: datetime, settings: Settings) -> None:
    for number in range(3):
        call(sandbox, f"call-{number}", at=now)
    at = now + SILENT
    while not budget.take(1, now=at, keep=9):
        pass
    assert sync(at).found == {Found.NOT_ASKED: 3}
    assert asked(sandbox) == []
    later = at + timedelta(seconds=30)
    assert sync(later).found == {Found.LIVE: 3}


def test_a_problem_of_one_call_does_not_keep_the_others_waiting(sandbox: Sandbox, now: datetime) -> None:
    for number in range(3):
        call(sandbox, f"call-{number}", at=now)
    sandbox.fault("error", status=503, call_id="call-0", action="getCall")
    assert sync(now + SILENT).found == {Found.UNCLEAR: 1, Found.LIVE: 2}


def test_calls_of_another_tenant_and_those_that_are_over_are_not_asked_for(sandbox: Sandbox, now: datetime) -> None:
    cast.call("over", at=now, ended_at=now)
    foreign = cast.recorder("rec-elsewhere", token="token-of-rec-elsewhere", now=now)
    foreign.tenants = ["another-tenant"]
    foreign.save()
    cast.tell("call.joined", "foreign", at=now, by=foreign, tenantId="another-tenant", state="established")
    assert sync(now + timedelta(hours=1)).found.total() == 0
    assert asked(sandbox) == []


def test_a_lease_holds_whatever_is_heard_beside_it(sandbox: Sandbox, now: datetime) -> None:
    silent = call(sandbox, "call-1", at=now)
    until = now + timedelta(minutes=5)
    assert len(ingest.lease_probes(now + SILENT, tenant_id=silent.tenant_id, until=until, limit=5)) == 1
    ingest.reschedule(Call.objects.get(), now=now + SILENT)
    assert Call.objects.get().probe_after == until
    assert ingest.lease_probes(now + SILENT, tenant_id=silent.tenant_id, until=until, limit=5) == []


def test_two_workers_never_ask_for_the_same_call(sandbox: Sandbox, now: datetime) -> None:
    for number in range(12):
        call(sandbox, f"call-{number:02}", at=now)
    start = threading.Barrier(4)

    def work(_: int) -> int:
        start.wait()
        try:
            return sync(now + SILENT, limit=6).found.total()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        total = sum(pool.map(work, range(4)))
    assert sorted(asked(sandbox)) == [f"call-{number:02}" for number in range(12)]
    assert total == 12


def test_looking_for_whom_to_ask_reads_an_index(
    sandbox: Sandbox, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    due = Call.objects.to_probe(now, tenant_id="tenant").values("pk")[:50]
    assert "call_probe" in due.explain()
    with django_assert_num_queries(3):  # a transaction, and nobody to ask for
        sync(now)
