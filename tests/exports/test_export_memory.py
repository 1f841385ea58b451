"""An export of many rows takes no more memory than one of few, in the worker and in the site."""

import tracemalloc

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from recordings import exports
from recordings.choices import ExportFormat, ExportStatus
from recordings.models import Actor, Export, ExportPart
from sandbox.server import Sandbox
from tests.exports.background import ask, seal
from tests.exports.many import many_entries, memory_of_exporting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ledger_key")]

FEW, MANY = 6_000, 30_000
# 95 MiB are 99.6 million bytes.
MOST_MIB = 95
# What Python's own allocator may keep from one page to the next.
NOISE_MIB = 8


def test_the_worker_needs_as_much_memory_for_many_rows_as_for_few(
    sandbox: Sandbox, olga: User, ledger_key: str
) -> None:
    needed = []
    for count in (FEW, MANY - FEW):
        now = timezone.now()
        many_entries(count, now)
        seal(now)
        export = ask(olga, now=now, form=ExportFormat.SPREADSHEET)
        needed.append(memory_of_exporting(sandbox, ledger_key))
        export.refresh_from_db()
        assert export.status == ExportStatus.READY
    assert export.rows >= MANY
    assert needed[1] < MOST_MIB, needed
    assert needed[1] - needed[0] < NOISE_MIB, needed


def test_a_download_holds_no_more_than_a_part(sandbox: Sandbox, olga: User, ledger_key: str) -> None:
    now = timezone.now()
    many_entries(FEW, now)
    export = ask(olga, now=now)
    seal(now)
    memory_of_exporting(sandbox, ledger_key)
    export.refresh_from_db()
    largest = max(len(bytes(content)) for content in ExportPart.objects.values_list("content", flat=True))
    tracemalloc.start()
    size = sum(len(part) for part in exports.download(export, by=Actor.objects.person(olga), now=timezone.now()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == export.bytes > 4 * largest
    assert peak < 4 * largest
    assert Export.objects.get().tries == 1
