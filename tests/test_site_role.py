"""The site's own role on PostgreSQL, attacking the history with everything Django and SQL offer."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, models, transaction

from recordings import findings, ledger, services
from recordings.choices import LedgerAction, OperationStatus, RootCause
from recordings.models import Actor, Finding, LedgerEntry, append_only, grants
from recordings.services import Requester
from sandbox.server import Sandbox
from tests import cast, ledgers
from tests.commands.running import run

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

# Several test processes share one server, and roles belong to the server.
SITE = f"site_{os.getpid()}"
DENIED = r"permission denied|must be owner"
MODELS = {model._meta.db_table: model for model in apps.get_models() if model._meta.db_table in append_only.TABLES}


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def role() -> str:
    """A role that goes with the test's transaction."""
    _execute(f"CREATE ROLE {SITE} NOLOGIN")
    return SITE


@pytest.fixture
def site(role: str) -> Iterator[str]:
    """From here on the test is the site."""
    run("grants", "--role", role, "--apply")
    _execute(f"SET LOCAL ROLE {role}")
    yield role
    _execute("RESET ROLE")


def _column(table: str) -> str:
    return str(MODELS[table]._meta.concrete_fields[-1].column)


def _update(table: str) -> object:
    name = MODELS[table]._meta.concrete_fields[-1].attname
    return MODELS[table]._base_manager.update(**{name: models.F(name)})


def _bulk_update(table: str) -> object:
    field = MODELS[table]._meta.concrete_fields[-1]
    key = LedgerEntry().pk if isinstance(MODELS[table]._meta.pk, models.UUIDField) else 1
    return MODELS[table]._base_manager.bulk_update([MODELS[table](pk=key)], [field.name])


def _bulk_create_over(table: str) -> object:
    assert MODELS[table]._meta.pk is not None
    return MODELS[table]._base_manager.bulk_create(
        [MODELS[table]()],
        update_conflicts=True,
        unique_fields=[MODELS[table]._meta.pk.name],
        update_fields=[MODELS[table]._meta.concrete_fields[-1].name],
    )


DEEDS: dict[str, Callable[[str], object]] = {
    "update": _update,
    "bulk_update": _bulk_update,
    "bulk_create over a row": _bulk_create_over,
    "delete": lambda table: MODELS[table]._base_manager.all()._raw_delete("default"),
    "UPDATE": lambda table: _execute(f"UPDATE {table} SET {_column(table)} = {_column(table)}"),
    "DELETE": lambda table: _execute(f"DELETE FROM {table}"),
    "DELETE, answering rows": lambda table: _execute(
        f"WITH gone AS (DELETE FROM {table} RETURNING 1) SELECT * FROM gone"
    ),
    "MERGE": lambda table: _execute(f"MERGE INTO {table} USING (SELECT 1) AS one ON true WHEN MATCHED THEN DELETE"),
    "TRUNCATE": lambda table: _execute(f"TRUNCATE {table} CASCADE"),
    "DROP TRIGGER": lambda table: _execute(f'DROP TRIGGER "{table}_keep_rows" ON {table}'),
    "DISABLE TRIGGER": lambda table: _execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL"),
    "CREATE TRIGGER": lambda table: _execute(
        f"CREATE TRIGGER mine BEFORE INSERT ON {table} EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    ),
    "CREATE RULE": lambda table: _execute(f"CREATE RULE mine AS ON INSERT TO {table} DO INSTEAD NOTHING"),
    "ALTER TABLE": lambda table: _execute(f"ALTER TABLE {table} DROP COLUMN {_column(table)}"),
    "ALTER OWNER": lambda table: _execute(f"ALTER TABLE {table} OWNER TO {SITE}"),
    "DROP TABLE": lambda table: _execute(f"DROP TABLE {table} CASCADE"),
}


@pytest.mark.parametrize("table", append_only.TABLES)
@pytest.mark.parametrize("deed", DEEDS)
def test_the_site_can_change_nothing_that_was_written_once(site: str, table: str, deed: str) -> None:
    with pytest.raises(DatabaseError, match=DENIED), transaction.atomic():
        DEEDS[deed](table)


GUARDS = {
    "as a replica": "SET LOCAL session_replication_role = replica",
    "another guard": "CREATE OR REPLACE FUNCTION onrecord_append_only() RETURNS trigger LANGUAGE plpgsql"
    " AS $$ BEGIN RETURN NEW; END $$",
    "no guard": "DROP FUNCTION onrecord_append_only() CASCADE",
    "a grant to itself": f"GRANT ALL ON recordings_ledgerentry TO {SITE}",
    "a table of its own": "CREATE TABLE recordings_mine (id int)",
    "a person": "DELETE FROM auth_user",
    "another role": "CREATE ROLE helper_of_the_site SUPERUSER",
}


@pytest.mark.parametrize("name", GUARDS)
def test_nor_can_it_take_the_guards_down(site: str, name: str) -> None:
    if name == "a grant to itself":  # PostgreSQL only warns there, and grants nothing
        _execute(f"GRANT SELECT ON recordings_ledgerentry TO {SITE}")
        assert grants.changeable(connection, site) == []
        return
    with pytest.raises(DatabaseError, match=DENIED), transaction.atomic():
        _execute(GUARDS[name])


def test_it_still_writes_down_every_step(site: str, now: datetime) -> None:
    entry = ledger.record(LedgerAction.SIGN_IN, actor=Actor.objects.job("site"), now=now)
    assert LedgerEntry.objects.get() == entry


def test_a_correction_and_an_attestation_leave_all_their_rows_as_that_role(
    sandbox: Sandbox, mira: User, role: str, now: datetime
) -> None:
    sandbox.add_call(call_id="call-1")
    before = {table: model._base_manager.count() for table, model in MODELS.items()}
    run("grants", "--role", role, "--apply")
    _execute(f"SET LOCAL ROLE {role}")
    by = Requester.at_screen(mira)

    call = cast.call(at=now, capture="stopped", told="recording")
    cast.heartbeat(at=now, capture="stopped")
    wish = services.request_correction(call, wish="notRecording", reason="it stopped", by=by, now=now)
    assert services.send_operation(wish.pk, clock=lambda: now).status == OperationStatus.COMPLETED
    over = cast.call("call-2", at=now, capture="stopped", told="recording", ended_at=now)
    findings.sweep(now + timedelta(minutes=5))
    finding = Finding.objects.open().filter(call=over).latest("pk")
    words = {"reason": "seen in its log", "root_cause": RootCause.NETWORK, "evidence": ""}
    services.attest(finding, by=by, file=("log.txt", b"stopped"), now=now + timedelta(minutes=5), **words)

    grown = {table for table, model in MODELS.items() if model._base_manager.count() > before[table]}
    assert grown >= {
        "recordings_ledgerentry",
        "recordings_statuschange",
        "recordings_attempt",
        "recordings_attemptresult",
        "recordings_evidencefile",
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (role,)
    _execute("RESET ROLE")


# -- the command


def test_without_apply_it_prints_what_it_would_run(role: str) -> None:
    printed = run("grants", "--role", role).out
    assert printed.startswith("BEGIN;\n")
    assert printed.endswith("COMMIT;\n")
    assert grants.changeable(connection, role) == []

    _execute(printed.removeprefix("BEGIN;\n").removesuffix("COMMIT;\n"))
    _execute(f"SET LOCAL ROLE {role}")
    assert LedgerEntry.objects.count() == 0


def test_rights_that_were_given_before_are_taken_back(role: str) -> None:
    _execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
    _execute("GRANT DELETE ON recordings_ledgerentry TO PUBLIC")
    run("grants", "--role", role, "--apply")
    assert grants.changeable(connection, role) == []


def test_a_role_with_rights_from_elsewhere_is_refused_and_nothing_was_changed(role: str) -> None:
    _execute(f"CREATE ROLE other_{SITE} NOLOGIN; GRANT DELETE ON recordings_seal TO other_{SITE}")
    _execute(f"GRANT other_{SITE} TO {role}")
    with pytest.raises(CommandError, match=r"has more rights through another role.*Nothing was changed"):
        run("grants", "--role", role, "--apply")
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, 'recordings_call', 'SELECT')", [role])
        assert cursor.fetchone() == (False,)


def test_the_owner_is_no_role_for_the_site() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (owner,) = cursor.fetchone()
    with pytest.raises(CommandError, match="no grant binds it"):
        run("grants", "--role", owner, "--apply")


def test_a_role_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandError, match=r"There is no role nobody_here.*Nothing was changed"):
        run("grants", "--role", "nobody_here", "--apply")
    with pytest.raises(CommandError, match="is not a name"):
        run("grants", "--role", "a; DROP TABLE x", "--apply")


def test_the_site_cannot_give_itself_the_rights(site: str) -> None:
    with pytest.raises(CommandError, match="Nothing was changed"):
        run("grants", "--role", site, "--apply")


def test_the_worker_seals_and_verifies_as_that_role(site: str) -> None:
    now = datetime.now(UTC)  # as the keys of entries bear it
    assert ledgers.sealed(300, at=now).size == 300
    _, report = ledger.verify_now(Actor.objects.job("site"), clock=lambda: now)
    assert (report.checked, list(report.alarms)) == (300, [])
