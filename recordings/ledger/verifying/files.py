"""Evidence files and the ledger's keys, against the entries about them."""

from collections.abc import Iterator
from hashlib import sha256
from uuid import UUID

from recordings.choices import Alarm, LedgerAction
from recordings.ledger.canonical import Unreadable, read
from recordings.ledger.keys import fingerprint
from recordings.ledger.verifying.alarms import Alarms, Found
from recordings.ledger.verifying.pairs import Facts, Told, each_time, unequal
from recordings.ledger.verifying.reading import as_bytes, rows_of, with_keys
from recordings.models import EvidenceFile, LedgerEntry, SealKey
from recordings.models.keys import parse_key

PAGE = 1000


def check_files(alarms: Alarms) -> Iterator[int]:
    """Every evidence file against its own SHA-256, and the attestations that name one; yields how many files."""
    for (key,) in rows_of(EvidenceFile.objects.order_by("pk"), "pk"):
        if not _is_whole(key):
            alarms.sound(Alarm.ROW_DIFFERS, f"The evidence file {key} has other bytes than its SHA-256 says.")
        yield 1
    for entry, facts in _entries(LedgerAction.FINDING_ATTESTED):
        alarms.add(_misnamed(entry, facts))
        yield 0


def _is_whole(key: UUID | str) -> bool:
    """Read by itself: it has up to five megabytes. What has a text for a key is none of ours."""
    files = EvidenceFile.objects.filter(pk=key) if isinstance(key, UUID) else EvidenceFile.objects.none()
    for stored, digest, size in files.values_list("content", "sha256", "size_bytes"):
        content = as_bytes(stored)
        return (sha256(content).hexdigest(), len(content)) == (digest, size)
    return False


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
        if fingerprint(as_bytes(public_key)) != name:
            alarms.sound(Alarm.ROW_DIFFERS, f"The public key stored as {name} is another one.")
    yield len(keys)


def _unequal_keys() -> list[Found]:
    told = {str(facts.get("fingerprint")): Told(entry, facts) for entry, facts in _entries(LedgerAction.KEY_FIRST_USED)}
    keys = SealKey.objects.values_list("fingerprint", "name")
    return list(unequal("key", told, {own: {"name": name} for own, name in keys}))


def _entries(action: LedgerAction) -> Iterator[tuple[UUID, Facts]]:
    """A body that cannot be understood is passed over: as an entry it sounds an alarm of its own."""
    entries, after = LedgerEntry.objects.filter(action=action).order_by("pk"), None
    while page := with_keys(rows_of((entries.filter(pk__gt=after) if after else entries)[:PAGE], "pk", "body")):
        for key, body in page:
            try:
                yield key, read(body)
            except Unreadable:
                continue
        after = page[-1][0]
