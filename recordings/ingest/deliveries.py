"""Each message counts once."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction

from recordings.models import Delivery

# Each time somebody else stored one of the same messages meanwhile; twice is rare already.
TRIES = 5


def first_of(message_ids: Iterable[str], *, source: str, body: bytes, now: datetime) -> set[str]:
    """Those of the ids that were not taken in before; they are kept in the caller's transaction.

    `body` is what carried them: of it only the SHA-256 is kept. Raises IntegrityError if others store them all the
    time.
    """
    digest, wanted = hashlib.sha256(body).hexdigest(), set(message_ids)
    for tries_left in reversed(range(TRIES)):
        found = Delivery.objects.filter(source=source, message_id__in=wanted).values_list("message_id", flat=True)
        new = wanted - set(found)
        deliveries = [
            Delivery(source=source, message_id=each, body_sha256=digest, received_at=now) for each in sorted(new)
        ]
        try:
            with transaction.atomic():
                # In one order: whoever stores the same ones waits for the other, and never in a ring.
                Delivery.objects.bulk_create(deliveries)
        except IntegrityError:
            if not tries_left:
                raise
            continue
        break
    return new
