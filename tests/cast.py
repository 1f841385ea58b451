"""Calls as the tests know them, made the way the product makes them: by taking in what was said."""

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

from recordings.ingest import ingest_events, parse_events
from recordings.models import Call, Recorder
from sandbox.defaults import CLIENT_ID, CLIENT_SECRET, TENANT_ID
from sandbox.server import Sandbox

PASSWORD = "correct horse battery staple"


def connected_to(sandbox: Sandbox) -> dict[str, Any]:
    """The settings that point the product at the stand-in, as the environment would."""
    return {
        "GRAPH_BASE_URL": sandbox.graph_url,
        "GRAPH_AUTHORITY": sandbox.issuer,
        "GRAPH_TENANT_ID": TENANT_ID,
        "GRAPH_CLIENT_ID": CLIENT_ID,
        "GRAPH_CLIENT_SECRET": CLIENT_SECRET,
        "GRAPH_CA_BUNDLE": str(sandbox.ca_file),
        "CALLBACK_AUDIENCE": CLIENT_ID,
        "CALLBACK_JWKS_URL": sandbox.callback_jwks_url,
        "CALLBACK_ISSUERS": ["https://api.botframework.com"],
    }


def recorder(name: str = "rec-01", *, token: str = "token-of-rec-01", now: datetime) -> Recorder:
    made, _ = Recorder.objects.get_or_create(
        name=name,
        defaults={"token_hash": Recorder.hash_token(token), "tenants": [TENANT_ID], "created_at": now},
    )
    return made


def event(kind: str, call_id: str = "", *, at: datetime, **data: Any) -> dict[str, Any]:
    """One CloudEvent as a recorder posts it."""
    subject = {"subject": call_id} if call_id else {}
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "/recorders/rec-01",
        "type": f"onrecord.{kind}",
        "time": at.isoformat(),
        "data": data,
        **subject,
    }


def tell(
    kind: str,
    call_id: str = "",
    *,
    at: datetime,
    heard_at: datetime | None = None,
    sequence: int | str = 0,
    by: Recorder | None = None,
    **data: Any,
) -> None:
    """Let the recorder say something, and take it in at that moment, or later."""
    now = heard_at or at
    body = json.dumps(event(kind, call_id, at=at, **data) | {"sequence": sequence}).encode()
    ingest_events(parse_events(body, now=now), recorder=by or recorder(now=at), body=body, now=now)


def call(
    graph_id: str = "call-1",
    *,
    at: datetime,
    capture: str = "",
    told: str = "",
    state: str = "established",
    ended_at: datetime | None = None,
) -> Call:
    """A call that was joined a minute before `at`; `capture` and `told` were said then, the end at `ended_at`."""
    joined = at - timedelta(minutes=1)
    tell(
        "call.joined",
        graph_id,
        at=joined,
        tenantId=TENANT_ID,
        callChainId=f"chain-of-{graph_id}",
        state=state,
        recordedUser={"id": "user-dana", "displayName": "Dana Kessler"},
        isPolicyCall=True,
    )
    if capture:
        tell(f"capture.{capture}", graph_id, at=joined)
    if told:
        tell("status.told", graph_id, at=joined, status=told)
    if ended_at:
        tell("call.ended", graph_id, at=ended_at)
    return Call.objects.get(graph_id=graph_id)


def heartbeat(graph_id: str = "call-1", *, at: datetime, capture: str) -> None:
    tell("heartbeat", at=at, calls=[{"id": graph_id, "captureState": capture}])
