"""What the operator sees of an alarm: one line with its code and place, and an exit code for whoever called."""

import io
import os
import subprocess
import sys
from datetime import datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from recordings.choices import Alarm
from recordings.models import append_only
from tests.ledger.attacked import attacked, fill
from tests.owning import change, entry_at, switch_triggers_off
from tests.processes import PRODUCTION, ROOT, database_url

__all__ = ["attacked"]

INDEX = 300


def printed() -> tuple[list[str], CommandError | None]:
    """The lines of a run, and what it ended with."""
    out = io.StringIO()
    try:
        call_command("verify", stdout=out)
    except CommandError as ended:
        return out.getvalue().splitlines(), ended
    return out.getvalue().splitlines(), None


def of_alarms(lines: list[str]) -> list[str]:
    """Those that begin with the code of an alarm, with or without a place."""
    return [line for line in lines if line.partition(" ")[0].rstrip(":") in Alarm.values]


@pytest.mark.django_db
@pytest.mark.usefixtures("attacked")
def test_a_changed_byte_is_one_line_with_its_place_and_the_run_fails() -> None:
    entry = entry_at(INDEX)
    change(entry, body=entry.body.replace("page=", "pagf="))

    lines, ended = printed()

    (alarm,) = of_alarms(lines)
    assert alarm.startswith(f"bodyChanged at {INDEX}: Entry {INDEX} ({entry.pk})")
    assert ended
    assert ended.returncode == 1
    assert str(ended).startswith("1 alarm. Nothing was changed by verifying.")
    assert not any("Nothing was altered" in line for line in lines)


@pytest.mark.django_db
@pytest.mark.usefixtures("attacked")
def test_many_alarms_are_many_lines_and_their_number_is_said() -> None:
    for index in (INDEX, INDEX + 1):
        entry = entry_at(index)
        change(entry, body=entry.body.replace("page=", "pagf="))

    lines, ended = printed()

    assert [line.partition(":")[0] for line in of_alarms(lines)] == [
        f"bodyChanged at {INDEX}",
        f"bodyChanged at {INDEX + 1}",
    ]
    assert str(ended).startswith("2 alarms. ")


@pytest.mark.django_db
@pytest.mark.usefixtures("attacked")
def test_without_an_alarm_there_is_no_line_of_one_and_the_run_succeeds() -> None:
    lines, ended = printed()

    assert (of_alarms(lines), ended) == ([], None)
    assert any(line.startswith("Nothing was altered since it was sealed") for line in lines)


@pytest.mark.django_db(transaction=True)
def test_a_script_has_the_exit_code_and_both_streams(now: datetime) -> None:
    with transaction.atomic():
        fill(now)
    switch_triggers_off()
    entry = entry_at(INDEX)
    change(entry, body=entry.body.replace("page=", "pagf="))
    append_only.install(connection)  # where they are away nothing starts

    known = {**os.environ, **PRODUCTION, "ENV_FILE": os.devnull, "DATABASE_URL": database_url()}
    command = [sys.executable, "manage.py", "verify"]
    done = subprocess.run(command, cwd=ROOT, env=known, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert f"bodyChanged at {INDEX}: Entry {INDEX} ({entry.pk})" in done.stdout
    assert "1 alarm. Nothing was changed by verifying." in done.stderr
