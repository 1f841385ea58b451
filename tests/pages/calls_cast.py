"""Calls as the pages meet them: stuck ones, with their findings opened by the sweep."""

import json
from datetime import datetime, timedelta

from recordings import findings
from recordings.ingest import ingest_events, parse_events
from recordings.models import Call, Finding
from tests import cast


def capturing_untold(graph_id: str = "call-untold", *, now: datetime) -> Call:
    """Two minutes of capture, and nobody told Teams: a critical finding on a living call."""
    cast.call(graph_id, at=now - timedelta(minutes=2), capture="started")
    cast.heartbeat(graph_id, at=now - timedelta(seconds=5), capture="capturing")
    findings.sweep(now)
    return Call.objects.get(graph_id=graph_id)


def told_after_end(graph_id: str = "call-ended", *, now: datetime) -> Finding:
    """The call is over and Teams is still told recording: only an attestation is left."""
    cast.call(
        graph_id,
        at=now - timedelta(minutes=10),
        capture="started",
        told="recording",
        ended_at=now - timedelta(minutes=5),
    )
    findings.sweep(now)
    return Finding.objects.get(call__graph_id=graph_id)


def recorded(graph_id: str = "call-fine", *, now: datetime) -> Call:
    """Captured, told, and alive: nothing to do."""
    cast.call(graph_id, at=now - timedelta(minutes=2), capture="started", told="recording")
    cast.heartbeat(graph_id, at=now - timedelta(seconds=5), capture="capturing")
    return Call.objects.get(graph_id=graph_id)


def told_late(call: Call, *, at: datetime, heard_at: datetime) -> None:
    """The recorder told Teams recording at one moment, and On Record of it at a later one."""
    body = json.dumps(cast.event("status.told", call.graph_id, at=at, status="recording")).encode()
    ingest_events(parse_events(body, now=heard_at), recorder=cast.recorder(now=at), body=body, now=heard_at)
