"""manage.py export_audit: the bytes of the download, in a file, whole or not at all."""

import hashlib
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone

from recordings.choices import LedgerAction
from recordings.ledger import body_of
from recordings.models import LedgerEntry
from tests import cast
from tests.commands.running import run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def calls(olga: User) -> None:
    cast.call("call-1", at=timezone.now(), capture="started", told="recording")


def downloaded(olga: User, path: str) -> bytes:
    client = Client()
    client.force_login(olga)
    response = client.get(path)
    assert response.status_code == 200
    return b"".join(response)


@pytest.mark.parametrize("flavour", ["spreadsheet", "exact"])
@pytest.mark.parametrize("what", ["history", "calls", "operations"])
def test_it_writes_the_bytes_of_the_download(tmp_path: Path, olga: User, what: str, flavour: str) -> None:
    file = tmp_path / "audit.csv"
    words = ("export_audit", "--what", what, "--flavour", flavour, "--output", str(file), "--actor", "olga")
    done = run(*words)
    whole = file.read_bytes()
    assert whole == downloaded(olga, f"/export/{what}.csv?flavour={flavour}")
    assert hashlib.sha256(whole).hexdigest() in done.out
    assert "UTC" not in done.out  # no time was given
    assert list(tmp_path.iterdir()) == [file]


def test_the_ledger_knows_who_what_and_the_digest(tmp_path: Path) -> None:
    file = tmp_path / "audit.csv"
    words = ("--from", "2020-01-01", "--to", "2020-01-31", "--output", str(file), "--actor", "olga")
    assert "taken as UTC" in run("export_audit", *words).out
    started = LedgerEntry.objects.select_related("actor").get(action=LedgerAction.EXPORT_STARTED)
    assert started.actor.label.endswith(" for olga")
    assert body_of(started)["filter"] == "event_from=2020-01-01&event_to=2020-01-31"
    finished = body_of(LedgerEntry.objects.get(action=LedgerAction.EXPORT_FINISHED))
    assert (finished["rows"], finished["bytes"]) == (0, file.stat().st_size)


@pytest.mark.parametrize(("what", "words"), [("history", "event_from"), ("calls", "from"), ("operations", "from")])
def test_the_period_is_told_in_the_words_of_the_download(tmp_path: Path, olga: User, what: str, words: str) -> None:
    file = tmp_path / "audit.csv"
    run("export_audit", "--what", what, "--from", "2020-01-01", "--output", str(file), "--actor", "olga")
    assert body_of(LedgerEntry.objects.get(action=LedgerAction.EXPORT_STARTED))["filter"] == f"{words}=2020-01-01"
    assert file.read_bytes() == downloaded(olga, f"/export/{what}.csv?{words}=2020-01-01")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--from", "yesterday", "--actor", "olga"), "^--from is 'yesterday'"),
        (("--to", "9999-12-31", "--actor", "olga"), "^--to is '9999-12-31'"),
        (("--actor", "sam"), "does not include the right to export"),
        (("--actor", "nobody"), "no active user 'nobody'"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_written(
    tmp_path: Path, sam: User, words: tuple[str, ...], named: str
) -> None:
    with pytest.raises(CommandError, match=named):
        run("export_audit", "--output", str(tmp_path / "audit.csv"), *words)
    assert not list(tmp_path.iterdir())
    assert not LedgerEntry.objects.filter(action=LedgerAction.EXPORT_STARTED).exists()


def test_a_place_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no directory"):
        run("export_audit", "--output", str(tmp_path / "not" / "there.csv"), "--actor", "olga")


def test_a_file_that_cannot_be_put_in_place_stays_as_it_was(tmp_path: Path) -> None:
    taken = tmp_path / "audit.csv"
    taken.mkdir()
    with pytest.raises(CommandError, match="could not be written"):
        run("export_audit", "--output", str(taken), "--actor", "olga")
    assert list(tmp_path.iterdir()) == [taken]
