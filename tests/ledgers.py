"""Entries, a key and seals for tests: made the way the product makes them."""

from collections.abc import Callable
from datetime import datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db import transaction
from django.utils import timezone

from recordings import ledger, passes
from recordings.choices import LedgerAction
from recordings.ledger.keys import SigningKey, key_from
from recordings.models import Actor, LedgerEntry, Seal

ORIGIN = "onrecord.contoso.example/ledger"


def signing_key(*, name: str = ORIGIN, seed: int = 1) -> SigningKey:
    """The same key for the same seed."""
    return key_from(private_key(seed), name=name)


def private_key(seed: int = 1) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32))


def pem(seed: int = 1) -> str:
    """The key as LEDGER_SIGNING_KEY takes it."""
    return private_key(seed).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def entries(count: int, *, at: datetime) -> list[LedgerEntry]:
    """So many entries, one after the other, that wait for their seal."""
    actor = Actor.objects.shell()
    with transaction.atomic():
        return [ledger.record(LedgerAction.HISTORY_READ, actor=actor, now=at, filter=f"page={n}") for n in range(count)]


def sealed(count: int, *, at: datetime) -> Seal:
    """So many entries more, and the seal over all of them. The first one is followed by an entry of its key."""
    entries(count, at=at)
    seal = ledger.seal(at, key=signing_key())
    assert seal
    return seal


def interrupt_a_verification(*, clock: Callable[[], datetime] = timezone.now) -> None:
    """A run begun as `manage.py verify` begins it, and stopped as Ctrl-C stops it."""
    passes.stopping.set()
    try:
        with pytest.raises(ledger.Interrupted):
            ledger.verify_now(Actor.objects.shell(), clock=clock)
    finally:
        passes.stopping.clear()
