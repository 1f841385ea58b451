"""An import keeps nobody waiting while it reads, and waits in no ring with the recorders."""

import json
import threading
import time
from pathlib import Path

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recordings import ingest
from recordings.models import Actor, Call, LedgerEntry
from sandbox.defaults import TENANT_ID
from tests import cast
from tests.commands.running import run

pytestmark = pytest.mark.django_db(transaction=True)


def written(directory: Path, *ids: str) -> Path:
    file = directory / "calls.jsonl"
    told = {"tenantId": TENANT_ID, "recordingStatus": "failed", "recordingStatusAt": "2025-03-01T10:00:00Z"}
    file.write_text("".join(json.dumps({"graphId": each, "subject": "s", **told}) + "\n" for each in ids))
    return file


class Elsewhere(threading.Thread):
    """Something that happens in another process; what it raises is raised again where it is waited for."""

    def __init__(self, act: object) -> None:
        super().__init__(daemon=True)
        self._act, self.problem = act, None

    def run(self) -> None:
        try:
            self._act()  # type: ignore[operator]
        except BaseException as problem:  # noqa: BLE001  told by wait()
            self.problem = problem  # type: ignore[assignment]
        finally:
            connections.close_all()

    def wait(self, seconds: float) -> None:
        self.join(seconds)
        assert not self.is_alive(), "it is still waiting"
        if self.problem:
            raise self.problem


@pytest.mark.parametrize("is_dry_run", [True, False])
def test_a_recorder_is_heard_while_a_file_is_read(tmp_path: Path, is_dry_run: bool) -> None:
    cast.call("live-1", at=timezone.now())
    heard: list[int] = []

    def beat(line: int) -> None:
        recorder = Elsewhere(lambda: cast.heartbeat("live-1", at=timezone.now(), capture="stopped"))
        recorder.start()
        recorder.wait(5)
        heard.append(line)

    actor = None if is_dry_run else Actor.objects.job("import")
    ingest.import_calls(written(tmp_path, "b", "a"), form="jsonl", actor=actor, now=timezone.now(), progress=beat)
    assert heard == [1, 2]
    assert Call.objects.get(graph_id="live-1").capture_state == "stopped"


def test_a_dry_run_writes_nothing_and_locks_nothing(tmp_path: Path) -> None:
    cast.call("live-1", at=timezone.now())
    Actor.objects.filter(kind="shell").delete()
    file = written(tmp_path, "new-1", "live-1")
    with CaptureQueriesContext(connection) as asked:
        done = run("import_calls", str(file), "--dry-run")
    assert "1 new, 1 changed, 0 as they were" in done.out
    assert {query["sql"].split()[0] for query in asked} == {"SELECT"}
    assert not any("FOR UPDATE" in query["sql"] for query in asked)
    assert "1 new, 1 changed, 0 as they were" in run("import_calls", str(file)).out


def test_a_second_import_locks_no_call(tmp_path: Path) -> None:
    file = written(tmp_path, "a", "b")
    run("import_calls", str(file))
    with CaptureQueriesContext(connection) as asked:
        run("import_calls", str(file))
    sql = [query["sql"] for query in asked]
    assert not any("FOR UPDATE" in each or each.startswith('UPDATE "recordings_call"') for each in sql)
    assert LedgerEntry.objects.filter(action="import.finished").count() == 2


@pytest.mark.postgresql
def test_an_import_and_a_heartbeat_wait_in_no_ring(tmp_path: Path) -> None:
    for each in ("a", "b"):
        cast.call(each, at=timezone.now())
    file, actor = written(tmp_path, "b", "a"), Actor.objects.job("import")
    importing = Elsewhere(lambda: ingest.import_calls(file, form="jsonl", actor=actor, now=timezone.now()))
    with transaction.atomic():
        ingest.locked_call("a")
        importing.start()
        until_somebody_waits()
        ingest.locked_call("b")
    importing.wait(10)
    assert set(Call.objects.values_list("subject", flat=True)) == {"s"}


def until_somebody_waits() -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("the import never came to the row that is locked")


def test_a_call_that_becomes_another_tenants_meanwhile_keeps_all_of_them_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foresee = ingest.imports._foresee

    def foresee_and_lose(*args: object, **words: object) -> object:
        foreseen = foresee(*args, **words)  # type: ignore[arg-type]
        Call.objects.create(graph_id="b", tenant_id="another", created_at=timezone.now())
        return foreseen

    monkeypatch.setattr(ingest.imports, "_foresee", foresee_and_lose)
    with pytest.raises(ingest.ImportRefused) as refused:
        ingest.import_calls(
            written(tmp_path, "b", "a"), form="jsonl", actor=Actor.objects.job("import"), now=timezone.now()
        )
    assert refused.value.result.problems == ["line 1: call b is known here, and belongs to another tenant"]
    assert [call.graph_id for call in Call.objects.all()] == ["b"]
