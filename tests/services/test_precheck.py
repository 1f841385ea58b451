"""Before a bulk job: where each selected call stands, by the ruling a single correction would get."""

from datetime import datetime, timedelta
from importlib import import_module

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recordings import services
from recordings.choices import BulkStanding
from recordings.models import Call
from recordings.services import BulkRefused, Requester
from tests import cast

pytestmark = pytest.mark.django_db

# By its name: the package offers the function of the same name.
ROOM = import_module("recordings.services.bulk.precheck")


def look(*, now: datetime, wish: str = "notRecording") -> services.Precheck:
    return services.precheck(Call.objects.order_by("id"), wish=wish, now=now)


def names(found: services.Precheck) -> dict[BulkStanding, list[str]]:
    return {group.standing: [call.graph_id for call in group.calls] for group in found.groups}


def one_of_every_kind(now: datetime, mira: User) -> None:
    cast.call("can", at=now, capture="stopped", told="recording")
    cast.heartbeat("can", at=now, capture="stopped")
    cast.call("ask", at=now - timedelta(minutes=5), capture="stopped", told="recording")
    cast.call("against", at=now, capture="started", told="recording")
    cast.heartbeat("against", at=now, capture="capturing")
    cast.call("over", at=now, told="recording", ended_at=now)
    cast.call("early", at=now, told="recording", state="establishing")
    cast.call("elsewhere", at=now, capture="stopped", told="recording")
    Call.objects.filter(graph_id="elsewhere").update(tenant_id="another-tenant")
    cast.call("right", at=now, capture="stopped", told="recording")
    graph = {"recording_status": "notRecording", "recording_status_source": "graph", "recording_status_at": now}
    Call.objects.filter(graph_id="right").update(**graph)
    busy = cast.call("busy", at=now, told="recording")
    services.request_correction(busy, wish="failed", reason="first", by=Requester.at_screen(mira), now=now)


def test_every_call_is_in_exactly_one_group(mira: User, now: datetime) -> None:
    one_of_every_kind(now, mira)
    found = look(now=now)
    assert names(found) == {
        BulkStanding.CAN_ACT: ["can"],
        BulkStanding.NEEDS_APPROVAL: ["ask"],
        BulkStanding.ALREADY_RIGHT: ["right"],
        BulkStanding.IN_PROGRESS: ["busy"],
        BulkStanding.AGAINST_RECORDER: ["against"],
        BulkStanding.ATTEST_ONLY: ["over"],
        BulkStanding.NOT_POSSIBLE: ["early", "elsewhere"],
    }
    assert sum(group.count for group in found.groups) == found.total == 8
    assert all(group.why for group in found.groups if group.standing != BulkStanding.CAN_ACT)


def test_it_asks_no_more_for_fifty_calls_than_for_one(now: datetime) -> None:
    cast.call("call-0", at=now, told="recording")
    with CaptureQueriesContext(connection) as one:
        look(now=now)
    for number in range(1, 50):
        cast.call(f"call-{number}", at=now, told="recording")
    with CaptureQueriesContext(connection) as fifty:
        assert look(now=now).total == 50
    assert len(one) == len(fifty) == 2


def test_it_stores_nothing(now: datetime) -> None:
    cast.call("call-1", at=now, told="recording")
    with CaptureQueriesContext(connection) as asked:
        look(now=now)
    assert all(query["sql"].startswith("SELECT") for query in asked)


def test_no_call_too_many_calls_and_no_status_are_refused(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BulkRefused, match="No call is selected"):
        look(now=now)
    cast.call("call-1", at=now, told="recording")
    cast.call("call-2", at=now, told="recording")
    with pytest.raises(BulkRefused, match="Choose the status"):
        look(now=now, wish="unknown")
    monkeypatch.setattr(ROOM, "MOST_CALLS", 1)
    with pytest.raises(BulkRefused, match="More than 1 calls"):
        look(now=now)


def test_more_calls_are_counted_than_shown(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ROOM, "SAMPLE", 1)
    for name in ("call-1", "call-2"):
        cast.call(name, at=timezone.now(), told="recording")
    (group,) = look(now=timezone.now(), wish="failed").groups
    assert (group.count, len(group.calls)) == (2, 1)
