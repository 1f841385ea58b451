"""Ask Graph how a call is now. The answer is a fact like any other: ingest takes it in."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from recordings import ingest
from recordings.graph.errors import GraphCallGone, GraphError
from recordings.models import Call
from recordings.services import connection


@dataclass(frozen=True)
class Reading:
    """What a fresh look gave: the call as it stands now, and why Graph could not be asked, if it could not."""

    call: Call
    at: datetime
    is_gone: bool = False
    problem: GraphError | None = None


def read_call(call: Call, *, now: datetime, deadline: float | None = None) -> Reading:
    """GET the call and take the answer in (`now` is aware UTC, `deadline` monotonic). Never raises GraphError.

    Reference: https://learn.microsoft.com/graph/api/call-get
    """
    until = deadline or connection.deadline()
    try:
        answer = connection.client().get_call(call.graph_id, client_request_id=str(uuid.uuid4()), deadline=until)
    except GraphCallGone:
        return Reading(_noted(call, lambda locked: ingest.note_gone(locked, now=now)), now, is_gone=True)
    except GraphError as problem:
        return Reading(call, now, problem=problem)
    probe = answer.value
    return Reading(_noted(call, lambda locked: ingest.note_probe(locked, probe, now=now)), now)


def _noted(call: Call, note: Callable[[Call], None]) -> Call:
    with transaction.atomic():
        locked = ingest.locked_call(call.graph_id)
        if locked is None:
            raise LookupError(f"call {call.graph_id} is no longer stored")
        note(locked)
    return locked
