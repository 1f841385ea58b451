"""Graph, a leg of it, and a correction that Graph took."""

from datetime import timedelta

import pytest
from django.utils import timezone

from recordings import operations
from recordings.choices import AttemptOutcome, OperationStatus
from recordings.models import Actor, Call, Operation
from sandbox import notices
from sandbox.server import Sandbox
from sandbox.state import Call as Leg
from tests.ingest.posting import Graph


@pytest.fixture
def graph(sandbox: Sandbox) -> Graph:
    return Graph(sandbox)


@pytest.fixture
def leg() -> Leg:
    """A call between Dana and Omar, as Graph knows it."""
    return Leg(
        subject="Rates outlook",
        user={"id": "user-dana", "displayName": "Dana Kessler"},
        organizer={"id": "user-omar", "displayName": "Omar Ruiz"},
        result={"code": 200, "subcode": 4521, "message": "The other party left."},
    )


@pytest.fixture
def running(graph: Graph, leg: Leg) -> Operation:
    """A correction that Graph took and has not finished."""
    graph.tell(notices.created(leg, "incoming"), notices.updated(leg, "established"))
    now, mira = timezone.now(), Actor.objects.job("mira")
    operation = operations.create(
        Call.objects.get(graph_id=leg.call_id), requested_status="notRecording", actor=mira, reason="stuck", now=now
    )
    attempt = operations.start_attempt(operation, actor=mira, now=now, leased_until=now + timedelta(seconds=30))
    answer = operations.Outcome(AttemptOutcome.ACCEPTED, http_status=200, graph_operation_id="op-1")
    operations.finish_attempt(attempt, answer, to=OperationStatus.RUNNING, actor=mira, now=now)
    return operation
