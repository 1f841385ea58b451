"""A recorder's batch: taken in whole or not at all, in whatever order, and each event once."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recordings.ingest.cloudevents import MAX_BATCH_EVENTS
from recordings.models import Call, Delivery, Recorder, StatusChange
from recordings.views.webhooks import MAX_BATCH_BYTES
from sandbox.defaults import OTHER_TENANT_ID, TENANT_ID
from tests import cast
from tests.ingest.posting import RECORDER, Machine, broken_database, changes, error_of, stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def at() -> datetime:
    return timezone.now() - timedelta(minutes=10)


@pytest.fixture
def bot(db: None, at: datetime) -> Machine:
    cast.recorder(token="token-of-rec-01", now=at)
    return Machine(RECORDER, "token-of-rec-01")


def life(call_id: str, at: datetime) -> list[dict[str, Any]]:
    """A call as it should be, from joining to its end."""
    told = {"status": "recording", "operation": {"id": "op", "status": "completed"}}
    said: list[tuple[str, dict[str, Any]]] = [
        ("call.joined", {"tenantId": TENANT_ID, "state": "establishing", "callChainId": f"chain-of-{call_id}"}),
        ("call.stateChanged", {"state": "established"}),
        ("status.told", told),
        ("capture.started", {}),
        ("capture.paused", {"reason": "a private word"}),
        ("capture.started", {}),
        ("call.ended", {"resultInfo": {"code": 200, "subcode": 4521}}),
    ]
    moments = [at + timedelta(seconds=number) for number in range(len(said))]
    return [cast.event(kind, call_id, at=moment, **data) for (kind, data), moment in zip(said, moments, strict=True)]


def test_a_batch_tells_of_a_whole_life(bot: Machine, at: datetime) -> None:
    assert bot.post(life("call-1", at)).status_code == 202

    call = Call.objects.get()
    assert (call.state, call.capture_state, call.recording_status) == ("terminated", "capturing", "recording")
    assert call.established_at == at + timedelta(seconds=1)
    assert [new for field, _, new in changes("call-1") if field == "capture_state"] == [
        "capturing",
        "paused",
        "capturing",
    ]


def test_a_batch_is_taken_in_as_it_happened_however_it_is_sorted(bot: Machine, at: datetime) -> None:
    bot.post(life("call-1", at))
    bot.post(life("call-2", at)[::-1])

    assert changes("call-2") == changes("call-1")


def test_the_shape_says_what_is_a_batch_and_not_the_content_type(bot: Machine, at: datetime) -> None:
    batch = {"Content-Type": "application/cloudevents-batch+json"}
    single = {"Content-Type": "application/cloudevents+json"}

    assert bot.post(life("call-1", at), headers=single).status_code == 202
    assert bot.post(life("call-2", at)[0], headers=batch).status_code == 202
    assert Call.objects.count() == 2


def test_an_empty_batch_is_no_error(bot: Machine) -> None:
    before = stored()

    assert (bot.post([]).status_code, stored()) == (202, before)


@pytest.mark.parametrize(
    ("flaw", "words"),
    [
        ({"type": "onrecord.status.told", "data": {"status": "perhaps"}}, "data.status must be recording"),
        ({"time": "yesterday"}, "time 'yesterday' is not an RFC 3339 time"),
        ({"sequence": "one"}, "sequence must be a whole number"),
    ],
)
def test_the_first_bad_event_is_named_and_nothing_is_stored(
    bot: Machine, at: datetime, flaw: dict[str, Any], words: str
) -> None:
    events, before = life("call-1", at), stored()
    events[2] |= flaw
    events[4] |= {"specversion": "0.3"}

    answer = bot.post(events)

    assert (answer.status_code, stored()) == (400, before)
    assert error_of(answer).startswith(f"event 3 (id {events[2]['id']}): {words}")
    assert error_of(answer).endswith(" Nothing was stored.")


@pytest.mark.parametrize("wrong", [7, {}, {"id": 7}, {"id": "a\x00b"}, {"id": "x" * 129}, []])
def test_an_event_without_an_id_to_show_is_named_by_its_place(bot: Machine, at: datetime, wrong: object) -> None:
    answer = bot.post([life("call-1", at)[0], wrong])

    assert answer.status_code == 400
    assert error_of(answer).startswith("event 2: ")


def test_one_foreign_call_refuses_the_whole_batch(bot: Machine, at: datetime) -> None:
    cast.recorder("rec-02", token="token-of-rec-02", now=at)
    Machine(RECORDER, "token-of-rec-02").post(life("call-2", at))
    events, before = [*life("call-1", at), cast.event("capture.started", "call-2", at=at)], stored()

    answer = bot.post(events)

    assert (answer.status_code, stored()) == (403, before)
    named = f"event 8 (id {events[7]['id']})"
    assert error_of(answer) == f"{named}: Call call-2 belongs to another recorder. Nothing was stored."


def test_one_call_of_another_tenant_refuses_the_whole_batch(bot: Machine, at: datetime) -> None:
    foreign = cast.event("call.joined", "call-2", at=at, tenantId=OTHER_TENANT_ID)
    before = stored()

    answer = bot.post([*life("call-1", at), foreign])

    assert (answer.status_code, stored()) == (403, before)
    assert "event 8 (id " in error_of(answer)
    assert "does not speak for the tenant of call call-2" in error_of(answer)


def test_a_tenant_may_be_named_by_a_later_event_of_the_batch(bot: Machine, at: datetime) -> None:
    Recorder.objects.update(tenants=[TENANT_ID, OTHER_TENANT_ID])
    started = cast.event("capture.started", "call-1", at=at)
    joined = cast.event("call.joined", "call-1", at=at, tenantId=OTHER_TENANT_ID)

    assert bot.post([started, joined]).status_code == 202
    assert Call.objects.get().tenant_id == OTHER_TENANT_ID


def test_a_double_within_a_batch_counts_once(bot: Machine, at: datetime) -> None:
    first = cast.event("capture.started", "call-1", at=at)
    again = first | {"type": "onrecord.capture.failed", "time": (at + timedelta(seconds=1)).isoformat()}

    assert bot.post([first, again]).status_code == 202

    assert Call.objects.get().capture_state == "capturing"
    assert Delivery.objects.count() == 1


def test_a_repeated_batch_changes_nothing_and_what_is_new_in_it_counts(bot: Machine, at: datetime) -> None:
    events = life("call-1", at)
    bot.post(events[:4])
    before = stored()

    assert bot.post(events[:4]).status_code == 202
    assert stored() == before
    assert bot.post(events).status_code == 202
    assert Call.objects.get().state == "terminated"
    assert Delivery.objects.count() == len(events)


def test_the_longest_batch_of_real_events_is_taken(bot: Machine, at: datetime) -> None:
    people = {"id": "8d4f7c1e-0000-4000-8000-000000000001", "displayName": "Dana Kessler-Montgomery of Contoso"}
    said = {"tenantId": TENANT_ID, "subject": "s" * 200, "recordedUser": people, "organizer": people, "state": "hold"}
    batch = [cast.event("call.joined", f"call-{number % 20}", at=at, **said) for number in range(MAX_BATCH_EVENTS)]

    assert len(json.dumps(batch)) * 3 < MAX_BATCH_BYTES
    assert bot.post(batch).status_code == 202
    assert Call.objects.count() == 20


def test_a_batch_that_is_too_long_is_refused_whole(bot: Machine, at: datetime) -> None:
    before = stored()

    answer = bot.post([cast.event("heartbeat", at=at)] * (MAX_BATCH_EVENTS + 1))

    assert (answer.status_code, stored()) == (413, before)
    assert error_of(answer) == "The batch has 501 events; at most 500 are taken at once. Nothing was stored."


@pytest.mark.django_db(transaction=True)
def test_a_batch_that_cannot_be_stored_whole_leaves_nothing(bot: Machine, at: datetime) -> None:
    before = stored()

    with broken_database():
        assert bot.post(life("call-1", at)).status_code == 500
    assert stored() == before

    assert bot.post(life("call-1", at)).status_code == 202
    assert StatusChange.objects.exists()


def heartbeat(at: datetime, *, calls: int) -> dict[str, Any]:
    named = [{"id": f"call-{number}", "captureState": "capturing"} for number in range(calls)]
    return cast.event("heartbeat", at=at, calls=named)


def asked_by(bot: Machine, said: object) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert bot.post(said).status_code == 202
    return len(asked)


def test_a_heartbeat_of_fifty_calls_costs_no_more_queries_than_one_of_a_single_call(bot: Machine, at: datetime) -> None:
    for number in range(50):
        bot.post(cast.event("capture.started", f"call-{number}", at=at))

    one = asked_by(bot, heartbeat(at + timedelta(seconds=15), calls=1))
    fifty = asked_by(bot, heartbeat(at + timedelta(seconds=30), calls=50))

    assert fifty == one
    assert one <= 16


def test_a_heartbeat_heard_late_writes_no_call(bot: Machine, at: datetime) -> None:
    for number in range(50):
        bot.post(cast.event("capture.started", f"call-{number}", at=at))
    bot.post(heartbeat(at + timedelta(seconds=30), calls=50))

    assert asked_by(bot, heartbeat(at + timedelta(seconds=15), calls=50)) <= 14
