"""The scripted recorder, played against the stand-in and somebody who takes its events."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sandbox.outbox import Outbox
from sandbox.recorder import Recorder
from sandbox.scenarios import FIRST, OPENING, SECOND, Act, Step
from sandbox.server import Sandbox
from sandbox.stage import Microsoft, Stage
from tests.sandbox.clients import Receiver

TOKEN = "a-recorder-token"
type Event = dict[str, Any]


@contextmanager
def playing(
    sandbox: Sandbox, hook: Receiver, opening: tuple[Act, ...], *, names: tuple[str, ...] = (FIRST,)
) -> Iterator[None]:
    stopping = threading.Event()
    microsoft = Microsoft(sandbox.base_url, str(sandbox.ca_file), stopping)
    outboxes = {name: Outbox(hook.url, TOKEN, name) for name in names}
    for outbox in outboxes.values():
        outbox.start()
    recorder = Recorder(Stage(microsoft, outboxes), stopping, speed=20, seed=7)
    thread = threading.Thread(target=recorder.run, args=(opening,))
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
        for outbox in outboxes.values():
            outbox.stop()
        microsoft.close()


def events_until_heartbeat(hook: Receiver) -> list[Event]:
    """Everything that was said up to the first heartbeat about all calls; those of single acts come in a batch."""
    events: list[Event] = []
    while True:
        body = hook.next().body
        events += body if isinstance(body, list) else [body]
        if isinstance(body, dict) and body["type"] == "onrecord.heartbeat":
            return events


def by_call(events: list[Event]) -> dict[str, list[Event]]:
    calls: dict[str, list[Event]] = {}
    for event in events:
        calls.setdefault(event.get("subject", ""), []).append(event)
    return calls


def last(events: list[Event], *kinds: str) -> Event | None:
    fitting = [event for event in events if event["type"].removeprefix("onrecord.") in kinds]
    return fitting[-1] if fitting else None


def picture(events: list[Event]) -> tuple[str | None, str | None, str | None, bool]:
    """What the recorder captured last, told last, how that operation stood, and whether the call is over."""
    capture, told = last(events, "capture.started", "capture.stopped", "capture.failed"), last(events, "status.told")
    return (
        capture["type"].removeprefix("onrecord.capture.") if capture else None,
        told["data"]["status"] if told else None,
        told["data"]["operation"]["status"] if told else None,
        last(events, "call.ended") is not None,
    )


def test_the_opening_shows_every_way_to_get_stuck_at_once(sandbox: Sandbox) -> None:
    with Receiver() as hook, playing(sandbox, hook, OPENING):
        events = events_until_heartbeat(hook)
    pictures = [picture(told) for call_id, told in by_call(events).items() if call_id]
    own = [act for act in OPENING if act.recorder == FIRST]
    assert len(pictures) == len(own) + sum(bool(act.beside) for act in own)
    assert ("started", "recording", "completed", True) in pictures, "ended, never taken back"
    assert ("started", None, None, False) in pictures, "capturing, never told"
    assert ("stopped", "recording", "completed", False) in pictures, "stopped, still told recording"
    assert ("started", "recording", "running", False) in pictures, "operation left running"


def test_the_heartbeat_tells_the_truth_that_a_correction_needs(sandbox: Sandbox) -> None:
    with Receiver() as hook, playing(sandbox, hook, OPENING):
        events = events_until_heartbeat(hook)
    heartbeat = events[-1]
    assert "subject" not in heartbeat
    claims = {each["id"]: each["captureState"] for each in heartbeat["data"]["calls"]}
    for call_id, told in by_call(events).items():
        captured, status, _, ended = picture(told)
        if (captured, status, ended) == ("stopped", "recording", False):
            assert claims[call_id] == "stopped"
        if (captured, status, ended) == ("started", None, False):
            assert claims[call_id] == "capturing"


def test_events_are_cloudevents_with_a_token_a_sequence_and_a_time(sandbox: Sandbox) -> None:
    with Receiver() as hook, playing(sandbox, hook, (Act((Step(0, "ring"),)),)):
        first = hook.next()
        second = hook.next()
    assert first.headers["Authorization"] == f"Bearer {TOKEN}"
    assert first.headers["Content-Type"] == "application/cloudevents+json"
    body = first.body
    assert (body["specversion"], body["source"], body["type"]) == ("1.0", "/recorders/rec-01", "onrecord.call.joined")
    assert (body["sequence"], second.body["sequence"]) == ("1", "2")
    assert datetime.fromisoformat(body["time"]) < datetime.fromisoformat(second.body["time"])
    assert body["data"]["tenantId"] == sandbox.tenant_id
    assert set(body["data"]["recordedUser"]) == {"id", "displayName"}


def test_what_it_reports_as_told_is_what_graph_answered(sandbox: Sandbox) -> None:
    steps = (Step(0, "ring"), Step(0, "establish"), Step(0, "tell", "recording"))
    with Receiver() as hook, playing(sandbox, hook, (Act(steps),)):
        events = events_until_heartbeat(hook)
    told = last(events, "status.told")
    assert told
    call_id = told["subject"]
    operation = sandbox.operations(call_id)[0]
    assert told["data"]["operation"]["id"] == operation["operation_id"]
    assert told["data"]["operation"]["clientContext"] == operation["client_context"]
    assert sandbox.call(call_id)["recording_status"] == "recording"


def test_graph_notifies_of_the_calls_that_the_recorder_plays(sandbox: Sandbox, receiver: Receiver) -> None:
    steps = (
        Step(0, "ring"),
        Step(0, "connect"),
        Step(0, "establish"),
        Step(0, "hang_up", "200/4521"),
    )
    with Receiver() as hook, playing(sandbox, hook, (Act(steps),)):
        notices = [receiver.next().first]
        while notices[-1]["resourceData"]["state"] != "terminated":
            notices.append(receiver.next().first)
    address = notices[0]["resourceUrl"]
    states = [each["resourceData"]["state"] for each in notices if each["resourceUrl"] == address]
    assert states == ["incoming", "establishing", "established", "terminated"]


def test_an_event_is_kept_while_the_hook_cannot_take_it_and_dropped_when_it_is_refused(
    sandbox: Sandbox, capsys: Any
) -> None:
    with Receiver() as hook:
        hook.statuses += [503, 202, 400]
        outbox = Outbox(hook.url, TOKEN)
        outbox.start()
        for kind in ("first", "second", "third"):
            outbox.put(kind, {})
        kinds = [hook.next().body["type"] for _ in range(4)]
        outbox.stop()
    assert kinds == ["onrecord.first", "onrecord.first", "onrecord.second", "onrecord.third"]
    complaint = capsys.readouterr().err
    assert "onrecord.second was refused with 400" in complaint
    assert TOKEN not in complaint


def test_a_call_that_the_stand_in_forgot_is_dropped_and_the_play_goes_on(sandbox: Sandbox) -> None:
    steps = (Step(0, "ring"), Step(4, "establish"), Step(0, "capture"))
    with Receiver() as hook, playing(sandbox, hook, (Act(steps),)):
        forgotten = events_until_heartbeat(hook)[0]["subject"]
        sandbox.remove_call(forgotten)
        events = [hook.next().body for _ in range(8)]
    assert last(events, "status.told"), "other calls go on"
    assert all(event.get("subject") != forgotten for event in events)


def test_what_lies_in_the_past_comes_as_one_batch_that_ends_with_the_word_of_now(sandbox: Sandbox) -> None:
    steps = (Step(0, "ring"), Step(1, "capture"), Step(60, "stop"))
    with Receiver() as hook, playing(sandbox, hook, (Act(steps, past=30),)):
        post = hook.next()
    kinds = [event["type"].removeprefix("onrecord.") for event in post.body]
    joined, captured, heartbeat = (datetime.fromisoformat(event["time"]) for event in post.body)
    assert post.headers["Content-Type"] == "application/cloudevents-batch+json"
    assert kinds == ["call.joined", "capture.started", "heartbeat"]
    assert timedelta() < captured - joined < timedelta(seconds=5)
    assert heartbeat - captured > timedelta(seconds=28)


def test_a_careless_recorder_says_some_things_twice_and_some_late(sandbox: Sandbox) -> None:
    with Receiver() as hook:
        outbox = Outbox(hook.url, TOKEN, is_careless=True)
        outbox.start()
        for _ in range(12):
            outbox.put("heartbeat", {})
        assert outbox.wait_until_idle(10)
        outbox.stop()
        events = [hook.next().body for _ in range(13)]
    assert [int(event["sequence"]) for event in events] == [1, 2, 3, 4, 5, 6, 7, 7, 9, 8, 10, 11, 12]
    assert len({event["id"] for event in events}) == 12


def test_two_legs_of_one_person_are_in_one_conversation(sandbox: Sandbox) -> None:
    steps = (Step(0, "ring"), Step(0, "establish"))
    with Receiver() as hook, playing(sandbox, hook, (Act(steps, beside=steps),)):
        events = events_until_heartbeat(hook)
    first, second = (event["data"] for event in events if event["type"] == "onrecord.call.joined")
    assert first["recordedUser"] == second["recordedUser"]
    assert first["callChainId"] == second["callChainId"]
    assert len(by_call(events)) == 3, "two legs, and the heartbeat"


def test_what_a_recorder_would_have_said_while_it_was_dead_is_lost(sandbox: Sandbox) -> None:
    steps = (
        Step(0, "ring"),
        Step(0, "fall_silent"),
        Step(0, "capture"),
        Step(2, "speak_again"),
        Step(0, "stop"),
    )
    with Receiver() as hook, playing(sandbox, hook, (Act(steps, recorder=SECOND),), names=(FIRST, SECOND)):
        events = [hook.next().body for _ in range(20)]
    heartbeats = [event["source"] for event in events if event["type"] == "onrecord.heartbeat"]
    said = [event["type"] for event in events if event["source"] == "/recorders/rec-02"]
    assert heartbeats == ["/recorders/rec-01"]
    assert said == ["onrecord.call.joined", "onrecord.capture.stopped"]


def test_a_call_without_a_policy_takes_no_status_and_the_recorder_does_not_know_why(sandbox: Sandbox) -> None:
    steps = (Step(0, "ring", "without a policy"), Step(0, "establish"), Step(0, "tell", "recording"))
    with Receiver() as hook, playing(sandbox, hook, (Act(steps),)):
        events = events_until_heartbeat(hook)
    assert "isPolicyCall" not in events[0]["data"]
    assert last(events, "status.told") is None
    assert sandbox.log()[-1]["answered"] == 403
