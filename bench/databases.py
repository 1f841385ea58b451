"""Fresh, migrated databases on the PostgreSQL that DATABASE_URL names; gone afterwards."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection


@contextmanager
def fresh_database(name: str) -> Iterator[None]:
    """Everything inside works on the database `name`, which must not exist yet, until another one is used."""
    if connection.vendor != "postgresql":
        sys.exit("This measures PostgreSQL. Run it as `make bench` does.")
    before = connection.settings_dict["NAME"]
    _execute(f'CREATE DATABASE "{name}"')
    use(name)
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        use(before)
        _execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def use(name: str) -> None:
    """Work on the database `name` from here on, with a connection that is already open."""
    connection.close()
    connection.settings_dict["NAME"] = name
    connection.ensure_connection()


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
