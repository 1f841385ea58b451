"""An implementation of its own of RFC 9162, section 2.1: its recursive definitions, word for word, over all entries.

It shares nothing with recordings.ledger.tree: no frontier, no stored subtree, no bit arithmetic, and it verifies a
proof by finding the hashes of the definition in it rather than by the algorithms of the RFC. Slow, for tests only.
"""

import hashlib
from collections.abc import Sequence

type Entries = Sequence[bytes]


def mth(entries: Entries) -> bytes:
    """MTH(D_n), section 2.1.1."""
    if not entries:
        return hashlib.sha256().digest()
    if len(entries) == 1:
        return _hash(b"\x00", entries[0])
    k = _k(len(entries))
    return _hash(b"\x01", mth(entries[:k]), mth(entries[k:]))


def path(m: int, entries: Entries) -> list[bytes]:
    """PATH(m, D_n), section 2.1.3.1."""
    if len(entries) == 1:
        return []
    k = _k(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def proof(m: int, entries: Entries) -> list[bytes]:
    """PROOF(m, D_n), section 2.1.4.1."""
    return _subproof(m, entries, is_whole=True)


def _subproof(m: int, entries: Entries, *, is_whole: bool) -> list[bytes]:
    if m == len(entries):
        return [] if is_whole else [mth(entries)]
    k = _k(len(entries))
    if m <= k:
        return [*_subproof(m, entries[:k], is_whole=is_whole), mth(entries[k:])]
    return [*_subproof(m - k, entries[k:], is_whole=False), mth(entries[:k])]


def outside(first: int, last: int, entries: Entries) -> list[bytes]:
    """What docs/exports.md asks for a range: the hashes that a walk over the whole tree meets outside of it."""
    return _outside(set(range(first, last + 1)), range(len(entries)), entries)


def _outside(wanted: set[int], part: range, entries: Entries) -> list[bytes]:
    if wanted.isdisjoint(part):
        return [mth(entries[part.start : part.stop])]
    if len(part) == 1:
        return []
    k = _k(len(part))
    return _outside(wanted, part[:k], entries) + _outside(wanted, part[k:], entries)


def root_of_range(first: int, bodies: Entries, size: int, nodes: Sequence[bytes]) -> bytes:
    """The root that a verifier gets from the entries of a range and the hashes outside of it."""
    left = list(nodes)
    root = _rebuilt(range(size), range(first, first + len(bodies)), bodies, left)
    assert not left, "a hash too many"
    return root


def _rebuilt(part: range, known: range, bodies: Entries, left: list[bytes]) -> bytes:
    if set(known).isdisjoint(part):
        return left.pop(0)
    if len(part) == 1:
        return _hash(b"\x00", bodies[part[0] - known[0]])
    k = _k(len(part))
    return _hash(b"\x01", _rebuilt(part[:k], known, bodies, left), _rebuilt(part[k:], known, bodies, left))


def _k(n: int) -> int:
    """The largest power of two smaller than n."""
    powers = [1]
    while powers[-1] * 2 < n:
        powers.append(powers[-1] * 2)
    return powers[-1]


def _hash(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()
