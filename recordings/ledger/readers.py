"""Who read what: a call's page and the history, one entry a person, call and hour; and each piece of evidence taken."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from recordings.choices import ActorKind, LedgerAction
from recordings.ledger.entries import References, append, entry_of, record
from recordings.models import Actor, Call, EvidenceFile, Reading

LONGEST_FILTER = 1024
# A page that asks by itself for news was opened in the same session, which ends after so long.
LONGEST_OPEN = timedelta(hours=8)


def note_call_read(call: Call, *, user: User, now: datetime, is_poll: bool = False) -> None:
    """The person has the page of `call` before them (aware UTC). One query if they had it before in this hour.

    A page that only asks for news does not count anew; but who asks for news of a page never opened reads it.
    """
    _note(user, call, action=LedgerAction.CALL_READ, facts={}, now=now, is_poll=is_poll)


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
    hour_at = now.replace(minute=0, second=0, microsecond=0)
    since = hour_at - LONGEST_OPEN if is_poll else hour_at
    before = Reading.objects.filter(call=call, hour_at__gte=since)
    if before.filter(actor__kind=ActorKind.PERSON, actor__subject_id=str(user.pk)).exists():
        return
    with transaction.atomic():
        actor = Actor.objects.person(user)
        # Of two requests at once the constraint lets one through; the other waits for it, and has nothing to say.
        _, is_first = Reading.objects.get_or_create(actor=actor, call=call, hour_at=hour_at)
        if is_first:
            append([entry_of(action, actor=actor, now=now, about=References(call), facts=facts)])
