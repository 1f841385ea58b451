"""manage.py recompute: what a changed grace means for what is known already."""

from datetime import datetime, timedelta

import pytest
from django.core.management.base import CommandError
from django.utils import timezone
from pytest_django import Settings

from recordings import passes
from recordings.models import Call
from sandbox.server import Sandbox
from tests import cast
from tests.commands.running import run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ended(sandbox: Sandbox) -> datetime:
    """When a call ended that Teams still shows as recording."""
    at = timezone.now()
    cast.call(at=at, told="recording", ended_at=at)
    return at


def test_it_says_how_many_moved(ended: datetime, settings: Settings) -> None:
    settings.STUCK_AFTER_END = 600.0
    done = run("recompute")
    assert done.out == "Looked at 1 calls; 1 are due at another time than before.\n"
    assert "1 calls looked at, 1 moved" in done.err
    assert Call.objects.get().due_after == ended + timedelta(minutes=10)


def test_a_second_run_moves_nothing(ended: datetime) -> None:
    assert run("recompute").out == "Looked at 1 calls; 0 are due at another time than before.\n"


def test_it_can_be_stopped_and_says_so(ended: datetime) -> None:
    passes.stopping.set()
    try:
        with pytest.raises(CommandError, match="Stopped after 0 calls, 0 moved"):
            run("recompute")
    finally:
        passes.stopping.clear()
