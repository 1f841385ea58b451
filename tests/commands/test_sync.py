"""manage.py sync: one pass by hand, and what it says."""

from datetime import timedelta

import pytest
from django.core.management.base import CommandError
from django.utils import timezone

from recordings.models import Call
from sandbox.server import Sandbox
from tests import cast
from tests.commands.running import run

pytestmark = pytest.mark.django_db(transaction=True)

AGO = timedelta(minutes=5)


def test_it_says_what_it_found(sandbox: Sandbox) -> None:
    for name in ("call-1", "call-2"):
        sandbox.add_call(call_id=name, state="established")
        cast.call(name, at=timezone.now() - AGO)
    sandbox.end_call("call-2")
    done = run("sync")
    assert done.out == "Asked Microsoft about 2 calls: 1 live, 0 ended, 1 not found, 0 unclear.\n"
    assert Call.objects.get(graph_id="call-2").gone_at
    assert run("sync").out.startswith("Asked Microsoft about 0 calls")


def test_no_more_than_it_is_told(sandbox: Sandbox) -> None:
    for name in ("call-1", "call-2"):
        sandbox.add_call(call_id=name, state="established")
        cast.call(name, at=timezone.now() - AGO)
    assert run("sync", "--limit", "1").out.startswith("Asked Microsoft about 1 calls: 1 live")


def test_a_suspect_credential_is_an_error(sandbox: Sandbox) -> None:
    for number in range(3):
        cast.call(f"call-{number}", at=timezone.now() - AGO)
    with pytest.raises(CommandError, match="the recorder bot's own credential"):
        run("sync")
    assert not Call.objects.exclude(gone_at=None).exists()


def test_a_limit_that_lets_nothing_through_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(CommandError, match=r"at least 1\. Nothing was asked"):
        run("sync", "--limit", "0")
