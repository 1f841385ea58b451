"""manage.py seal: seal the ledger now."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from recordings import ledger, passes
from recordings.management.stopping import told_to_stop
from recordings.models import Seal
from recordings.startup import refuse_on_errors


class Command(BaseCommand):
    help = "Seal the entries of the ledger that wait, without waiting for the worker's next round."
    requires_system_checks = []  # all of them are run below, and no option leaves them out

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="one seal at most, however many entries wait")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        refuse_on_errors()
        try:
            self._seal(once=once)
        except (ledger.NoSigningKey, ledger.CannotSeal) as error:
            raise CommandError(str(error)) from error

    def _seal(self, *, once: bool) -> None:
        key, made = ledger.signing_key(), 0
        with told_to_stop(passes.stopping) as stopping:
            while not stopping.is_set() and (seal := ledger.seal(timezone.now(), key=key)):
                made += 1
                self._tell(seal)
                if once:
                    return
        if not made:
            self._tell_nothing()

    def _tell_nothing(self) -> None:
        self.stdout.write("Nothing waits for a seal.")
        if newest := ledger.newest_seal():
            self._tell(newest)

    def _tell(self, seal: Seal) -> None:
        self.stdout.write(f"size {seal.size}\nroot {bytes(seal.root_hash).hex()}\nkey  {seal.key.fingerprint}")
