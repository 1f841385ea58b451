"""That one entry is in the sealed tree, as a page shows it and as a file of its own."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from recordings import ledger
from recordings.ledger import tree
from recordings.models import LedgerEntry, Seal


@dataclass(frozen=True)
class Proof:
    """The path from one entry to the root that a seal signs. `holds` is false where the stored rows do not fit it."""

    index: int
    leaf: bytes
    path: Sequence[bytes]
    seal: Seal

    @property
    def holds(self) -> bool:
        root = bytes(self.seal.root_hash)
        return tree.verify_inclusion(self.leaf, self.index, self.seal.size, self.path, root)

    @property
    def leaf_hex(self) -> str:
        return self.leaf.hex()

    @property
    def root_hex(self) -> str:
        return bytes(self.seal.root_hash).hex()

    @property
    def path_hex(self) -> Sequence[str]:
        return [each.hex() for each in self.path]

    @property
    def text(self) -> str:
        """In the form of C2SP, which tools of others read: https://c2sp.org/tlog-proof."""
        lines = [base64.b64encode(each).decode() for each in self.path]
        return "\n".join(["c2sp.org/tlog-proof@v1", f"index {self.index}", *lines, "", self.seal.checkpoint])


def leaf_of(entry: LedgerEntry) -> bytes:
    return tree.leaf_hash(entry.body.encode())


def proof_of(entry: LedgerEntry, index: int) -> Proof | None:
    """The proof under the newest seal; None where none covers the entry. Raises TreeBroken."""
    seal = ledger.newest_seal()
    if seal is None or seal.size <= index:
        return None
    return Proof(index, leaf_of(entry), ledger.inclusion_proof(index, seal.size), seal)
