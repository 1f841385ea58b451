"""A recorder's bearer token: shown once, kept as a hash."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from recordings import ingest, ledger
from recordings.choices import LedgerAction
from recordings.models import Actor, Recorder


def issue_token(name: str, *, tenants: Sequence[str], actor: Actor, now: datetime) -> str:
    """Make the recorder `name` for `tenants`; answers its token, which is nowhere else (`now` aware UTC)."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        recorder = Recorder(name=name, tenants=list(tenants), created_at=now)
        _keep(recorder, token=token, actor=actor, now=now, change="issued")
    return token


def rotate_token(recorder: Recorder, *, tenants: Sequence[str] = (), actor: Actor, now: datetime) -> str:
    """A new token for a recorder, switched on if it was off; the old token is worthless from now on."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        recorder.tenants, recorder.disabled_at = list(tenants) or recorder.tenants, None
        _keep(recorder, token=token, actor=actor, now=now, change="rotated")
    return token


def disable_recorder(recorder: Recorder, *, actor: Actor, now: datetime) -> None:
    """Its token opens nothing any more. What it said stays."""
    with transaction.atomic():
        recorder.disabled_at = now
        _keep(recorder, token=secrets.token_urlsafe(32), actor=actor, now=now, change="disabled")


def _keep(recorder: Recorder, *, token: str, actor: Actor, now: datetime, change: str) -> None:
    recorder.token_hash = Recorder.hash_token(token)
    recorder.save()
    # Its silence, if there is one, ends or begins to count with it.
    ingest.reschedule_recorder(recorder, now=now)
    ledger.record(
        LedgerAction.TOKEN_ISSUED,
        actor=actor,
        now=now,
        recorder=recorder.pk,
        recorder_name=recorder.name,
        tenants=" ".join(recorder.tenants),
        change=change,
    )
