"""Appending. The only writer of LedgerEntry."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from recordings.choices import LedgerAction
from recordings.ledger.canonical import NotCanonical, Scalar, Unreadable, canonical, read, timestamp
from recordings.models import Actor, Call, Finding, LedgerEntry, Operation
from recordings.models.keys import new_key

type Value = Scalar | datetime | uuid.UUID

VERSION = 1


def record(
    action: LedgerAction,
    *,
    actor: Actor,
    now: datetime,
    occurred_at: datetime | None = None,
    call: Call | None = None,
    operation: Operation | None = None,
    finding: Finding | None = None,
    **facts: Value,
) -> LedgerEntry:
    """Append one entry inside the caller's transaction (times aware UTC). The database puts it in line for its seal.

    `facts` join the body; names of called people do not belong there. Raises RuntimeError outside a transaction,
    since an entry that does not stand or fall with its step proves nothing, and NotCanonical for facts without
    one form.
    """
    about = References(call, operation, finding)
    entry = entry_of(action, actor=actor, now=now, occurred_at=occurred_at, about=about, facts=facts)
    append([entry])
    return entry


def append(entries: Collection[LedgerEntry]) -> None:
    """Append entries that `entry_of` has made, in their order, however many at once. Raises as `record` does."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a ledger entry is recorded in the transaction of its step")
    LedgerEntry.objects.bulk_copy(entries)


@dataclass(frozen=True)
class References:
    """What an entry is about; the call is that of the operation or the finding where it is not named.

    `job` is the key of the bulk job that asked, where one did.
    """

    call: Call | None = None
    operation: Operation | None = None
    finding: Finding | None = None
    job: uuid.UUID | None = None


def entry_of(
    action: LedgerAction,
    *,
    actor: Actor,
    now: datetime,
    occurred_at: datetime | None = None,
    about: References,
    facts: Mapping[str, Value],
) -> LedgerEntry:
    """One entry, not appended yet. Raises NotCanonical."""
    operation, finding = about.operation, about.finding
    call = about.call or (operation.call if operation else None) or (finding.call if finding else None)
    key = new_key()
    body: dict[str, Value] = {
        "v": VERSION,
        "id": key,
        "action": action.value,
        "actor": actor.pk,
        "recorded_at": now,
        "occurred_at": occurred_at or now,
        **_references(call, operation, finding),
        **({"job": about.job} if about.job else {}),
    }
    if taken := body.keys() & facts.keys():
        raise NotCanonical(f"the entry itself says {', '.join(sorted(taken))}; no fact can take its place")
    body |= facts
    return LedgerEntry(
        id=key,
        action=action,
        body=canonical({name: _scalar(value) for name, value in body.items()}),
        actor_id=actor.pk,
        call_id=call.pk if call else None,
        operation_id=operation.pk if operation else None,
        finding_id=finding.pk if finding else None,
        occurred_at=occurred_at or now,
        recorded_at=now,
    )


def body_of(entry: LedgerEntry) -> dict[str, Scalar]:
    """The facts of one entry, from the very bytes that are hashed. Raises Unreadable where these are no entry's."""
    return read(entry.body)


def facts_in(entry: LedgerEntry) -> Mapping[str, Scalar]:
    """The same for a page: nothing where the text was made unreadable, so that the others are shown."""
    try:
        return body_of(entry)
    except Unreadable:
        return {}


def _references(call: Call | None, operation: Operation | None, finding: Finding | None) -> dict[str, Value]:
    references: dict[str, Value] = {}
    if call:
        references |= {"call": call.graph_id, "call_chain_id": call.call_chain_id, "tenant_id": call.tenant_id}
    if operation:
        references |= {"operation": operation.pk, "client_context": operation.client_context}
    if finding:
        references |= {"finding": finding.pk, "rule": finding.rule, "subject": finding.subject.value}
        references |= {finding.subject.value: finding.subject_name} if call is None else {}
    return references


def _scalar(value: Value) -> Scalar:
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, uuid.UUID):
        return str(value)
    return str(value) if isinstance(value, str) else value
