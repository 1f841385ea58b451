"""The settings of the domain as typed values, read when asked, so that tests may change them."""

from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings

from recordings import rules


def graces() -> rules.Graces:
    return rules.Graces(
        after_end=timedelta(seconds=settings.STUCK_AFTER_END),
        before_start=timedelta(seconds=settings.STUCK_BEFORE_START),
        before_stop=timedelta(seconds=settings.STUCK_BEFORE_STOP),
        told_otherwise=timedelta(seconds=settings.STUCK_TOLD_OTHERWISE),
        operation=timedelta(seconds=settings.STUCK_OPERATION),
        failed=timedelta(seconds=settings.STUCK_FAILED),
        no_sign=timedelta(seconds=settings.STUCK_NO_SIGN),
        orphan=timedelta(seconds=settings.STUCK_ORPHAN),
        dropped=timedelta(seconds=settings.STUCK_DROPPED),
        refused=timedelta(seconds=settings.STUCK_REFUSED),
        tenant=timedelta(seconds=settings.STUCK_TENANT),
        incoming=timedelta(seconds=settings.STUCK_INCOMING),
        establishing=timedelta(seconds=settings.STUCK_ESTABLISHING),
        flapping_window=timedelta(seconds=settings.STUCK_FLAPPING_WINDOW),
        flapping_changes=settings.STUCK_FLAPPING_CHANGES,
        over_age=timedelta(seconds=settings.STUCK_OVER_AGE),
        silent_recorder=timedelta(seconds=settings.STUCK_SILENT_RECORDER),
        claim_fresh=timedelta(seconds=settings.CLAIM_FRESH),
    )


def reopen_within() -> timedelta:
    """A condition that comes back this soon after its finding was closed opens the same finding again."""
    return timedelta(seconds=settings.REOPEN_WITHIN)


def sync_after() -> timedelta:
    """Graph is asked for a live call once nobody has spoken of it for so long."""
    return timedelta(seconds=settings.SYNC_AFTER)


def settle_grace() -> timedelta:
    return timedelta(seconds=settings.SETTLE_GRACE)


def approval_expires() -> timedelta:
    return timedelta(seconds=settings.APPROVAL_EXPIRES)


def lease() -> timedelta:
    """How long an operation belongs to the process that sends it: twice the deadline, so that its answer is stored."""
    return timedelta(seconds=2 * settings.GRAPH_DEADLINE)


def ledger_origin() -> str:
    """The name of this ledger, which its seals are signed under: a host and a path, without a scheme."""
    host = urlsplit(settings.PUBLIC_URL).hostname
    return settings.LEDGER_ORIGIN or f"{host or 'onrecord.local'}/ledger"


def verify_every() -> timedelta:
    """The ledger is verified so often where nobody asks for it."""
    return timedelta(seconds=settings.LEDGER_VERIFY_SECONDS)


def ledger_witnesses() -> list[str]:
    """The addresses as they were given; `ledger.witness_addresses` reads them."""
    return [address for address in settings.LEDGER_WITNESSES if address]


def export_kept() -> timedelta:
    """How long the file of a background export can be downloaded."""
    return timedelta(seconds=settings.EXPORT_KEPT_SECONDS)


def seal_every() -> timedelta:
    return timedelta(seconds=settings.LEDGER_SEAL_SECONDS)
