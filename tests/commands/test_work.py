"""manage.py work: the worker, as a real process."""

import signal
import time
from datetime import timedelta

import pytest
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from recordings.models import Finding
from sandbox.server import Sandbox
from tests import cast
from tests.commands.running import run
from tests.processes import environment, manage

pytestmark = pytest.mark.django_db(transaction=True)


def ended_too_long_ago(graph_id: str) -> None:
    ago = timezone.now() - timedelta(minutes=5)
    cast.call(graph_id, at=ago, told="recording", ended_at=ago)


def finding_appears(graph_id: str, seconds: float = 30) -> bool:
    until = time.monotonic() + seconds
    while not (found := Finding.objects.filter(call__graph_id=graph_id).exists()) and time.monotonic() < until:
        time.sleep(0.1)
    return found


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT], ids=lambda ending: ending.name)
def test_it_works_round_after_round_and_ends_cleanly_when_told(sandbox: Sandbox, ending: signal.Signals) -> None:
    ended_too_long_ago("call-1")
    worker = manage("work", "--every", "1", env=environment(sandbox))
    try:
        assert finding_appears("call-1")
        ended_too_long_ago("call-2")
        assert finding_appears("call-2")
        worker.send_signal(ending)
        assert worker.wait(30) == 0
    finally:
        worker.kill()
        worker.communicate()


def test_once_is_one_round(sandbox: Sandbox) -> None:
    ended_too_long_ago("call-1")
    run("work", "--once")
    assert Finding.objects.filter(call__graph_id="call-1", rule="R7").exists()


def test_a_failing_task_is_logged_and_the_others_go_on(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    ended_too_long_ago("call-1")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE recordings_operation RENAME TO put_away")
    try:
        with pytest.raises(CommandError, match=r"Failed: .*send_due.*still due"):
            run("work", "--once")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE put_away RENAME TO recordings_operation")
    assert "recordings.tasks.send_due" in caplog.text
    run("work", "--once")
    assert Finding.objects.filter(call__graph_id="call-1", rule="R7").exists()
