"""Somebody holds a checkpoint: a witness, a colleague, an auditor. An export can be asked for since it."""

import io
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from recordings.ledger.checkpoint import Checkpoint, sign
from recordings.ledger.keys import signing_key
from recordings.models import Export, LeafBatch, LedgerEntry, Seal
from tests import cast
from tests.exports.background import file_of, made, make, seal, verify
from tests.exports.test_export_pages import NEW, form, olgas, words_of
from tests.owning import switch_triggers_off
from tests.pages.conftest import signed_in, stopped_clock

__all__ = ["olgas", "signed_in", "stopped_clock"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_key", "stopped_clock")]

MINUTE = timedelta(minutes=1)


@pytest.fixture
def kept(now: datetime) -> str:
    """A checkpoint that somebody took along; the ledger went on."""
    cast.call("call-1", at=now - 10 * MINUTE, capture="stopped", told="recording")
    seal(now - 9 * MINUTE)
    cast.call("call-2", at=now - 5 * MINUTE, capture="started", told="recording")
    seal(now - 4 * MINUTE)
    return Seal.objects.order_by("size")[0].checkpoint


@pytest.mark.parametrize(
    "passed_on",
    [str, lambda text: text.replace("\n", "\r\n"), lambda text: f"\n  {text.strip()}", lambda text: f"{text} \t\n\n"],
    ids=["as it is", "by a form", "without its last line end", "with space around"],
)
def test_the_export_proves_that_the_ledger_only_grew_since_a_pasted_checkpoint(
    kept: str,
    olgas: Client,
    now: datetime,
    tmp_path: Path,
    passed_on: Callable[[str], str],
) -> None:
    olgas.post(NEW, form(since_checkpoint=passed_on(kept)))
    export = Export.objects.get()
    assert export.since == kept
    make(now)
    (tmp_path / "kept.txt").write_text(kept)
    checked = verify(file_of(export), tmp_path, "--earlier", str(tmp_path / "kept.txt"))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "The ledger has only grown since your earlier checkpoint" in " ".join(checked.stdout.split())


def test_that_of_an_export_of_somebody_else_will_do(kept: str, olgas: Client, ada: User, now: datetime) -> None:
    _, theirs = made(ada, now=now)
    olgas.post(NEW, form(since_checkpoint=theirs.read("checkpoint.txt").decode()))
    seal(now)
    make(now)
    mine = zipfile.ZipFile(io.BytesIO(file_of(Export.objects.latest("requested_at", "pk"))))
    assert "consistency.json" in mine.namelist()


def test_the_page_offers_it_without_an_earlier_export_too(kept: str, olgas: Client) -> None:
    assert "Since a checkpoint" in words_of(olgas.get(NEW).text)


def changed(kept: str, *, size: int | None = None) -> str:
    """A checkpoint of another root; who has the key could sign it."""
    key = signing_key()
    return sign(Checkpoint(key.name, size or int(kept.splitlines()[1]), bytes(32)), key)


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        (lambda kept: "my last one", "This is no checkpoint: it is no signed note"),
        (lambda kept: kept.split("\n\n")[0], "This is no checkpoint: it is no signed note"),
        (lambda kept: kept.replace(kept.splitlines()[1], "many", 1), "its second line is no size"),
        (
            lambda kept: kept.replace(kept.splitlines()[0], "other.example/ledger"),
            "this checkpoint is of the ledger other.example/ledger, not of",
        ),
        (lambda kept: changed(kept, size=10**9), "more entries than the"),
        (changed, "it had another root than this checkpoint"),
        (lambda kept: "x" * 4001, "This is longer than any checkpoint."),
    ],
)
def test_what_is_none_is_refused_in_words_and_nothing_is_lost(
    kept: str, olgas: Client, forge: Callable[[str], str], said: str
) -> None:
    answer = olgas.post(NEW, form(since_checkpoint=forge(kept), call="call-1", from_at="2026-11-18T10:00"))
    page = words_of(answer.text)
    assert answer.status_code == 422
    assert said in page
    assert not Export.objects.exists()
    assert not LedgerEntry.objects.filter(action="export.requested").exists()
    for typed in (forge(kept).strip()[:20], "the auditor asked", "call-1", "2026-11-18T10:00"):
        assert typed in answer.text


def test_two_beginnings_are_one_too_many(kept: str, olgas: Client, olga: User, now: datetime) -> None:
    mine, _ = made(olga, now=now)
    answer = olgas.post(NEW, form(since_checkpoint=kept, since=str(mine.pk)))
    assert answer.status_code == 422
    assert "Choose an export of yours or paste a checkpoint, not both." in words_of(answer.text)
    assert Export.objects.count() == 1


def test_a_broken_tree_is_said(kept: str, olgas: Client) -> None:
    switch_triggers_off()
    LeafBatch.objects.order_by("first_index")[:1].get().delete()
    answer = olgas.post(NEW, form(since_checkpoint=kept))
    assert answer.status_code == 422
    assert "the ledger's tree is broken. Have the ledger verified." in words_of(answer.text)
