"""Each message counts once."""

import hashlib
from datetime import datetime

from django.db import IntegrityError, transaction

from recordings.models import Delivery


def is_first(*, source: str, message_id: str, body: bytes, now: datetime) -> bool:
    """Keep the message's id in the caller's transaction; False if it was taken in before."""
    delivery = Delivery(
        source=source, message_id=message_id, body_sha256=hashlib.sha256(body).hexdigest(), received_at=now
    )
    try:
        with transaction.atomic():
            delivery.save(force_insert=True)
    except IntegrityError:
        return False
    return True
