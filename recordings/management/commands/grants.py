"""manage.py grants: let the site run as a database role that cannot take its own guards down."""

import re
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection, transaction

from recordings.models import grants

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")


class Command(BaseCommand):
    help = (
        "Print the PostgreSQL statements that let a role run the site without being able to change what was written "
        "once; with --apply run them. Run it as the owner of the tables, after each migrate."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--role", default="onrecord", metavar="NAME", help="the site's role (default onrecord)")
        parser.add_argument("--apply", action="store_true", help="run the statements, all of them or none")

    def handle(self, *args: Any, role: str, apply: bool, **options: Any) -> None:
        if connection.vendor != "postgresql":
            self.stdout.write("SQLite has no roles: whoever may write the file may change it, so nothing was changed.")
            return
        if not _NAME.fullmatch(role):
            raise CommandError(f"{role!r} is not a name: letters, digits, _ and -, at most 63. Nothing was changed.")
        lines = list(grants.statements(connection, role))
        if not apply:
            self.stdout.write("\n".join(f"{line};" for line in ("BEGIN", *lines, "COMMIT")))
            return
        _apply(lines, role)
        self.stdout.write(f"{role} may run the site: {len(lines)} statements were run.")
        self.stdout.write("It can read and add what is kept for ever, and change or delete none of it.")


def _apply(lines: list[str], role: str) -> None:
    if not grants.is_role(connection, role):
        raise CommandError(f"There is no role {role}. CREATE ROLE makes one, see docs/deploy.md. Nothing was changed.")
    if not grants.owned(connection):  # PostgreSQL only warns of a grant that grants nothing
        raise CommandError("Run it as the owner of the tables, as `migrate` runs. Nothing was changed.")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for line in lines:
                cursor.execute(line)
            _refuse_what_does_not_bind(role)
    except DatabaseError as problem:
        raise CommandError(f"The database refused: {str(problem).strip()}. Nothing was changed.") from problem


def _refuse_what_does_not_bind(role: str) -> None:
    """Grants mean nothing to an owner, a superuser, or who has the rights from another role."""
    if grants.owned(connection, role):
        why = "owns the tables, may act as their owner, or is a superuser: no grant binds it"
    elif grants.changeable(connection, role):
        why = "has more rights through another role"
    else:
        return
    raise CommandError(f"{role} {why}. Give the site a role of its own, see docs/deploy.md. Nothing was changed.")
