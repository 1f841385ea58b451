"""manage.py grants, where the database has no roles; tests/test_site_role.py has the rest."""

import pytest
from django.db import connection

from recordings.models import grants
from tests.commands.running import run

pytestmark = pytest.mark.django_db


def test_it_says_of_sqlite_that_it_has_no_roles() -> None:
    done = run("grants", "--role", "onrecord", "--apply") if connection.vendor == "sqlite" else run("grants")
    expected = "SQLite has no roles" if connection.vendor == "sqlite" else "BEGIN;"
    assert (done.code, done.out.startswith(expected)) == (0, True)


def test_whoever_is_connected_owns_the_tables_where_there_are_owners() -> None:
    assert bool(grants.owned(connection)) == (connection.vendor == "postgresql")
