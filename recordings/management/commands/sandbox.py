"""manage.py sandbox: the stand-in for Microsoft, for development."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from sandbox.defaults import DIRECTORY, PORT


class Command(BaseCommand):
    help = "Run the stand-in for Microsoft: sign-in, calls API, notifications and faults. See sandbox/README.md."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=PORT)
        parser.add_argument("--directory", default=DIRECTORY, help="where ca.pem is written")
        parser.add_argument("--http", action="store_true", help="plain HTTP instead of TLS")
        parser.add_argument("--callback-url", help="where notifications are posted")
        parser.add_argument("--list-operations", action="store_true", help="serve the unproven list of operations")

    def handle(self, *args: Any, **chosen: Any) -> None:
        """Become `python -m sandbox`, so that it is one process and knows nothing of the product."""
        words = ["--port", str(chosen["port"]), "--directory", chosen["directory"]]
        words += ["--callback-url", chosen["callback_url"]] if chosen["callback_url"] else []
        words += [f"--{name.replace('_', '-')}" for name in ("http", "list_operations") if chosen[name]]
        self.stdout.flush()
        os.chdir(settings.BASE_DIR)
        os.execv(sys.executable, [sys.executable, "-m", "sandbox", *words])  # noqa: S606  our own program
