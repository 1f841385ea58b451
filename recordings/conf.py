"""The settings of the domain as typed values, read when asked, so that tests may change them."""

from datetime import timedelta

from django.conf import settings

from recordings import rules


def graces() -> rules.Graces:
    return rules.Graces(
        after_end=timedelta(seconds=settings.STUCK_AFTER_END),
        before_start=timedelta(seconds=settings.STUCK_BEFORE_START),
        before_stop=timedelta(seconds=settings.STUCK_BEFORE_STOP),
        operation=timedelta(seconds=settings.STUCK_OPERATION),
        claim_fresh=timedelta(seconds=settings.CLAIM_FRESH),
    )


def settle_grace() -> timedelta:
    return timedelta(seconds=settings.SETTLE_GRACE)


def approval_expires() -> timedelta:
    return timedelta(seconds=settings.APPROVAL_EXPIRES)


def lease() -> timedelta:
    """How long an operation belongs to the process that sends it: twice the deadline, so that its answer is stored."""
    return timedelta(seconds=2 * settings.GRAPH_DEADLINE)
