"""The newest seals, against the key of this very process. Only the worker and a shell beside it have one."""

from collections.abc import Iterator

from recordings.choices import Alarm
from recordings.ledger.keys import own_fingerprint
from recordings.ledger.verifying.alarms import Alarms
from recordings.models import Seal, SealKey


def check_own_key(alarms: Alarms) -> Iterator[int]:
    """From the first use of this process's key on, every seal is under it: the sealer takes no key that was replaced.

    A key that has not sealed yet says nothing: after a real change the newest seal is under the one before until
    something new waits. Without a key nothing is compared. Yields 0, since no record is looked at.
    """
    own = own_fingerprint()
    if own and SealKey.objects.filter(pk=own).exists():
        first = Seal.objects.filter(key=own).order_by("size").values_list("size", flat=True).first()
        foreign = Seal.objects.filter(size__gt=first or 0).exclude(key=own).order_by("size")
        for size, key in foreign.values_list("size", "key_id")[:1]:
            sentence = (
                f"From the seal over the first {size} entries on there are seals under the key {key}, although this "
                f"worker's key, {own}, was in use before: somebody else has signed."
            )
            alarms.sound(Alarm.KEY_FOREIGN, sentence, index=first or 0)
    yield 0
