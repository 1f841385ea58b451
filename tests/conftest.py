"""The cast, the clock, the stand-in, and a test database that keeps its append-only triggers."""

import gc
import importlib
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db import connection, connections
from django.db.models.signals import m2m_changed
from django.test import TransactionTestCase
from pytest_django import Settings

from recordings import receivers
from recordings.models import append_only
from sandbox.server import Sandbox
from tests import cast

# Playwright's sync API runs an event loop in the test's thread, where Django would refuse its ORM.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

NOW = datetime(2026, 11, 18, 14, 32, 8, tzinfo=UTC)

# Everything that is imported stays: looking through it for garbage after each few hundred objects takes its time.
gc.set_threshold(20_000, 20, 50)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of what only PostgreSQL does belong to the run on PostgreSQL, which is part of every `make test`.

    There a file none of whose tests asks for a database is left out: the run on SQLite had it, but for the pages.
    """
    if connection.vendor == "postgresql":
        wanted = {item.path for item in items if asks_for_database(item) or item.path.parent.name == "pages"}
        here = [item for item in items if item.path in wanted]
    else:
        here = [item for item in items if not item.get_closest_marker("postgresql")]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(here)])
    items[:] = dealt(here)


def dealt(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Tests that commit mostly wait, for processes and disks; side by side with the others they cost no time."""
    waiting = sorted(filter(commits, items), key=lambda item: not item.get_closest_marker("longest"))
    busy = [item for item in items if not commits(item)]
    places = [(at / len(each), item) for each in (waiting, busy) for at, item in enumerate(each)]
    return [item for _, item in sorted(places, key=itemgetter(0))]


def commits(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    fixtures = {"transactional_db", "live_server"}
    asked = fixtures.intersection(getattr(item, "fixturenames", ()))
    return bool(asked or (marker and marker.kwargs.get("transaction")))


def asks_for_database(item: pytest.Item) -> bool:
    fixtures = {"db", "transactional_db", "live_server"}
    return bool(item.get_closest_marker("django_db") or fixtures.intersection(getattr(item, "fixturenames", ())))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite tests run on a file, as the product does: threads and processes lock it as they would."""
    database = connections["default"].settings_dict
    if connection.vendor == "sqlite":
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("db") / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def _flush_as_owner() -> Iterator[None]:
    """Tests that commit are cleaned by a flush, which the triggers refuse: the owner lifts them just then."""
    original = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def teardown(self: TransactionTestCase) -> None:
        lift_triggers()
        try:
            original(self)
        finally:
            append_only.install(connection)
            make_roles()

    TransactionTestCase._fixture_teardown = teardown  # type: ignore[attr-defined]
    yield
    TransactionTestCase._fixture_teardown = original  # type: ignore[attr-defined]


def lift_triggers() -> None:
    with connection.cursor() as cursor:
        for table in append_only.TABLES:
            if connection.vendor == "postgresql":
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                cursor.execute(f'DROP TRIGGER IF EXISTS "{table}_keep_rows" ON {table}')
                cursor.execute(f'DROP TRIGGER IF EXISTS "{table}_keep_table" ON {table}')
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP TRIGGER {name}")


def make_roles() -> None:
    """The groups a flush took away, and their rights, made by the migrations that make them.

    A migration has models of its own, so that of its groups nothing is recorded; here it is given ours.
    """
    editor = SimpleNamespace(connection=connection)
    m2m_changed.disconnect(receivers.record_right_change, sender=Group.permissions.through)
    importlib.import_module("recordings.migrations.0002_roles").make_roles(apps, editor)
    importlib.import_module("recordings.migrations.0004_who_handles_findings").let_them_handle(apps, editor)
    m2m_changed.connect(receivers.record_right_change, sender=Group.permissions.through)


@pytest.fixture
def now() -> datetime:
    return NOW


def _person(username: str, role: str | None) -> User:
    user = User.objects.create_user(username, f"{username}@contoso.example", cast.PASSWORD, is_staff=role is not None)
    if role:
        user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def olga(db: None) -> User:
    """The compliance officer."""
    return _person("olga", "Compliance officer")


@pytest.fixture
def mira(db: None) -> User:
    """The recording admin."""
    return _person("mira", "Recording admin")


@pytest.fixture
def tom(db: None) -> User:
    """The approver."""
    return _person("tom", "Approver")


@pytest.fixture
def ada(db: None) -> User:
    """The auditor."""
    return _person("ada", "Auditor")


@pytest.fixture
def sam(db: None) -> User:
    """Signed in, but without any role."""
    return _person("sam", None)


@pytest.fixture(scope="session")
def microsoft(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The stand-in for Microsoft, one a test process, over TLS."""
    directory: Path = tmp_path_factory.mktemp("sandbox")
    with Sandbox(directory=directory) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(microsoft: Sandbox, settings: Settings) -> Iterator[Sandbox]:
    """The stand-in, emptied, with the product connected to it."""
    microsoft.reset()
    for name, value in cast.connected_to(microsoft).items():
        setattr(settings, name, value)
    yield microsoft
    microsoft.release()
