"""manage.py reconcile --once: do now what the worker would do."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from recordings import findings, services
from recordings.startup import refuse_on_errors

MOST_ROUNDS = 100


class Command(BaseCommand):
    help = (
        "Send what is due, settle what is unknown, expire what nobody approved, ask for silent calls, sweep; until "
        "nothing is due any more."
    )
    requires_system_checks = []  # all of them are run below, and no option leaves them out

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="required: what runs on is `manage.py work`")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        if not once:
            raise CommandError("Say --once. What runs on and on is `manage.py work`. Nothing was done.")
        refuse_on_errors()
        services.note_settings("shell", timezone.now())
        done = dict.fromkeys(("sent", "settled", "expired", "bulk", "asked", "swept"), 0)
        for _ in range(MOST_ROUNDS):
            round_done = _round()
            done = {name: done[name] + round_done[name] for name in done}
            if not any(round_done.values()):
                break
        self.stdout.write(
            f"Looked at {done['sent']} corrections to send and {done['settled']} to settle, let {done['expired']} "
            f"approvals expire, worked off {done['bulk']} items of bulk jobs, asked for {done['asked']} silent calls, "
            f"swept {done['swept']} calls."
        )


def _round() -> dict[str, int]:
    return {
        "sent": services.send_due(timezone.now()),
        "settled": services.settle_due(timezone.now()),
        "expired": services.expire_approvals(timezone.now()),
        "bulk": services.run_bulk_due(timezone.now()),
        "asked": services.sync(timezone.now()).found.total(),
        "swept": findings.sweep(timezone.now()),
    }
