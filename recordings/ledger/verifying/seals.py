"""Roots that somebody signed: the seals of the database, and checkpoints that were kept elsewhere."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from pathlib import Path

from recordings.choices import Alarm
from recordings.ledger import checkpoint
from recordings.ledger.checkpoint import BadCheckpoint, SignedCheckpoint
from recordings.ledger.keys import fingerprint
from recordings.ledger.verifying.alarms import Alarms
from recordings.ledger.verifying.reading import as_bytes
from recordings.models import Seal, SealKey

PAGE = 1000
LONGEST = 64 * 1024  # bytes; a checkpoint takes some hundred


@dataclass(frozen=True)
class Expected:
    """The tree of `size` leaves should have this root; `alarm` and `sentence` if it has not."""

    size: int
    root: bytes
    alarm: Alarm
    sentence: str


@dataclass(frozen=True)
class Kept:
    """A file with a checkpoint that was kept elsewhere, and the size it is to be of."""

    size: int
    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    def text(self) -> str:
        """Its first bytes: a checkpoint is no longer."""
        with self.path.open("rb") as file:
            return file.read(LONGEST).decode("utf-8", errors="replace")


class Keys:
    """The public keys that may have signed; where `only` are given, these fingerprints alone are believed."""

    def __init__(self, keys: Iterable[SealKey], *, only: Collection[str] = ()) -> None:
        self._keys = {key.fingerprint: key for key in keys}
        self._only = frozenset(only)

    def refusal(self, signed: SignedCheckpoint, stated: str = "") -> str:
        """Why the signature proves nothing, in words; empty if it does. `stated` is the one key it should be of."""
        if stated and stated not in self._keys:
            return "the key it names is not known"
        named = [self._keys[stated]] if stated else self._keys.values()
        signers = [key for key in named if _has_signed(key, signed)]
        if not signers:
            return "its signature is not valid"
        if self._only and self._only.isdisjoint(key.fingerprint for key in signers):
            return f"it is signed with the key {signers[0].fingerprint}, which you did not name"
        return ""


def _has_signed(key: SealKey, signed: SignedCheckpoint) -> bool:
    public_key = as_bytes(key.public_key)
    return fingerprint(public_key) == key.fingerprint and checkpoint.verify(signed, public_key, key.name)


def expected_of_seals(keys: Keys, alarms: Alarms, *, until: int) -> Iterator[Expected]:
    """The roots of the stored seals up to that size, the smallest first; what is wrong with a seal itself sounds."""
    after, seals = -1, Seal.objects.defer("sealed_at")  # which an owner can leave unreadable
    while page := list(seals.filter(size__gt=after, size__lte=until).order_by("size")[:PAGE]):
        for seal in page:
            _judge(seal, keys, alarms, after=max(after, 0))
            sentence = (
                f"The seal over the first {seal.size} entries does not fit them: something before it was altered, or "
                f"the seal was replaced. The one before it is over {max(after, 0)}."
            )
            yield Expected(seal.size, as_bytes(seal.root_hash), Alarm.SEAL_REPLACED, sentence)
            after = seal.size


def _judge(seal: Seal, keys: Keys, alarms: Alarms, *, after: int) -> None:
    """Do the seal's text and its columns say the same, and is it signed?"""
    try:
        signed = checkpoint.parse(str(seal.checkpoint))  # SQLite may have bytes there
    except BadCheckpoint as bad:
        alarms.sound(Alarm.SEAL_REPLACED, f"The seal over the first {seal.size} entries: {bad}", index=after)
        return
    if (signed.checkpoint.size, signed.checkpoint.root) != (seal.size, as_bytes(seal.root_hash)):
        sentence = f"The text of the seal over the first {seal.size} entries says something else than its columns."
        alarms.sound(Alarm.SEAL_REPLACED, sentence, index=after)
    if refusal := keys.refusal(signed, seal.key_id):
        sentence = f"The seal over the first {seal.size} entries proves nothing: {refusal}."
        alarms.sound(Alarm.SEAL_UNSIGNED, sentence, index=after)


def expected_of_kept(kept: Sequence[Kept], keys: Keys, alarms: Alarms, *, size: int) -> Iterator[Expected]:
    """The roots of checkpoints that were kept elsewhere, for a ledger that is now sealed up to `size`.

    `kept` come by their size, the smallest first. Each is read when its turn comes.
    """
    for some in batched(kept, PAGE):
        sealed = set(Seal.objects.filter(size__in=[one.size for one in some]).values_list("size", flat=True))
        for one in some:
            if _is_believed(one, keys, alarms) and _is_reached(one, alarms, size=size):
                _require_seal(one, sealed, alarms)
                sentence = f"{one.name} saw other entries among the first {one.size} than the ledger has now."
                yield Expected(one.size, checkpoint.parse(one.text()).checkpoint.root, Alarm.NOT_CONSISTENT, sentence)


def _is_believed(kept: Kept, keys: Keys, alarms: Alarms) -> bool:
    refusal = ""
    try:
        signed = checkpoint.parse(kept.text())
    except BadCheckpoint as bad:
        alarms.sound(Alarm.SEAL_UNSIGNED, f"{kept.name}: {bad}")
        return False
    if signed.checkpoint.size != kept.size:
        refusal = f"it says {signed.checkpoint.size} entries where its name says {kept.size}"
    refusal = refusal or keys.refusal(signed)
    if refusal:
        alarms.sound(Alarm.SEAL_UNSIGNED, f"{kept.name} is not the checkpoint of this ledger it should be: {refusal}.")
    return not refusal


def _is_reached(kept: Kept, alarms: Alarms, *, size: int) -> bool:
    if kept.size > size:
        sentence = f"{kept.name} saw {kept.size} entries, and the ledger is sealed up to {size} only: its end is gone."
        alarms.sound(Alarm.NOT_CONSISTENT, sentence, index=size)
    return kept.size <= size


def _require_seal(kept: Kept, sealed: Collection[int], alarms: Alarms) -> None:
    if kept.size not in sealed:
        sentence = f"{kept.name} is the copy of a seal over the first {kept.size} entries, which is gone."
        alarms.sound(Alarm.SEAL_MISSING, sentence, index=kept.size)
