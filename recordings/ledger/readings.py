"""Rows that only keep the rule of one entry a person, call and hour: once their time is over, nobody asks for them."""

from datetime import datetime, timedelta

from recordings.models import Reading

# Longer than a page can have been open.
KEPT = timedelta(days=2)
MOST = 1000


def forget_readings(now: datetime) -> int:
    """Delete the oldest readings that are over (`now` aware UTC), MOST at a time; how many. Their entries stay.

    Asked by key, so that it costs little to ask often: keys grow as hours do, but for a clock that went wrong.
    """
    oldest = Reading.objects.order_by("pk").values_list("pk", flat=True)[:MOST]
    over = Reading.objects.filter(pk__in=oldest, hour_at__lt=now - KEPT)
    return over.delete()[0] if over.exists() else 0
