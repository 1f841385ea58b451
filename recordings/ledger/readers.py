"""Who read what: what is told of a call, and the history, one entry a person, call and hour; and evidence taken."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from recordings.choices import ActorKind, LedgerAction
from recordings.ledger.entries import References, append, entry_of, record
from recordings.models import Actor, Call, EvidenceFile, Finding, Reading

LONGEST_FILTER = 1024
# A page that asks by itself for news was opened in the same session, which ends after so long.
LONGEST_OPEN = timedelta(hours=8)


def note_call_read(call: Call, *, user: User, now: datetime, is_poll: bool = False) -> None:
    """The person has the page of `call`, or of a step about it, before them (aware UTC).

    One query if they had it before in this hour. A page that only asks for news does not count anew; but who asks for
    news of a page never opened reads it.
    """
    _note(user, call, action=LedgerAction.CALL_READ, facts={}, now=now, is_poll=is_poll)


def note_finding_read(finding: Finding, *, user: User, now: datetime) -> None:
    """The person has every step of `finding` before them (aware UTC): its call is read, or without one the history."""
    if finding.call:
        note_call_read(finding.call, user=user, now=now)
    else:
        note_history_read(f"finding={finding.pk}", user=user, now=now)


def note_call_printed(call: Call, *, now: datetime) -> None:
    """The command line has printed what is known of `call` (aware UTC); its user and host stand for the person."""
    with transaction.atomic():
        _note_once(Actor.objects.shell(), call, action=LedgerAction.CALL_READ, facts={}, now=now)


def note_history_read(query: str, *, user: User, now: datetime, is_poll: bool = False) -> None:
    """The person has a page of the history before them (aware UTC); `query` is the page's filter, as in its address.

    The entry names the filter of the first page in the hour. One query if there was one before. Polls: as for a call.
    """
    facts = {"filter": query[:LONGEST_FILTER]}
    _note(user, None, action=LedgerAction.HISTORY_READ, facts=facts, now=now, is_poll=is_poll)


def note_evidence_taken(file: EvidenceFile, *, user: User, now: datetime) -> None:
    """The file leaves with this person (aware UTC). Each time is an entry: the file is out of our hands then."""
    with transaction.atomic():
        actor = Actor.objects.person(user)
        record(LedgerAction.EVIDENCE_DOWNLOADED, actor=actor, now=now, file=file.name, file_sha256=file.sha256)


def _note(
    user: User, call: Call | None, *, action: LedgerAction, facts: dict[str, str], now: datetime, is_poll: bool
) -> None:
    since = _hour(now) - LONGEST_OPEN if is_poll else _hour(now)
    # Up to this hour: a row of one to come, which only somebody else can have written, would hide every reading.
    before = Reading.objects.filter(call=call, hour_at__range=(since, _hour(now)))
    if before.filter(actor__kind=ActorKind.PERSON, actor__subject_id=str(user.pk)).exists():
        return
    with transaction.atomic():
        _note_once(Actor.objects.person(user), call, action=action, facts=facts, now=now)


def _note_once(actor: Actor, call: Call | None, *, action: LedgerAction, facts: dict[str, str], now: datetime) -> None:
    """Of two at once the constraint lets one through; the other waits for it, and has nothing to say."""
    _, is_first = Reading.objects.get_or_create(actor=actor, call=call, hour_at=_hour(now))
    if is_first:
        append([entry_of(action, actor=actor, now=now, about=References(call), facts=facts)])


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)
