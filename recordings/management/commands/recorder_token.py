"""manage.py recorder_token: let a recorder bot speak to us, or stop it."""

import re
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from recordings import services
from recordings.models import Actor, Recorder

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TENANT = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Command(BaseCommand):
    help = "Make a recorder and its bearer token, which is shown this once and stored only as a hash."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the recorder's name, for example rec-01")
        parser.add_argument("--tenant", action="append", default=[], help="a tenant it speaks for; may be given often")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--rotate", action="store_true", help="a new token in place of the old one")
        what.add_argument("--disable", action="store_true", help="switch the recorder off")

    def handle(self, *args: Any, name: str, tenant: list[str], rotate: bool, disable: bool, **options: Any) -> None:
        actor, now = Actor.objects.shell(), timezone.now()
        _check(name, tenant)
        if disable:
            services.disable_recorder(_known(name), actor=actor, now=now)
            self.stdout.write(f"Recorder {name} is switched off.")
        elif rotate:
            self._show(services.rotate_token(_known(name), tenants=tenant, actor=actor, now=now))
        else:
            if Recorder.objects.filter(name=name).exists():
                raise CommandError(
                    f"There is a recorder {name} already. Use --rotate for a new token. Nothing was changed."
                )
            if not tenant:
                raise CommandError("Say with --tenant which tenant the recorder speaks for. Nothing was changed.")
            self._show(services.issue_token(name, tenants=tenant, actor=actor, now=now))

    @sensitive_variables("token")
    def _show(self, token: str) -> None:
        self.stderr.write("This token is shown once. Put it into the recorder's configuration:")
        self.stdout.write(token)


def _known(name: str) -> Recorder:
    recorder = Recorder.objects.filter(name=name).first()
    if recorder is None:
        raise CommandError(f"There is no recorder {name}. Nothing was changed.")
    return recorder


def _check(name: str, tenants: list[str]) -> None:
    if not _NAME.fullmatch(name):
        raise CommandError(f"{name!r} is not a name: letters, digits, _ and -, at most 64. Nothing was changed.")
    wrong = next((tenant for tenant in tenants if not _TENANT.fullmatch(tenant)), None)
    if wrong is not None:
        raise CommandError(f"{wrong!r} is not a tenant id. Nothing was changed.")
