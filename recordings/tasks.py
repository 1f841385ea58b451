"""Entry points of background work. Each takes due rows and calls the room; the row is the truth, a job a trigger."""

from django.tasks import task
from django.utils import timezone

from recordings import export_rows, exports, findings, ledger, passes, services


@task
def beat() -> bool:
    return services.beat(timezone.now())


@task
def send_due() -> int:
    return services.send_due(timezone.now())


@task
def settle_due() -> int:
    return services.settle_due(timezone.now())


@task
def expire_approvals() -> int:
    return services.expire_approvals(timezone.now())


@task
def sync() -> int:
    return services.sync(timezone.now()).found.total()


@task
def sweep() -> int:
    return findings.sweep(timezone.now())


@task
def run_bulk() -> int:
    return services.run_bulk_due(timezone.now())


@task
def seal() -> int:
    """Until nothing waits for a seal, or the worker is told to stop."""
    seals = 0
    while not passes.stopping.is_set() and ledger.seal_due(timezone.now()):
        seals += 1
    return seals


@task
def hand_to_witnesses() -> int:
    return services.hand_to_witnesses(timezone.now())


@task
def run_exports() -> int:
    """Delete the files whose time is over, and make the exports that wait."""
    now = timezone.now()
    expired = exports.expire_exports(now)
    return expired + exports.make_exports(now, rows_of=lambda export: export_rows.rows_of(export, now=now))


@task
def verify() -> int:
    """What was asked for, and the ledger once a day."""
    return ledger.verify_due(timezone.now())


@task
def forget_readings() -> int:
    return ledger.forget_readings(timezone.now())


# In the order in which one step makes the next one due.
EVERY_TICK = (
    beat,
    send_due,
    settle_due,
    expire_approvals,
    run_bulk,
    sync,
    sweep,
    seal,
    hand_to_witnesses,
    run_exports,
    verify,
    forget_readings,
)
