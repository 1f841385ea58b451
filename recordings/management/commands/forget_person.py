"""manage.py forget_person: erase a name, and leave everything else as it is."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from recordings import services
from recordings.models import Actor
from recordings.services import Forgotten, NotForgotten


class Command(BaseCommand):
    help = "Erase the name of a person. Without --apply it only says what it would do. Ids, reasons and deeds stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--user", metavar="USERNAME", help="somebody with an account, which must be disabled")
        who.add_argument("--called", metavar="ID_OR_NAME", help="somebody on calls: Entra id, or the whole name")
        parser.add_argument("--apply", action="store_true", help="erase; this cannot be taken back")

    def handle(self, *args: Any, user: str | None, called: str | None, apply: bool, **options: Any) -> None:
        try:
            found = _forget(user, called) if apply else _would_forget(user, called)
        except NotForgotten as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write("\n".join(_said(found, is_done=apply)))


def _would_forget(user: str | None, called: str | None) -> Forgotten:
    return services.would_forget_user(user) if user else services.would_forget_called(called or "")


def _forget(user: str | None, called: str | None) -> Forgotten:
    by, now = Actor.objects.shell(), timezone.now()
    if user:
        return services.forget_user(user, by=by, now=now)
    return services.forget_called(called or "", by=by, now=now)


def _said(found: Forgotten, *, is_done: bool) -> Iterator[str]:
    if found.is_again:
        yield "Nothing names this person, so no name is erased: it was erased before, or is spelled in another way."
    yield "Erased:" if is_done else "This would erase:"
    yield from (f"  {count} {what}" for what, count in found.rows.items())
    yield f"  {found.files} files of exports, since they may hold the name"
    if found.exports_under_way:
        yield f"{found.exports_under_way} exports were under way. Those asked for with the name end, others begin anew."
    if found.live_calls:
        yield f"{found.live_calls} of the calls are not over. If Microsoft names the person again, run this again."
    yield "Reasons, evidence and backups are not looked through, and exports that left are out of reach."
    if not is_done:
        yield "Nothing was changed. Say --apply to do it; it cannot be taken back."
