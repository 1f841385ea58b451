"""manage.py reconcile --once: whatever is due, done now."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.utils import timezone

from recordings import services
from recordings.choices import OperationStatus
from recordings.models import Call, Finding, Operation
from recordings.services import Requester
from sandbox.server import Sandbox
from tests import cast
from tests.commands.running import run

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_sends_and_sweeps_until_nothing_is_due(sandbox: Sandbox, mira: User) -> None:
    now = timezone.now()
    sandbox.add_call(call_id="call-1", state="established")
    cast.call(at=now, capture="started", told="notRecording")
    cast.heartbeat(at=now, capture="capturing")
    by = Requester.at_screen(mira)
    wish = services.request_correction(Call.objects.get(), wish="recording", reason="captured", by=by, now=now)
    Operation.objects.filter(pk=wish.pk).update(send_after=now)
    cast.call("call-2", at=now - timedelta(minutes=5), told="recording", ended_at=now - timedelta(minutes=4))

    done = run("reconcile", "--once")

    assert Operation.objects.get().status == OperationStatus.COMPLETED
    assert set(Finding.objects.filter(resolved_at=None).values_list("call__graph_id", "rule")) == {("call-2", "R7")}
    assert "1 corrections to send" in done.out
    assert run("reconcile", "--once").out.startswith("Looked at 0 corrections to send and 0 to settle")


def test_it_asks_to_be_told_once() -> None:
    with pytest.raises(CommandError, match="Say --once"):
        run("reconcile")
