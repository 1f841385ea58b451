"""What stands beside the calls: a recorder's silence, a tenant Microsoft refuses, and times nobody watched.

The only writer of Tenant, BlindSpot, ClockSkew and Beat, and of a recorder's own moments.
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from recordings import conf, ledger, rules
from recordings.choices import LedgerAction
from recordings.ingest.moments import next_moment
from recordings.models import Actor, Beat, BlindSpot, ClockSkew, Recorder, Tenant

ACTOR_NAME = "watch"
OWN_BEAT = "worker"
# Nothing was taken in, as far as we know, if we did not beat for so long.
OWN_SILENCE = timedelta(minutes=2)
# A beat is written when the last one is so old.
BEAT_KEPT = timedelta(seconds=10)
# Clocks that nobody found apart for so long are together again.
CLOCK_QUIET = timedelta(minutes=2)

logger = logging.getLogger(__name__)


def heard_recorder(recorder: Recorder, *, now: datetime) -> None:
    """A recorder spoke (aware UTC). A silence that is over by this becomes a blind spot, found in time or not."""
    # no_key: whoever holds a call of this recorder waits for the recorder here, and none of them for a foreign key.
    locked = Recorder.objects.select_for_update(no_key=True).get(pk=recorder.pk)
    silent_since = locked.last_word_at
    if silent_since and now - silent_since > conf.graces().silent_recorder:
        if is_silent(locked, now=now):
            open_blind_spot(locked, now=now)
        close_blind_spot(locked, until=now, now=now)
    locked.last_word_at = max(now, silent_since or now)
    reschedule_recorder(locked, now=now)


def is_silent(recorder: Recorder, *, now: datetime) -> bool:
    """Whether it has said nothing for longer than its grace, in which we could have heard it (aware UTC)."""
    return any(
        verdict.is_due(now) for verdict in rules.verdicts(recorder_facts(recorder, now=now), graces=conf.graces())
    )


def recorder_facts(recorder: Recorder, *, now: datetime) -> rules.RecorderFacts:
    """The recorder's facts, with how long we have been listening where it was not silent before that already."""
    facts = recorder.facts()
    silent_from = facts.last_word_at and facts.last_word_at + conf.graces().silent_recorder
    if silent_from is None or silent_from > now:
        return facts
    since, until = _deaf(now)
    return replace(facts, listening_since=until) if since and since < silent_from else facts


def _deaf(now: datetime) -> tuple[datetime | None, datetime]:
    """The last time in which we could hear nobody; it goes on while we do not beat, noticed or not."""
    beat_at = Beat.objects.filter(name=OWN_BEAT).values_list("beat_at", flat=True).first()
    if beat_at and now - beat_at > OWN_SILENCE:
        return beat_at, now
    last = BlindSpot.objects.filter(recorder=None).order_by("-from_at").first()
    return (last.from_at, last.until_at or now) if last else (None, now)


def reschedule_recorder(recorder: Recorder, *, now: datetime) -> None:
    """Write the next moment at which the sweep must look at this recorder, and save it."""
    facts = recorder_facts(recorder, now=now)
    recorder.due_after = next_moment(facts, list(recorder.finding_set.all()), now=now)
    recorder.save(update_fields=["last_word_at", "due_after"])


def note_blocked(tenant_id: str, *, code: str, message: str, now: datetime) -> None:
    """Microsoft refused our app for the whole tenant, with the code and words given; in a transaction (aware UTC)."""
    tenant = _locked_tenant(tenant_id)
    tenant.refused_at = max(now, tenant.refused_at or now)
    tenant.blocked_code, tenant.blocked_message = code[:64], message[:1024]
    if tenant.blocked_at is None:
        tenant.blocked_at = now
        actor = Actor.objects.graph()
        ledger.record(
            LedgerAction.TENANT_BLOCKED,
            actor=actor,
            now=now,
            tenant_id=tenant_id,
            code=tenant.blocked_code,
            message=tenant.blocked_message,
        )
    reschedule_tenant(tenant, now=now)


def note_served(tenant_id: str, *, now: datetime) -> None:
    """Microsoft served our app in the tenant, so whatever stood in the way is gone. Writes only where something was."""
    if not Tenant.objects.blocked().filter(tenant_id=tenant_id).exists():
        return
    tenant = _locked_tenant(tenant_id)
    if tenant.blocked_at is None:
        return
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


def note_skew(tenant_id: str, *, seconds: float, from_at: datetime, seen_at: datetime, now: datetime) -> None:
    """Our clock minus Graph's was `seconds` from `from_at` to `seen_at` (aware UTC); in the caller's transaction.

    The first word opens a ClockSkew, the next ones keep the largest and say that it goes on.
    """
    tenant = _locked_tenant(tenant_id)
    known = ClockSkew.objects.filter(until_at__isnull=True).first()
    skew: ClockSkew = known or ClockSkew(from_at=from_at, seconds=seconds, seen_at=seen_at)
    skew.seconds = max(skew.seconds, seconds, key=abs)
    skew.seen_at = max(skew.seen_at, seen_at)
    skew.save()
    if known is None:
        _record_clock(LedgerAction.CLOCK_SKEWED, occurred_at=from_at, now=now, from_at=from_at, seconds=seconds)
    tenant.clock_skewed_at, tenant.clock_seconds = skew.from_at, skew.seconds
    reschedule_tenant(tenant, now=now)


def note_clock_right(tenant_id: str, *, at: datetime, now: datetime) -> None:
    """Answers up to `at` (aware UTC) fit our clock. A skew ends once nobody has seen it for CLOCK_QUIET: of several
    machines perhaps only one is wrong. Writes only where something was."""
    over = ClockSkew.objects.filter(until_at__isnull=True, seen_at__lte=at - CLOCK_QUIET)
    if not over.exists():
        return
    tenant = _locked_tenant(tenant_id)
    for skew in over:
        skew.until_at = at
        skew.save()
        _record_clock(
            LedgerAction.CLOCK_RIGHT, occurred_at=at, now=now, from_at=skew.from_at, until_at=at, seconds=skew.seconds
        )
    tenant.clock_skewed_at, tenant.clock_seconds = None, 0.0
    reschedule_tenant(tenant, now=now)


def _record_clock(
    action: LedgerAction, *, occurred_at: datetime, now: datetime, seconds: float, **times: ledger.Value
) -> None:
    facts = {**times, "milliseconds": round(seconds * 1000)}
    about = ledger.References()
    actor = Actor.objects.job(ACTOR_NAME)
    ledger.append([ledger.entry_of(action, actor=actor, now=now, occurred_at=occurred_at, about=about, facts=facts)])


def open_blind_spot(recorder: Recorder, *, now: datetime) -> None:
    """From a recorder's last word on nobody knows what it did. Its row is locked."""
    _open(recorder, from_at=recorder.last_word_at or now, why=f"The recorder {recorder.name} was silent.", now=now)


def _open(recorder: Recorder | None, *, from_at: datetime, why: str, now: datetime) -> bool:
    if BlindSpot.objects.filter(recorder=recorder, until_at__isnull=True).exists():
        return False
    spot = BlindSpot.objects.create(recorder=recorder, from_at=from_at, why=why)
    _record(LedgerAction.BLIND_SPOT_OPENED, spot, occurred_at=from_at, now=now)
    return True


def close_blind_spot(recorder: Recorder | None, *, until: datetime, now: datetime) -> None:
    """Somebody watches again, since `until` (aware UTC); until now, if nobody spoke meanwhile."""
    for spot in BlindSpot.objects.select_for_update().filter(recorder=recorder, until_at__isnull=True):
        spot.until_at = until if until > spot.from_at else max(now, spot.from_at)
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


def is_beat_due(now: datetime) -> bool:
    """Whether the last beat is old enough for another one; every tick asks, and few write."""
    fresh = Beat.objects.filter(name=OWN_BEAT, beat_at__gt=now - BEAT_KEPT, beat_at__lte=now + OWN_SILENCE)
    return not fresh.exists()


def beat(now: datetime) -> None:
    """On Record could take in what it was told (aware UTC). A gap in these beats is a blind spot of our own."""
    last: Beat = _locked_beat(now)
    if now - last.beat_at > OWN_SILENCE:
        _open(None, from_at=last.beat_at, why="On Record did not run, or took nothing in.", now=now)
        close_blind_spot(None, until=now, now=now)
    if last.beat_at - now > OWN_SILENCE:
        # Only the later beat counts: two workers whose clocks differ would else open a spot at every turn.
        logger.warning("the last beat is of %s, which is still to come: is a clock wrong?", last.beat_at)
    last.beat_at = max(now, last.beat_at)
    last.save()


def beat_missed(now: datetime) -> bool:
    """On Record runs, but could not be reached (aware UTC). After a while that is a blind spot, until the next beat.

    True if it just became one.
    """
    last: Beat = _locked_beat(now)
    if now - last.beat_at <= OWN_SILENCE:
        return False
    return _open(None, from_at=last.beat_at, why="On Record could not be reached, so it took nothing in.", now=now)


def _locked_beat(now: datetime) -> Beat:
    """The one row, locked, so that two workers at once open one spot. Its first moment is our beginning."""
    last, _ = Beat.objects.select_for_update().get_or_create(name=OWN_BEAT, defaults={"beat_at": now})
    return last
