"""A recorder's events to rows. A token speaks only for its own recorder, tenants and calls."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from recordings.choices import Source
from recordings.ingest.calls import Said, take_in
from recordings.ingest.deliveries import first_of
from recordings.ingest.events import Event
from recordings.ingest.held import HeldCalls, hold_calls, known_ids
from recordings.ingest.notifications import (
    SOURCE,
    chains_of,
    ended_by,
    ids_of,
    made_by,
    merge,
    said_of_call,
    take_notifications,
)
from recordings.ingest.recorder_words import facts_in, said_in
from recordings.ingest.watch import heard_recorder
from recordings.models import Actor, Call, Recorder


class NotYours(Exception):
    """The token does not speak for this tenant or call. Nothing was stored."""


@dataclass(frozen=True)
class _Post:
    """Who posts, and for which of its forwarded notifications Graph vouches: identity of the event to tenant."""

    recorder: Recorder
    actor: Actor
    vouched: Mapping[str, str]
    now: datetime


def ingest_events(
    events: Sequence[Event], *, recorder: Recorder, body: bytes, now: datetime, vouched: Mapping[str, str] | None = None
) -> int:
    """Take in the events of one post of `recorder`, all of them or nothing (aware UTC). Answers how many were new.

    `vouched` has the identities of the forwarded notifications that came with a good token of Graph, each with the
    tenant it speaks for. Any other forwarded notification is the recorder's word. Raises NotYours.
    """
    with transaction.atomic():
        new = _not_heard_before(events, recorder=recorder, body=body, now=now)
        if not new:
            return 0
        post = _Post(recorder, Actor.objects.recorder(recorder), vouched or {}, now)
        _take_all(_not_heard_of_graph(new, post), post)
        # The last of all locks, and held no longer than it takes: see held.py.
        heard_recorder(recorder, now=now)
    return len(new)


def _not_heard_before(events: Iterable[Event], *, recorder: Recorder, body: bytes, now: datetime) -> list[Event]:
    """Each event once, also within one batch."""
    once: dict[str, Event] = {}
    for event in events:
        once.setdefault(event.identity, event)
    first = first_of(once, source=f"recorder/{recorder.pk}", body=body, now=now)
    return [event for identity, event in once.items() if identity in first]


def _not_heard_of_graph(events: Iterable[Event], post: _Post) -> list[Event]:
    """Without notifications that came from Graph itself already, or were forwarded before, by Microsoft's own id.

    Only what Graph vouches for claims such an id: else a recorder could keep Graph's own word out.
    """
    vouched = [event for event in events if event.identity in post.vouched and event.message_id]
    doubles = {
        event.identity
        for event in sorted(vouched, key=lambda event: event.message_id)
        if not first_of([event.message_id], source=SOURCE, body=event.forwarded_body, now=post.now)
    }
    return [event for event in events if event.identity not in doubles]


def _take_all(events: Sequence[Event], post: _Post) -> None:
    """The oldest word first, whatever the order in the batch, so that history reads as it happened."""
    held = hold_calls(
        {call_id for event in events for call_id in _calls_named(event)},
        making=_tenants_of_new_calls(events, post),
        chains={chain for event in events for chain in _chains_named(event)},
        ending={call_id for event in events for call_id in _calls_ended(event)},
        now=post.now,
    )
    for event in events:
        _check_owner(event, held, post.recorder)
    for event in sorted(events, key=lambda event: (event.at, event.sequence)):
        _take(event, held, post)
    held.put_back(now=post.now)


def _calls_named(event: Event) -> Iterator[str]:
    if event.call_id:
        yield event.call_id
    yield from (call_id for call_id, _ in event.claims)
    yield from ids_of(event.notifications)


def _calls_made(event: Event) -> Iterator[str]:
    """Those it makes if they are not known: a heartbeat and a roster make none."""
    if event.call_id:
        yield event.call_id
    yield from made_by(event.notifications)


def _calls_ended(event: Event) -> Iterator[str]:
    if event.type == "onrecord.call.ended":
        yield event.call_id
    yield from ended_by(event.notifications)


def _chains_named(event: Event) -> Iterator[str]:
    yield event.text("callChainId")
    yield from chains_of(event.notifications)


def _tenants_of_new_calls(events: Iterable[Event], post: _Post) -> dict[str, str]:
    """Whose the calls are that the events make: an event's own word, else the recorder's only tenant."""
    named: dict[str, tuple[Event, str]] = {}
    for event in events:
        for call_id in _calls_made(event):
            if not named.get(call_id, (event, ""))[1]:
                named[call_id] = (event, _tenant_in(event, call_id, post))
    new = named.keys() - known_ids(named)
    return {call_id: _own_tenant(call_id, *named[call_id], recorder=post.recorder) for call_id in sorted(new)}


def _tenant_in(event: Event, call_id: str, post: _Post) -> str:
    if event.identity in post.vouched:
        return post.vouched[event.identity]
    calls = (each.call for each in event.notifications if each.call and each.call_id == call_id)
    return event.text("tenantId") or next((call.tenant_id for call in calls if call.tenant_id), "")


def _own_tenant(call_id: str, event: Event, tenant_id: str, *, recorder: Recorder) -> str:
    own = tenant_id or (recorder.tenants[0] if len(recorder.tenants) == 1 else "")
    if not recorder.speaks_for(own):
        raise NotYours(f"{event.place}This token does not speak for the tenant of call {call_id}.")
    return own


def _check_owner(event: Event, held: HeldCalls, recorder: Recorder) -> None:
    for call_id in _calls_named(event):
        call = held.get(call_id)
        if call and not recorder.speaks_for(call.tenant_id):
            raise NotYours(f"{event.place}This token does not speak for the tenant of call {call_id}.")
        if call and call.recorder_id not in (None, recorder.pk):
            raise NotYours(f"{event.place}Call {call_id} belongs to another recorder.")


def _take(event: Event, held: HeldCalls, post: _Post) -> None:
    if event.identity in post.vouched:
        tenant_id = post.vouched[event.identity]
        take_notifications(event.notifications, held, tenant_id=tenant_id, at=event.at, now=post.now)
    elif event.notifications:
        _relay(event, held, post)
    elif event.call_id:
        _tell(event, held[event.call_id], post)
    else:
        _beat(event, held, post)


def _tell(event: Event, call: Call, post: _Post) -> None:
    call.recorder = post.recorder
    said, facts = said_in(event, actor=post.actor), facts_in(event)
    if facts:
        merge(call, facts, said)
    take_in(call, said, now=post.now)


def _relay(event: Event, held: HeldCalls, post: _Post) -> None:
    """A notification nobody but the recorder vouches for: its word on the call, and none on any operation of ours."""
    for number, notification in enumerate(event.notifications):
        call = held.get(notification.call_id)
        if call is None:
            continue
        call.recorder = post.recorder
        said = Said(event.at, Source.RECORDER, sequence=number, actor=post.actor)
        take_in(call, said_of_call(call, notification, said), now=post.now)


def _beat(event: Event, held: HeldCalls, post: _Post) -> None:
    """A claim for each call it names that is known."""
    for call_id, capture_state in event.claims:
        call = held.get(call_id)
        if call is None:
            continue
        # Whoever makes a claim answers for the leg from then on: nobody else's claim can permit a correction.
        call.recorder = post.recorder
        said = Said(
            event.at,
            Source.RECORDER,
            sequence=event.sequence,
            actor=post.actor,
            capture_state=capture_state,
            gone=False,
            is_heartbeat=True,
        )
        take_in(call, said, now=post.now)
