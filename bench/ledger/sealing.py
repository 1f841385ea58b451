"""Sealing what waits against bare SHA-256 over the same bytes, in memory, by one process. Limit: 0.2 of its speed."""

import statistics
import time
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from recordings import ledger
from recordings.ledger.keys import key_from
from recordings.models import LedgerEntry
from recordings.passes import settle_in

LIMIT = 0.2
SAMPLE = 100_000


def measure(entries: int) -> bool:
    """Seal everything, seal by seal as the worker does; between them the peer hashes the first SAMPLE bodies."""
    key = key_from(Ed25519PrivateKey.generate(), name="bench/ledger")
    bodies = [body.encode() for body in LedgerEntry.objects.order_by("pk").values_list("body", flat=True)[:SAMPLE]]
    settle_in()
    own, peer, sealed, seals = 0.0, [_bare(bodies)], 0, 0
    while sealed < entries:
        began = time.perf_counter()
        seal = ledger.seal(timezone.now(), key=key)
        own += time.perf_counter() - began
        sealed, seals = seal.size if seal else entries, seals + 1
        peer.append(_bare(bodies))
    rate, bare = entries / own, statistics.median(peer)
    print(
        f"{entries:>10,} entries sealed by {seals} seals, {rate:,.0f}/s; bare SHA-256 {bare:,.0f}/s; "
        f"ratio {rate / bare:.2f}, limit {LIMIT:.2f}: {'kept' if rate / bare >= LIMIT else 'BROKEN'}",
        flush=True,
    )
    return rate / bare >= LIMIT


def _bare(bodies: list[bytes]) -> float:
    """Bodies a second."""
    began = time.perf_counter()
    for body in bodies:
        sha256(body).digest()
    return len(bodies) / (time.perf_counter() - began)
