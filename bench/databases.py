"""A fresh, migrated database on the PostgreSQL that DATABASE_URL names; gone afterwards."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection


@contextmanager
def fresh_database(name: str) -> Iterator[None]:
    """Everything inside works on the database `name`, which must not exist yet."""
    if connection.vendor != "postgresql":
        sys.exit("This measures PostgreSQL. Run it as `make bench` does.")
    before = connection.settings_dict["NAME"]
    _execute(f'CREATE DATABASE "{name}"')
    _use(name)
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        _use(before)
        _execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _use(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
