"""manage.py recorder_token: shown once, kept as a hash."""

import pytest
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone

from recordings.choices import LedgerAction
from recordings.ledger import body_of
from recordings.models import LedgerEntry, Recorder
from sandbox.defaults import TENANT_ID
from tests import cast
from tests.commands.running import run

pytestmark = pytest.mark.django_db


def heartbeat(token: str) -> int:
    response = Client().post(
        "/hooks/recorder/",
        cast.event("heartbeat", at=timezone.now(), calls=[]),
        content_type="application/cloudevents+json",
        headers={"Authorization": f"Bearer {token}"},
    )
    return response.status_code


def test_a_new_token_opens_the_hook_and_stands_nowhere() -> None:
    done = run("recorder_token", "rec-07", "--tenant", TENANT_ID)
    token = done.out.strip()
    assert len(token) == 43
    assert heartbeat(token) == 202
    assert Recorder.objects.get().token_hash == Recorder.hash_token(token)
    entry = LedgerEntry.objects.get(action=LedgerAction.TOKEN_ISSUED)
    assert body_of(entry)["recorder_name"] == "rec-07"
    assert token not in entry.body


def test_rotating_makes_the_old_token_worthless() -> None:
    old = run("recorder_token", "rec-07", "--tenant", TENANT_ID).out.strip()
    new = run("recorder_token", "rec-07", "--rotate").out.strip()
    assert (heartbeat(old), heartbeat(new)) == (401, 202)
    assert Recorder.objects.get().tenants == [TENANT_ID]


def test_a_disabled_recorder_is_not_heard_until_it_gets_a_new_token() -> None:
    token = run("recorder_token", "rec-07", "--tenant", TENANT_ID).out.strip()
    assert "switched off" in run("recorder_token", "rec-07", "--disable").out
    assert heartbeat(token) == 401
    assert heartbeat(run("recorder_token", "rec-07", "--rotate").out.strip()) == 202


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("rec 7", "--tenant", TENANT_ID), "is not a name"),
        (("rec-7",), "Say with --tenant"),
        (("rec-7", "--tenant", "a b"), "is not a tenant id"),
        (("rec-7", "--rotate"), "There is no recorder rec-7"),
        (("rec-7", "--disable"), "There is no recorder rec-7"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_changed(words: tuple[str, ...], named: str) -> None:
    with pytest.raises(CommandError, match=named):
        run("recorder_token", *words)
    assert not Recorder.objects.exists()


def test_a_known_name_is_not_taken_twice() -> None:
    run("recorder_token", "rec-07", "--tenant", TENANT_ID)
    with pytest.raises(CommandError, match="already"):
        run("recorder_token", "rec-07", "--tenant", TENANT_ID)
