"""What stands beside the calls: a recorder's silence, a tenant Microsoft refuses, and times nobody watched.

The only writer of Tenant, BlindSpot and Beat, and of a recorder's own moments.
"""

from datetime import datetime, timedelta

from recordings import conf, ledger
from recordings.choices import LedgerAction
from recordings.ingest.calls import next_moment
from recordings.models import Actor, Beat, BlindSpot, Recorder, Tenant

ACTOR_NAME = "watch"
OWN_BEAT = "worker"
# Our own work counts as having stood still from here on.
OWN_SILENCE = timedelta(minutes=2)


def heard_recorder(recorder: Recorder, *, now: datetime) -> None:
    """A recorder spoke (aware UTC). A silence that is over by this becomes a blind spot, found in time or not."""
    locked = Recorder.objects.select_for_update().get(pk=recorder.pk)
    silent_since = locked.last_word_at
    locked.last_word_at = max(now, silent_since or now)
    if silent_since and now - silent_since > conf.graces().silent_recorder:
        open_blind_spot(locked, from_at=silent_since, now=now)
        close_blind_spot(locked, until=now, now=now)
    reschedule_recorder(locked, now=now)


def reschedule_recorder(recorder: Recorder, *, now: datetime) -> None:
    """Write the next moment at which the sweep must look at this recorder, and save it."""
    recorder.due_after = next_moment(recorder.facts(), list(recorder.finding_set.all()), now=now)
    recorder.save(update_fields=["last_word_at", "due_after"])


def note_blocked(tenant_id: str, *, code: str, message: str, now: datetime) -> None:
    """Microsoft refused our app for the whole tenant: 7503, 7504, 7505, 401, or no token; in a transaction."""
    tenant = _locked_tenant(tenant_id)
    if tenant.blocked_at is not None:
        return
    tenant.blocked_at, tenant.blocked_code, tenant.blocked_message = now, code[:64], message[:1024]
    actor = Actor.objects.graph()
    ledger.record(LedgerAction.TENANT_BLOCKED, actor=actor, now=now, tenant_id=tenant_id, code=code, message=message)
    reschedule_tenant(tenant, now=now)


def note_served(tenant_id: str, *, now: datetime) -> None:
    """Microsoft served our app in the tenant, so whatever stood in the way is gone. Writes only where something was."""
    if not Tenant.objects.filter(tenant_id=tenant_id, blocked_at__isnull=False).exists():
        return
    tenant = _locked_tenant(tenant_id)
    tenant.blocked_at, tenant.served_at = None, now
    ledger.record(LedgerAction.TENANT_CLEARED, actor=Actor.objects.graph(), now=now, tenant_id=tenant_id)
    reschedule_tenant(tenant, now=now)


def _locked_tenant(tenant_id: str) -> Tenant:
    Tenant.objects.get_or_create(tenant_id=tenant_id)
    return Tenant.objects.select_for_update().get(tenant_id=tenant_id)


def reschedule_tenant(tenant: Tenant, *, now: datetime) -> None:
    """Write the next moment at which the sweep must look at this tenant, and save it."""
    tenant.due_after = next_moment(tenant.facts(), list(tenant.finding_set.all()), now=now)
    tenant.save()


def open_blind_spot(recorder: Recorder | None, *, from_at: datetime | None = None, now: datetime) -> None:
    """From a recorder's last word on nobody knows what it did; without a recorder, our own ingest was down."""
    began = from_at or (recorder.last_word_at if recorder else None) or now
    why = f"The recorder {recorder.name} was silent." if recorder else "On Record itself took nothing in."
    if BlindSpot.objects.filter(recorder=recorder, until_at__isnull=True).exists():
        return
    spot = BlindSpot.objects.create(recorder=recorder, from_at=began, why=why)
    _record(LedgerAction.BLIND_SPOT_OPENED, spot, occurred_at=began, now=now)


def close_blind_spot(recorder: Recorder | None, *, until: datetime, now: datetime) -> None:
    """Somebody watches again, since `until` (aware UTC)."""
    for spot in BlindSpot.objects.select_for_update().filter(recorder=recorder, until_at__isnull=True):
        spot.until_at = max(until, spot.from_at)
        spot.save()
        _record(LedgerAction.BLIND_SPOT_CLOSED, spot, occurred_at=spot.until_at, now=now)


def _record(action: LedgerAction, spot: BlindSpot, *, occurred_at: datetime, now: datetime) -> None:
    ledger.record(
        action,
        actor=Actor.objects.job(ACTOR_NAME),
        now=now,
        occurred_at=occurred_at,
        blind_spot=spot.pk,
        recorder=spot.recorder.name if spot.recorder else None,
        from_at=spot.from_at,
        until_at=spot.until_at,
        reason=spot.why,
    )


def beat(now: datetime) -> None:
    """Our own sign of life (aware UTC), in the caller's transaction. A gap in them is a blind spot of our own."""
    Beat.objects.get_or_create(name=OWN_BEAT, defaults={"beat_at": now})
    last = Beat.objects.select_for_update().get(name=OWN_BEAT)
    if now - last.beat_at > OWN_SILENCE:
        open_blind_spot(None, from_at=last.beat_at, now=now)
        close_blind_spot(None, until=now, now=now)
    last.beat_at = max(now, last.beat_at)
    last.save()
