"""An export belongs to the worker that makes it, as long as it holds its lease."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

from recordings import exports
from recordings.choices import ExportStatus
from recordings.exports.jobs.claiming import LEASE, LeaseLost, claim, finish, put_back, store_part
from recordings.models import Actor, Export, ExportPart
from tests.exports.background import ask

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def test_a_worker_that_was_too_slow_stores_nothing_into_what_another_one_makes(now: datetime, olga: User) -> None:
    ask(olga, now=now)
    slow = claim(now)
    assert slow
    store_part(slow, 0, b"of the slow one", now=now)
    assert claim(now + LEASE - MINUTE) is None
    quick = claim(now + 2 * LEASE)
    assert quick
    store_part(quick, 0, b"of the quick one", now=now + 2 * LEASE)
    too_late: list[Callable[[], None]] = [
        lambda: store_part(slow, 1, b"more", now=now + 2 * LEASE),
        lambda: finish(slow, size=4, sha256="", now=now + 2 * LEASE),
        lambda: put_back(slow, why="", now=now + 2 * LEASE, counts=True),
    ]
    for store in too_late:
        with pytest.raises(LeaseLost):
            store()
    assert [bytes(part.content) for part in ExportPart.objects.all()] == [b"of the quick one"]
    assert Export.objects.get().status == ExportStatus.RUNNING


def test_one_that_a_person_ends_while_it_is_made_is_not_finished(now: datetime, olga: User) -> None:
    export = ask(olga, now=now)
    making = claim(now)
    assert making
    store_part(making, 0, b"a part", now=now)
    assert exports.stop_export(export, actor=Actor.objects.person(olga), now=now)
    with pytest.raises(LeaseLost):
        store_part(making, 1, b"more", now=now)
    assert not ExportPart.objects.exists()
    assert Export.objects.get().status == ExportStatus.FAILED
