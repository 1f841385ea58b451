"""A setting that is another one than last time leaves its name in the ledger, and its value nowhere."""

import json
import os
import subprocess
import sys
import threading
from datetime import datetime

import pytest
from django.conf import settings as now_in_force
from django.db import connection
from pytest_django import Settings

from recordings import ledger, services
from recordings.models import LedgerEntry, SettingsNote
from tests.processes import PRODUCTION, ROOT, database_url

pytestmark = pytest.mark.django_db(transaction=True)


def changes() -> list[tuple[str, str]]:
    """Of which process, and the names."""
    entries = LedgerEntry.objects.filter(action="settings.changed").order_by("id")
    return [(str(ledger.body_of(entry)["process"]), str(ledger.body_of(entry)["changed"])) for entry in entries]


def test_the_first_start_names_every_setting_and_the_release(now: datetime) -> None:
    named = services.note_settings("worker", now)
    assert set(named) >= {"version", "REQUIRE_APPROVAL", "GRAPH_TENANT_ID", "SECRET_KEY", "DATABASE_URL"}
    assert {*named} <= {*now_in_force.FROM_ENVIRONMENT, "version"}
    assert changes() == [("worker", " ".join(sorted(named)))]


def test_a_second_start_with_the_same_settings_says_nothing(now: datetime) -> None:
    services.note_settings("worker", now)
    assert services.note_settings("worker", now) == []
    assert len(changes()) == 1


def test_what_differs_is_named_and_what_is_secret_is_named_only(now: datetime, settings: Settings) -> None:
    services.note_settings("worker", now)
    settings.REQUIRE_APPROVAL, settings.GRAPH_CLIENT_SECRET = "always", "hunter2-hunter2"
    assert services.note_settings("worker", now) == ["GRAPH_CLIENT_SECRET", "REQUIRE_APPROVAL"]

    settings.GRAPH_CLIENT_SECRET = "hunter3-hunter3"
    assert services.note_settings("worker", now) == ["GRAPH_CLIENT_SECRET"]
    kept = json.dumps(list(SettingsNote.objects.values())) + "".join(LedgerEntry.objects.values_list("body", flat=True))
    assert "hunter" not in kept
    assert str(now_in_force.SECRET_KEY) not in kept


def test_site_and_worker_are_compared_each_with_itself(now: datetime, settings: Settings) -> None:
    services.note_settings("worker", now)
    settings.REQUIRE_APPROVAL = "always"
    services.note_settings("site", now)
    settings.REQUIRE_APPROVAL = "unproven"
    assert services.note_settings("worker", now) == []


def test_a_new_release_counts(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    services.note_settings("worker", now)
    monkeypatch.setattr("recordings.services.starting.__version__", "99.0.0")
    assert services.note_settings("worker", now) == ["version"]


def test_processes_that_start_at_once_record_a_change_once(now: datetime, settings: Settings) -> None:
    services.note_settings("worker", now)
    settings.REQUIRE_APPROVAL = "always"
    together = threading.Barrier(3)

    def start() -> None:
        try:
            together.wait()
            services.note_settings("worker", now)
        finally:
            connection.close()

    starts = [threading.Thread(target=start) for _ in range(3)]
    for each in starts:
        each.start()
    for each in starts:
        each.join()
    assert changes()[1:] == [("worker", "REQUIRE_APPROVAL")]


def _start(*command: str, **more: str) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    env = {**kept, "ENV_FILE": os.devnull, **PRODUCTION, "DATABASE_URL": database_url(), **more}
    subprocess.run([sys.executable, *command], cwd=ROOT, env=env, check=True, timeout=60, capture_output=True)


def test_the_site_the_worker_and_who_sends_from_the_shell_say_it_at_their_start() -> None:
    for process, command in (
        ("site", ("-c", "import dashboard.wsgi")),
        ("worker", ("manage.py", "work", "--once")),
        ("shell", ("manage.py", "reconcile", "--once")),
    ):
        _start(*command)
        _start(*command, REQUIRE_APPROVAL="always")
        assert changes()[-1] == (process, "REQUIRE_APPROVAL")
