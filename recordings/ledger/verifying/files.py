"""Evidence files and the ledger's keys, against the entries about them."""

import json
from collections.abc import Iterator
from hashlib import sha256
from uuid import UUID

from recordings.choices import Alarm, LedgerAction
from recordings.ledger.keys import fingerprint
from recordings.ledger.verifying.alarms import Alarms, Found
from recordings.ledger.verifying.pairs import Facts, Told, each_time, unequal
from recordings.models import EvidenceFile, LedgerEntry, SealKey
from recordings.models.keys import parse_key

PAGE = 1000


def check_files(alarms: Alarms) -> Iterator[int]:
    """Every evidence file against its own SHA-256, and the attestations that name one; yields how many files."""
    keys = EvidenceFile.objects.order_by("pk").values_list("pk", flat=True)
    for key in keys:
        file = EvidenceFile.objects.get(pk=key)  # up to five megabytes, so one at a time
        content = bytes(file.content)
        if (sha256(content).hexdigest(), len(content)) != (file.sha256, file.size_bytes):
            alarms.sound(Alarm.ROW_DIFFERS, f"The evidence file {key} has other bytes than its SHA-256 says.")
        yield 1
    for entry, facts in _entries(LedgerAction.FINDING_ATTESTED):
        alarms.add(_misnamed(entry, facts))
        yield 0


def _misnamed(entry: UUID, facts: Facts) -> Iterator[Found]:
    """An attestation whose file is gone or is another one now. A file is there before its attestation."""
    if not facts.get("file"):
        return
    key = parse_key(str(facts["file"]))
    file = EvidenceFile.objects.filter(pk=key).values_list("sha256", flat=True).first() if key else None
    if file is None:
        yield Found(Alarm.ROW_MISSING, f"The evidence file that entry {entry} names is gone.", entry=entry)
    elif file != facts.get("file_sha256"):
        yield Found(Alarm.ROW_DIFFERS, f"The evidence file that entry {entry} names is another one.", entry=entry)


def check_keys(alarms: Alarms) -> Iterator[int]:
    """Every key that seals were signed with, against the entry of its first use; yields how many there are."""
    alarms.add(each_time(_unequal_keys))
    keys = SealKey.objects.values_list("fingerprint", "public_key")
    for name, public_key in keys:
        if fingerprint(bytes(public_key)) != name:
            alarms.sound(Alarm.ROW_DIFFERS, f"The public key stored as {name} is another one.")
    yield len(keys)


def _unequal_keys() -> list[Found]:
    told = {str(facts.get("fingerprint")): Told(entry, facts) for entry, facts in _entries(LedgerAction.KEY_FIRST_USED)}
    return list(unequal("key", told, {key.fingerprint: {"name": key.name} for key in SealKey.objects.all()}))


def _entries(action: LedgerAction) -> Iterator[tuple[UUID, Facts]]:
    """A body that cannot be understood is passed over: as an entry it sounds an alarm of its own."""
    entries, after = LedgerEntry.objects.filter(action=action).order_by("pk").values_list("pk", "body"), None
    while page := list((entries.filter(pk__gt=after) if after else entries)[:PAGE]):
        for key, body in page:
            try:
                facts = json.loads(body)
            except ValueError:
                continue
            if isinstance(facts, dict):
                yield key, facts
        after = page[-1][0]
