"""manage.py recompute: after a change of the rules or their graces."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from recordings import findings, passes
from recordings.findings import Recomputed
from recordings.management.stopping import told_to_stop
from recordings.startup import refuse_on_errors


class Command(BaseCommand):
    help = "Find out anew when each call, recorder and tenant is due; run it after a change of a STUCK_ setting."
    requires_system_checks = []  # all of them are run below, and no option leaves them out

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_on_errors()
        done = Recomputed()
        with told_to_stop(passes.stopping) as stopping:
            for done in findings.recompute(timezone.now()):
                self.stderr.write(f"{done.looked_at} calls looked at, {done.moved} moved")
            if stopping.is_set():
                raise CommandError(
                    f"Stopped after {done.looked_at} calls, {done.moved} moved. Run it again for the rest."
                )
        self.stdout.write(f"Looked at {done.looked_at} calls; {done.moved} are due at another time than before.")
