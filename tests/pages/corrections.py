"""Corrections as the page tests need them, made by the rooms that make them in earnest."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from recordings import operations, services
from recordings.choices import AttemptOutcome, OperationStatus
from recordings.models import Actor, Call, Operation
from recordings.operations import Outcome

LOST = Outcome(AttemptOutcome.UNKNOWN, code="reset", request_id="", latency_seconds=1.5)
DONE = Outcome(
    AttemptOutcome.ACCEPTED,
    http_status=200,
    request_id="request-of-graph-1",
    graph_operation_id="operation-of-graph-1",
    graph_status="completed",
    latency_seconds=0.612,
)


def asked(call: Call, *, by: User, now: datetime, wish: str = "failed", reason: str = "the desk checked") -> Operation:
    """A stored wish; with `failed` it is pending, since that needs a reason only."""
    return services.request_correction(call, wish=wish, reason=reason, by=services.Requester.at_screen(by), now=now)


def tried(operation: Operation, outcome: Outcome, *, to: OperationStatus, now: datetime) -> Operation:
    """One more try at the wire with its result, without the wire."""
    actor = Actor.objects.job("sender")
    with transaction.atomic():
        attempt = operations.start_attempt(operation, actor=actor, now=now, leased_until=now)
        operations.finish_attempt(attempt, outcome, to=to, actor=actor, now=now)
    return Operation.objects.get(pk=operation.pk)


def unknown(call: Call, *, by: User, now: datetime) -> Operation:
    return tried(asked(call, by=by, now=now), LOST, to=OperationStatus.UNKNOWN, now=now)


def completed(call: Call, *, by: User, now: datetime) -> Operation:
    return tried(asked(call, by=by, now=now), DONE, to=OperationStatus.COMPLETED, now=now)
