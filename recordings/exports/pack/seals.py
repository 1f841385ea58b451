"""The marks of the seal: which one, by which key, which places of the tree, and how far a witness had it by then."""

from typing import Any

from django.db.models import F

from recordings.exports.pack.reading import Sealed
from recordings.ledger import is_off_host, timestamp
from recordings.ledger.checkpoint import parse
from recordings.ledger.notes import verifier_key
from recordings.models import Receipt, Seal

NO_WITNESS = (
    "When this checkpoint was made, no witness had an earlier one. Ask a witness whether it has "
    "this one or a later one by now."
)
WITNESSED = (
    "When this checkpoint was made, a witness off the machine of On Record had the ledger up to {size} entries. "
    "Entries from place {size} on rested on On Record alone then. Ask a witness whether it has this checkpoint or a "
    "later one by now."
)
ON_THIS_HOST = (
    "When this checkpoint was made, copies of the checkpoint of {size} entries were only on the machine of On Record "
    "itself. Whoever owns that machine can change them, so they show nothing to who does not trust its owner."
)


def seal_marks(sealed: Sealed) -> dict[str, Any]:
    seal, places = sealed.seal, sealed.places.values()
    return {
        "origin": parse(seal.checkpoint).checkpoint.origin,
        "size": seal.size,
        "root": bytes(seal.root_hash).hex(),
        "sealed_at": timestamp(seal.sealed_at),
        "key_fingerprint": seal.key.fingerprint,
        "verifier_key": verifier_key(seal.key.name, bytes(seal.key.public_key)),
        "checkpoint": seal.checkpoint,
        "entries": len(places),
        "first_place": min(places),
        "last_place": max(places),
        "witnessed": witnessed_at(seal),
    }


def witnessed_at(seal: Seal) -> dict[str, Any]:
    """How far a witness had the ledger when this seal was made; one off this host, if any had it.

    What came later is left out, and so are the settings of today: they would make of the same checkpoint another pack
    each time. So one that is no witness any more counts for what it had then.
    """
    receipts = Receipt.objects.filter(seal__lt=seal.size, received_at__lte=seal.sealed_at)
    names = receipts.order_by("witness").values_list("witness", flat=True).distinct()
    elsewhere = [name for name in names if is_off_host(name)]
    counted = receipts.filter(witness__in=elsewhere) if elsewhere else receipts
    newest = counted.order_by("-seal").values_list("seal", F("seal__sealed_at")).first()
    if newest is None:
        return {"size": None, "sealed_at": None, "is_off_host": False, "note": NO_WITNESS}
    size, sealed_at = newest
    note = (WITNESSED if elsewhere else ON_THIS_HOST).format(size=size)
    return {"size": size, "sealed_at": timestamp(sealed_at), "is_off_host": bool(elsewhere), "note": note}
