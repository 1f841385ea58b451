"""Posts that speak of the same calls at the same time wait for each other in a line, and never in a ring."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from recordings import findings, ingest
from recordings.graph.wire import parse_notifications
from recordings.models import Call, Delivery, Recorder
from sandbox import notices
from sandbox.defaults import TENANT_ID
from sandbox.state import Call as Leg
from tests import cast

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS, LEGS = 6, 8


def post(events: list[dict[str, Any]], *, recorder: Recorder, now: datetime) -> None:
    body = json.dumps(events).encode()
    ingest.ingest_events(ingest.parse_events(body, now=now), recorder=recorder, body=body, now=now)


def at_once(*acts: Callable[[], object]) -> None:
    """Each in a thread of its own, all let go at the same moment; what one raises is raised here."""
    gate = threading.Barrier(len(acts))

    def act(do: Callable[[], object]) -> None:
        try:
            gate.wait()
            do()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        for done in [pool.submit(act, each) for each in acts]:
            done.result()


def test_batches_of_one_recorder_graphs_word_and_the_sweep_wait_in_no_ring() -> None:
    now = timezone.now()
    recorder = cast.recorder(now=now - timedelta(hours=1))
    legs = [Leg(call_id=f"Leg-{number}" if number % 2 else f"leg_{number}") for number in range(LEGS)]
    for number in range(ROUNDS):
        at = now - timedelta(minutes=ROUNDS - number)
        joined = [cast.event("call.joined", leg.call_id, at=at, tenantId=TENANT_ID, callChainId="c") for leg in legs]
        beat = cast.event(
            "heartbeat", at=at, calls=[{"id": leg.call_id, "captureState": "capturing"} for leg in legs[::-1]]
        )
        told = parse_notifications(notices.envelope([notices.updated(leg, "established") for leg in legs[::-1]]))
        at_once(
            partial(post, joined, recorder=recorder, now=at),
            partial(post, [*joined[::-1], beat], recorder=recorder, now=at),
            partial(ingest.ingest_notifications, told, tenant_id=legs[0].tenant_id, message_id="", body=b"", now=at),
            partial(findings.sweep, at + timedelta(hours=1)),
        )

    assert Call.objects.filter(state="established", capture_state="capturing").count() == LEGS
    assert Delivery.objects.count() == ROUNDS * (LEGS + 1), "each event of the two posts counted once"
