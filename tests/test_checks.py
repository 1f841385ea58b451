"""What stops a start, and what does not. Each id fires for its own reason and is silent otherwise."""

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from recordings import checks
from tests.processes import PRODUCTION

ROOT = Path(checks.__file__).parent.parent


@pytest.fixture
def production(settings: Settings) -> Settings:
    """As a real site is set."""
    settings.DEBUG = settings.ALLOW_STAND_IN = False
    settings.SECRET_KEY, settings.ALLOWED_HOSTS = PRODUCTION["SECRET_KEY"], ["onrecord.contoso.example"]
    for name, value in PRODUCTION.items():
        if name.startswith("GRAPH_"):
            setattr(settings, name, value)
    settings.LEDGER_WITNESSES = [PRODUCTION["LEDGER_WITNESSES"]]
    return settings


def ids(found: list[CheckMessage]) -> list[str]:
    return [str(message.id) for message in found if str(message.id).startswith("onrecord.")]


def every() -> list[str]:
    """What Django itself finds with our checks registered, the database aside."""
    return ids(run_checks(tags=["onrecord"]))


def test_a_real_site_passes(production: Settings) -> None:
    assert every() == []


REASONS: list[tuple[str, dict[str, Any]]] = [
    ("E001", {"SECRET_KEY": ""}),
    ("E002", {"ALLOWED_HOSTS": []}),
    ("E003", {"GRAPH_TENANT_ID": ""}),
    ("E003", {"GRAPH_CLIENT_ID": ""}),
    ("E004", {"GRAPH_BASE_URL": "https://localhost:8443/v1.0"}),
    ("E004", {"GRAPH_AUTHORITY": "https://login.microsoftonline.com.evil.example/tenant"}),
    ("E005", {"GRAPH_CLOUD": "moon"}),
    ("E005", {"GRAPH_TENANT_ID": "common"}),
    ("E005", {"GRAPH_TIMEOUT": "soon"}),
    ("E005", {"GRAPH_MAX_ATTEMPTS": 99}),
    ("E005", {"GRAPH_MAX_ATTEMPTS": 0}),
    ("E005", {"GRAPH_DEADLINE": 0.0}),
    ("E005", {"GRAPH_TIMEOUT": "5"}),
    ("E005", {"GRAPH_RATE": 0.0}),
    ("E005", {"GRAPH_BURST": 9}),
    ("E005", {"BULK_WIDTH": 0}),
    ("E005", {"BULK_WIDTH": 129}),
    ("E005", {"GRAPH_BASE_URL": "https://graph.microsoft.com/v1.0?a=b"}),
    ("E006", {"GRAPH_CLOUD": "gcc-high"}),
    ("E006", {"GRAPH_CLOUD": "dod", "CALLBACK_ISSUERS": ["https://issuer.example"]}),
    ("E006", {"GRAPH_CLOUD": "dod", "CALLBACK_JWKS_URL": "https://keys.example"}),
    ("E007", {"REQUIRE_APPROVAL": "sometimes"}),
    ("E008", {"SETTLE_GRACE": 29.9, "GRAPH_DEADLINE": 15.0}),
    ("E011", {"TASKS_ENGINE": "celery"}),
    ("E012", {"STUCK_AFTER_END": -1.0}),
    ("E012", {"STUCK_FLAPPING_CHANGES": 0}),
    ("E012", {"REOPEN_WITHIN": -0.5}),
    ("E013", {"SYNC_AFTER": 0.0}),
    ("E013", {"SYNC_CALLS": 0}),
    ("E013", {"WATCH_URL": "onrecord.contoso.example/readyz"}),
    ("E013", {"WATCH_URL": "https://name:password@onrecord.contoso.example/readyz"}),
    ("E014", {"LEDGER_ORIGIN": "on record/ledger"}),
    ("E014", {"LEDGER_ORIGIN": "onrecord+ledger"}),
    ("E014", {"LEDGER_SEAL_SECONDS": 0.0}),
    ("E014", {"LEDGER_VERIFY_SECONDS": 1.0}),
    ("E015", {"LEDGER_WITNESSES": ["/mnt/worm"]}),
    ("E015", {"LEDGER_WITNESSES": ["file://worm.contoso.example"]}),
    ("E015", {"LEDGER_WITNESSES": ["http://witness.contoso.example/"]}),
    ("E015", {"LEDGER_WITNESSES": ["https://name:password@witness.contoso.example/"]}),
    ("E015", {"LEDGER_WITNESSES": ["https://witness.contoso.example:port/"]}),
    ("E015", {"LEDGER_WITNESSES": ["https://witness.contoso.example/?a", "https://witness.contoso.example/?b"]}),
    ("E016", {"EXPORT_KEPT_SECONDS": 59.0}),
]


@pytest.mark.parametrize(("expected", "changed"), REASONS)
def test_a_setting_that_breaks_an_invariant_stops_the_start(
    production: Settings, expected: str, changed: dict[str, Any]
) -> None:
    for name, value in changed.items():
        setattr(production, name, value)

    assert every() == [f"onrecord.{expected}"]


ALL_RIGHT: list[dict[str, Any]] = [
    {"GRAPH_BASE_URL": "https://localhost:8443/v1.0", "ALLOW_STAND_IN": True},
    {"GRAPH_BASE_URL": "https://graph.microsoft.us/v1.0"},
    {"GRAPH_AUTHORITY": "https://login.microsoftonline.com/tenant"},
    {
        "GRAPH_CLOUD": "gcc-high",
        "CALLBACK_ISSUERS": ["https://issuer.example"],
        "CALLBACK_JWKS_URL": "https://keys.example",
    },
    {"REQUIRE_APPROVAL": "always"},
    {"REQUIRE_APPROVAL": "recording"},
    {"WATCH_URL": "https://onrecord.contoso.example/readyz"},
    {"LEDGER_WITNESSES": ["file:///mnt/worm", "https://witness.contoso.example/checkpoints"]},
    {"SETTLE_GRACE": 30.0, "GRAPH_DEADLINE": 15.0},
]


@pytest.mark.parametrize("changed", ALL_RIGHT)
def test_a_setting_that_is_in_order_does_not(production: Settings, changed: dict[str, Any]) -> None:
    for name, value in changed.items():
        setattr(production, name, value)

    assert every() == []


@pytest.mark.parametrize("witnesses", [[], ["file:///mnt/worm", "http://localhost:8080/", "https://[::1]/"]])
def test_production_warns_without_a_witness_off_this_machine(production: Settings, witnesses: list[str]) -> None:
    production.LEDGER_WITNESSES = witnesses

    assert every() == ["onrecord.W002"]


def test_what_is_wrong_with_a_witness_is_said_without_its_password(production: Settings) -> None:
    production.LEDGER_WITNESSES = ["https://name:pa55word@witness.contoso.example/"]

    found = [message for message in run_checks(tags=["onrecord"]) if message.id == "onrecord.E015"]

    assert "Number 1 holds a name" in found[0].msg
    assert "pa55word" not in str(found)


def test_the_distributed_engine_needs_postgresql(production: Settings) -> None:
    production.TASKS_ENGINE = "distributed"

    assert every() == ([] if connection.vendor == "postgresql" else ["onrecord.E011"])


def test_development_needs_no_settings_at_all(settings: Settings) -> None:
    settings.DEBUG = True
    settings.SECRET_KEY, settings.ALLOWED_HOSTS = "", []
    settings.GRAPH_TENANT_ID = settings.GRAPH_CLIENT_ID = ""
    settings.GRAPH_BASE_URL = "https://localhost:8443/v1.0"

    assert every() == []


# -- the database


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def of_the_database() -> list[str]:
    return ids(checks.durable_database(databases=["default"]))


@pytest.mark.django_db(transaction=True)
def test_a_database_as_we_make_it_passes_and_is_looked_at_only_when_named() -> None:
    assert of_the_database() == []
    owner_warned = ["onrecord.W001"] if connection.vendor == "postgresql" else []
    assert ids(run_checks(tags=["database"], databases=["default"])) == owner_warned
    assert checks.durable_database(databases=None) == []


@pytest.mark.postgresql
@pytest.mark.django_db
def test_whoever_owns_the_tables_is_warned(settings: Settings) -> None:
    (found,) = checks.own_role(databases=["default"])
    assert (found.id, found.is_serious()) == ("onrecord.W001", False)
    assert "recordings_ledgerentry" in found.msg

    settings.DEBUG = True
    assert checks.own_role(databases=["default"]) == []


@pytest.mark.postgresql
@pytest.mark.django_db
def test_the_role_that_the_command_sets_up_is_not_warned() -> None:
    name = f"site_{os.getpid()}"
    _execute(f"CREATE ROLE {name} NOLOGIN")
    call_command("grants", role=name, apply=True, stdout=StringIO())
    _execute(f"SET LOCAL ROLE {name}")

    assert checks.own_role(databases=["default"]) == []


@pytest.mark.django_db(transaction=True)
def test_a_database_that_may_forget_an_intent_stops_the_start() -> None:
    careless, careful = (
        ("PRAGMA synchronous = NORMAL", "PRAGMA synchronous = FULL")
        if connection.vendor == "sqlite"
        else ("SET synchronous_commit = off", "RESET synchronous_commit")
    )
    _execute(careless)
    try:
        assert of_the_database() == ["onrecord.E009"]
    finally:
        _execute(careful)
    assert of_the_database() == []


@pytest.mark.django_db(transaction=True)
def test_a_missing_trigger_stops_the_start() -> None:
    on = " ON recordings_node" if connection.vendor == "postgresql" else ""
    name = "recordings_node_keep_rows" if connection.vendor == "postgresql" else "recordings_node_keep_update"
    _execute(f"DROP TRIGGER {name}{on}")

    (found,) = checks.durable_database(databases=["default"])
    assert (found.id, found.msg) == ("onrecord.E010", f"Triggers are missing, switched off or changed: {name}.")


# -- what they are called


def _own_checks() -> list[Callable[..., object]]:
    return [each for name, each in inspect.getmembers(checks, inspect.isfunction) if not name.startswith("_")]


def test_every_id_is_in_the_docstring_of_its_check_and_proved_here() -> None:
    proved = {expected for expected, _ in REASONS} | {"E009", "E010", "W001", "W002"}
    named = set()
    for check in (each for each in _own_checks() if each.__module__ == checks.__name__):
        given = set(re.findall(r'id="onrecord\.([EW]\d{3})"', inspect.getsource(check)))
        given |= {"E009"} if check is checks.durable_database else set()  # given by a helper of it
        assert given == _expanded((check.__doc__ or "").partition(":")[0]), check.__name__
        named |= given
    assert set(re.findall(r'"onrecord\.([EW]\d{3})"', inspect.getsource(checks))) == named == proved


def _expanded(text: str) -> set[str]:
    """E001-E003 as three ids."""
    found = re.findall(r"([EW])(\d{3})", text)
    return {f"{found[0][0]}{number:03}" for number in range(int(found[0][1]), int(found[-1][1]) + 1)}


# -- as an operator sees it


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-W", "error", "manage.py", *arguments],
        cwd=ROOT,
        env={**kept, "ENV_FILE": os.devnull, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_check_passes_with_production_settings() -> None:
    ran = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)

    assert (ran.returncode, ran.stderr) == (0, "")


def test_check_refuses_production_without_settings_and_says_what_is_missing() -> None:
    ran = manage("check", DEBUG="0", SECRET_KEY="x" * 60)

    assert ran.returncode == 1
    assert "onrecord.E002" in ran.stderr
    assert "Set GRAPH_TENANT_ID and GRAPH_CLIENT_ID to those of the recorder bot's own app." in ran.stderr


def test_an_empty_secret_key_is_said_in_a_sentence_and_not_by_a_traceback() -> None:
    ran = manage("check", **{**PRODUCTION, "SECRET_KEY": ""})

    assert ran.returncode == 1
    assert "onrecord.E001" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_migrate_makes_a_database_that_passes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.sqlite3'}"

    assert manage("migrate", "--verbosity", "0", **PRODUCTION, DATABASE_URL=url).returncode == 0
    ran = manage("check", "--database", "default", **PRODUCTION, DATABASE_URL=url)
    assert (ran.returncode, ran.stderr) == (0, "")
