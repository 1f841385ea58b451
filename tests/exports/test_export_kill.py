"""The worker dies (SIGKILL) while it makes an export: nothing is half done, and the next one makes it whole."""

import hashlib
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from recordings import exports
from recordings.choices import ExportStatus, LedgerAction
from recordings.exports import NoFile
from recordings.ledger import body_of
from recordings.models import Actor, Export, ExportPart, LedgerEntry
from sandbox.server import Sandbox
from tests.exports.background import ask, file_of, seal, verify
from tests.exports.many import many_entries, worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ledger_key")]

MANY = 12_000


def wait_until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not is_so() and time.monotonic() < until:
        time.sleep(0.01)
    assert is_so()


@pytest.fixture
def export(olga: User) -> Export:
    now = timezone.now()
    many_entries(MANY, now)
    export = ask(olga, now=now)
    seal(now)
    return export


@pytest.mark.parametrize("at_part", [0, 1], ids=["while it reads", "between two parts"])
def test_killed_in_the_middle_it_is_made_anew(
    sandbox: Sandbox, export: Export, ledger_key: str, tmp_path: Path, olga: User, at_part: int
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with worker(sandbox, ledger_key, TMPDIR=str(scratch)) as process:
        begun = Export.objects.filter(status=ExportStatus.RUNNING)
        wait_until(ExportPart.objects.filter(number=at_part - 1).exists if at_part else begun.exists)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
    export.refresh_from_db()
    assert export.status == ExportStatus.RUNNING, "it was killed too late"
    assert list(scratch.iterdir()) == []
    with pytest.raises(NoFile):
        exports.download(export, by=Actor.objects.person(olga), now=timezone.now())
    left = ExportPart.objects.count()
    assert left >= at_part
    with worker(sandbox, ledger_key) as process:  # the lease of the dead one still runs
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, output + errors
    assert ExportPart.objects.count() == left
    Export.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    with worker(sandbox, ledger_key) as process:
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, output + errors
    export.refresh_from_db()
    whole = file_of(export)
    assert (export.status, export.tries) == (ExportStatus.READY, 2)
    assert (export.bytes, export.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())
    assert [part.number for part in ExportPart.objects.order_by("pk")] == list(range(ExportPart.objects.count()))
    checked = verify(whole, tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    finished = [body_of(entry) for entry in LedgerEntry.objects.filter(action=LedgerAction.EXPORT_FINISHED)]
    assert [body["sha256"] for body in finished] == [export.sha256]


def test_told_to_end_it_gives_the_export_back_at_once(sandbox: Sandbox, export: Export, ledger_key: str) -> None:
    with worker(sandbox, ledger_key) as process:
        wait_until(Export.objects.filter(status=ExportStatus.RUNNING).exists)
        process.terminate()
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, output + errors
    export.refresh_from_db()
    assert (export.status, export.leased_until, export.tries) == (ExportStatus.WAITING, None, 0)
    assert not ExportPart.objects.exists()
    (aborted,) = LedgerEntry.objects.filter(action=LedgerAction.EXPORT_ABORTED)
    assert body_of(aborted)["why"] == "the worker was told to end"
