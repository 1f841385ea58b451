"""The settings as a process of ours has them, compared with those of last time: what differs is recorded once."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from recordings.choices import LedgerAction
from recordings.ledger.entries import record
from recordings.models import Actor, SettingsNote

ACTOR_NAME = "settings"
# Each kind of process has settings of its own.
PROCESSES = {"worker": 1, "site": 2, "shell": 3}
# A digest must not tell a short password to who reads the database.
ROUNDS = 200_000


def note_settings(process: str, *, plain: Mapping[str, str], secret: Mapping[str, str], now: datetime) -> list[str]:
    """Record the names of settings that differ from the last start of such a process (aware UTC), and answer them.

    Of `secret` ones only salted digests are kept, of none the value is in the ledger. Two processes that start at
    once record a change once. Raises KeyError for a process that is none of PROCESSES.
    """
    with transaction.atomic():
        note: SettingsNote = _locked(process)
        salt = note.values.get("salt") or secrets.token_hex(16)
        said = {**plain, **{name: _digest(value, salt) for name, value in secret.items()}}
        before = note.values.get("settings", {})
        changed = sorted(name for name in said.keys() | before.keys() if said.get(name) != before.get(name))
        if changed:
            note.values = {"salt": salt, "settings": said}
            note.save()
            actor = Actor.objects.job(ACTOR_NAME)
            record(LedgerAction.SETTINGS_CHANGED, actor=actor, now=now, process=process, changed=" ".join(changed))
    return changed


def _locked(process: str) -> SettingsNote:
    SettingsNote.objects.get_or_create(pk=PROCESSES[process])
    return SettingsNote.objects.select_for_update().get(pk=PROCESSES[process])


def _digest(value: str, salt: str) -> str:
    """An empty one stays empty: that it is not set is no secret."""
    return hashlib.pbkdf2_hmac("sha256", value.encode(), bytes.fromhex(salt), ROUNDS).hex() if value else ""
