"""Asking for an evidence pack: under which seal, and why. The worker makes it, since only the worker has the key."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from recordings.choices import ExportFormat, ExportSheet
from recordings.exports.asked import BadFilter
from recordings.exports.jobs.asking import Wanted, request_export
from recordings.exports.pack import Subject
from recordings.models import Actor, Export, Seal

_SIZE = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class WantedPack:
    """A pack of the subject under the checkpoint of this size, as it was typed; empty is the newest one."""

    subject: Subject
    reason: str
    checkpoint: str = ""


def request_pack(wish: WantedPack, *, actor: Actor, user: User, now: datetime) -> Export:
    """Put a pack in line for the worker (`now` aware UTC). Raises BadFilter and NotAllowed; then nothing is done."""
    subject = wish.subject
    wanted = Wanted(
        sheet=ExportSheet.PACK,
        format=ExportFormat.EXACT,
        reason=wish.reason,
        query=subject.query,
        sentence=subject.sentence,
        told=subject.query,
        seal=seal_of(wish.checkpoint),
    )
    return request_export(wanted, actor=actor, user=user, now=now)


def seal_of(size: str) -> Seal:
    """The seal of that many entries. Raises BadFilter."""
    seals = Seal.objects.select_related("key").order_by("-size")
    if not size.strip():
        newest = seals.first()
        if newest is None:
            raise BadFilter("The ledger was not sealed yet. No pack was asked for. Try again in a minute.")
        return newest
    number = size.strip()
    seal = seals.filter(size=int(number)).first() if _SIZE.fullmatch(number) else None
    if seal is None:
        raise BadFilter(
            f"There is no checkpoint of size {number[:32]!r}. The ledger's page names those that there are. "
            "No pack was asked for."
        )
    return seal
