"""Ask Graph how a call is now. The answer is a fact like any other: ingest takes it in."""

import logging
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from recordings import ingest
from recordings.graph.client import Answer
from recordings.graph.errors import GraphCallGone, GraphError, GraphUnauthorized
from recordings.graph.wire import GraphCall
from recordings.models import Call, Tenant
from recordings.services import clocks, connection
from recordings.services.locking import lock_call
from recordings.services.tenants import is_of_tenant, note_answer

logger = logging.getLogger(__name__)

# From so many probes on, "most of them" says more about our credential than about the calls.
SUSPECT_FROM = 3


@dataclass(frozen=True)
class Reading:
    """What a fresh look gave: Graph's answer, that Graph has no such call, or why Graph could not be asked."""

    call: Call
    at: datetime
    answer: Answer[GraphCall] | None = None
    is_gone: bool = False
    problem: GraphError | None = None


def read_call(call: Call, *, now: datetime, deadline: float | None = None) -> Reading:
    """GET the call and take the answer in (`now` is aware UTC, `deadline` monotonic). Never raises GraphError.

    Reference: https://learn.microsoft.com/graph/api/call-get
    """
    return take_in(probe_call(call, now=now, deadline=deadline))


def probe_call(call: Call, *, now: datetime, deadline: float | None = None) -> Reading:
    """GET the call without taking the answer in yet; an expired token is renewed once. Never raises GraphError."""
    until = deadline or connection.deadline()
    reading = _probe(call, now=now, until=until)
    if not isinstance(reading.problem, GraphUnauthorized):
        return reading
    connection.client().renew_token()
    return _probe(call, now=now, until=until)


def take_in(reading: Reading) -> Reading:
    """Note what a probe gave; the call comes back as it stands then."""
    clocks.note_clocks(reading.at)
    answer, problem, call = reading.answer, reading.problem, reading.call
    if reading.is_gone:
        call = _noted(call, lambda locked: ingest.note_gone(locked, now=reading.at))
    elif answer:
        call = _noted(call, lambda locked: _note_answer(locked, answer.value, now=reading.at))
    elif problem and is_of_tenant(problem):
        with transaction.atomic():
            note_answer(problem, tenant_id=call.tenant_id, now=reading.at)
    return Reading(call, reading.at, answer, is_gone=reading.is_gone, problem=problem)


def _note_answer(call: Call, answer: GraphCall, *, now: datetime) -> None:
    ingest.note_probe(call, answer, now=now)
    note_answer(None, tenant_id=call.tenant_id, now=now)


def is_refused(call: Call, *, now: datetime) -> bool:
    """Whether Microsoft still refuses the call's whole tenant (aware UTC). Once a minute it is asked, by a reading.

    What works by itself leaves the tenant alone meanwhile; a person's own click tries at once.
    """
    refused = Tenant.objects.blocked().filter(tenant_id=call.tenant_id)
    if not refused.exists():
        return False
    if not refused.resting(now).exists():
        read_call(call, now=now)
    return refused.exists()


def is_suspect(readings: Collection[Reading]) -> bool:
    """Whether most probes of one pass found no call (invariant 5): another app's credential would see just that.

    The log says so, for who has to check the credential.
    """
    return most_are_gone(sum(reading.is_gone for reading in readings), of=len(readings))


def most_are_gone(gone: int, *, of: int) -> bool:
    """Whether so many of a pass's calls were not found that none of it is believed (invariant 5)."""
    suspect = of >= SUSPECT_FROM and 2 * gone > of
    if suspect:
        logger.error("most calls of this pass were not found: is this the recorder bot's own credential?")
    return suspect


def _probe(call: Call, *, now: datetime, until: float) -> Reading:
    try:
        answer = connection.client().get_call(call.graph_id, client_request_id=str(uuid.uuid4()), deadline=until)
    except GraphCallGone:
        return Reading(call, now, is_gone=True)
    except GraphError as problem:
        return Reading(call, now, problem=problem)
    return Reading(call, now, answer)


def _noted(call: Call, note: Callable[[Call], None]) -> Call:
    with transaction.atomic():
        locked = lock_call(call)
        note(locked)
    return locked
