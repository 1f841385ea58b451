"""What the ledger alone cannot show: its end was cut off, or all of it was written and signed anew. A witness can."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from recordings import ledger
from recordings.choices import LedgerAction, VerificationStatus
from recordings.ledger import checkpoint
from recordings.ledger.checkpoint import Checkpoint
from recordings.ledger.verifying import kept_in, verify_all
from recordings.models import Actor, Call, LedgerEntry, Seal, StatusChange, Verification, append_only
from recordings.services.witnessing import put_into
from tests import ledgers
from tests.commands.running import Done, run
from tests.ledger.attacked import attacked, places
from tests.owning import change, cut_off, delete, plant_anew, sign_anew, switch_triggers_off

__all__ = ["attacked"]


@pytest.fixture
def witness(attacked: datetime, tmp_path: Path) -> Path:
    """A directory that was handed every seal before anything happened."""
    for seal in Seal.objects.order_by("size"):
        put_into(tmp_path, seal)
    return tmp_path


def verify(*words: object) -> Done:
    """With the triggers as they belong: the run itself is recorded."""
    append_only.install(connection)
    return run("verify", *map(str, words))


def fails(*words: object) -> str:
    """What it says when it ends with exit code 1."""
    with pytest.raises(CommandError) as raised:
        verify(*words)
    assert raised.value.returncode == 1
    return str(raised.value)


def sizes() -> list[int]:
    return list(Seal.objects.order_by("size").values_list("size", flat=True))


def rewind() -> int:
    """Cut off what the last seal covers, records and all; how much is left."""
    switch_triggers_off()
    _, size, _ = sizes()
    delete(StatusChange.objects.filter(call__graph_id="call-2"))
    change(Call.objects.get(graph_id="call-2"), state="", capture_state="unknown", recording_status="unknown")
    cut_off(size)
    return size


def fork() -> None:
    """Change what happened, in the record and in its entry, and plant and sign the whole tree anew."""
    switch_triggers_off()
    row = StatusChange.objects.filter(field="recording_status").earliest("pk")
    (entry,) = LedgerEntry.objects.filter(action=LedgerAction.STATUS_CHANGED, body__contains=str(row.pk))
    change(row, new="notRecording")
    change(row.call, recording_status="notRecording")
    change(entry, body=ledger.canonical(json.loads(entry.body) | {"new": "notRecording"}))
    plant_anew()
    sign_anew(ledgers.signing_key())


def test_an_untouched_ledger_is_the_one_the_witness_saw(witness: Path) -> None:
    done = verify("--witness", witness)

    assert done.code == 0
    assert f"3 checkpoints from elsewhere saw, the newest over its first {sizes()[-1]} entries" in done.out
    assert "Not proven: 3 entries not sealed yet." in done.out


def test_a_rewound_tail_passes_alone_and_fails_before_the_witness(witness: Path) -> None:
    newest = sizes()[-1]
    size = rewind()

    assert verify().code == 0
    (found,) = verify_all(kept=kept_in(witness)).alarms
    assert (found.kind.name, found.index) == ("NOT_CONSISTENT", size)
    assert found.sentence.startswith(f"{newest}.checkpoint saw {newest} entries, and the ledger is sealed up to {size}")
    assert "1 alarm." in fails("--witness", witness)


def test_a_tail_written_anew_fails_before_the_witness(witness: Path, attacked: datetime) -> None:
    """As long as the one that was cut off, so that only the root tells."""
    newest = sizes()[-1]
    size = rewind()
    append_only.install(connection)
    ledgers.entries(newest - size, at=attacked)
    assert ledger.seal(attacked, key=ledgers.signing_key())
    assert sizes()[-1] == newest

    assert places() == []
    (found,) = verify_all(kept=kept_in(witness)).alarms
    assert (found.kind.name, found.index) == ("NOT_CONSISTENT", size)
    assert f"Up to {size} all fits." in found.sentence


def test_a_signed_fork_passes_alone_and_fails_before_the_witness(witness: Path) -> None:
    fork()

    assert verify().code == 0
    found = verify_all(kept=kept_in(witness)).alarms
    assert [(one.kind.name, one.index) for one in found] == [("NOT_CONSISTENT", 0)] * 3
    assert "3 alarms." in fails("--witness", witness)


def test_what_only_a_witness_shows_stands_until_one_is_satisfied(witness: Path, tmp_path: Path) -> None:
    first, *_, last = (witness / f"{size}.checkpoint" for size in sizes())
    copy = tmp_path / "copy"
    rewind()
    fails("--since", last)
    found = ledger.standing_alarm()
    assert found
    assert found.kept_size == int(last.stem)

    assert "An alarm stands: on " in verify().out
    assert "An alarm stands: on " in verify("--since", first).out
    ledger.request_verification(Actor.objects.shell(), now=timezone.now())
    assert ledger.verify_due(timezone.now()) == 1
    verdict = ledger.newest_verdict()
    assert verdict
    assert (verdict.status, verdict.kept_size) == (VerificationStatus.PASSED, None)
    assert ledger.standing_alarm() == found

    ledgers.sealed(found.kept_size - found.size, at=timezone.now())
    copy.mkdir()
    put_into(copy, Seal.objects.latest("size"))
    assert "An alarm stands" not in verify("--witness", copy).out
    assert ledger.standing_alarm() is None


@pytest.mark.parametrize("deed", [rewind, fork])
def test_one_checkpoint_that_was_put_aside_is_enough(witness: Path, deed: object, tmp_path: Path) -> None:
    aside = tmp_path / "from the auditor's safe.txt"
    aside.write_bytes((witness / f"{sizes()[-1]}.checkpoint").read_bytes())
    assert verify("--since", aside).code == 0
    assert callable(deed)
    deed()

    assert "1 alarm." in fails("--since", aside)


def test_an_older_checkpoint_says_what_it_cannot_prove(witness: Path) -> None:
    first = witness / f"{sizes()[0]}.checkpoint"

    done = verify("--since", first)

    assert f"Not proven: what was sealed after the newest of these checkpoints, from entry {sizes()[0]} on." in done.out


def test_a_seal_that_is_gone_is_missed_by_the_witness(witness: Path) -> None:
    """The tree goes on without it, so the ledger alone does not miss it."""
    delete([Seal.objects.get(size=sizes()[1])])

    assert places() == []
    (found,) = verify_all(kept=kept_in(witness)).alarms
    assert found.kind.name == "SEAL_MISSING"


def test_a_ledger_signed_by_another_key_does_not_know_the_witnesss_checkpoints(witness: Path) -> None:
    other = ledgers.signing_key(seed=2)
    text = checkpoint.sign(Checkpoint(other.name, sizes()[0], b"\x01" * 32), other)
    (witness / f"{sizes()[0]}.checkpoint").write_text(text)

    (found,) = verify_all(kept=kept_in(witness)).alarms
    assert found.kind.name == "SEAL_UNSIGNED"
    assert found.sentence.startswith(f"{sizes()[0]}.checkpoint is not the checkpoint of this ledger it should be")


@pytest.mark.parametrize("text", ["", "onrecord.contoso.example/ledger\n", "\xff" * 70_000])
def test_a_spoiled_file_of_the_witness_is_an_alarm(witness: Path, text: str) -> None:
    (witness / f"{sizes()[0]}.checkpoint").write_text(text, encoding="latin-1")

    assert [one.kind.name for one in verify_all(kept=kept_in(witness)).alarms] == ["SEAL_UNSIGNED"]


def test_a_file_under_another_size_is_an_alarm(witness: Path) -> None:
    (witness / f"{sizes()[0]}.checkpoint").rename(witness / "1.checkpoint")

    (found,) = verify_all(kept=kept_in(witness)).alarms
    assert f"it says {sizes()[0]} entries where its name says 1" in found.sentence


def test_only_the_key_you_name_is_believed(witness: Path) -> None:
    own, other = ledgers.signing_key().fingerprint, ledgers.signing_key(seed=2).fingerprint

    assert verify("--key", own.upper(), "--witness", witness).code == 0
    assert "6 alarms." in fails("--key", other, "--witness", witness)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--witness", "nowhere"], "There is no directory nowhere. Nothing was verified."),
        (["--witness", "."], "There is no checkpoint in .: no file SIZE.checkpoint. Nothing was verified."),
        (["--since", "nowhere"], "nowhere cannot be read (No such file or directory). Nothing was verified."),
        (["--since", "manage.py"], "manage.py: This is no checkpoint"),
        (["--key", "1234"], "--key is not 64 hexadecimal digits. Nothing was verified."),
    ],
)
def test_what_cannot_be_held_against_it_is_refused(attacked: datetime, words: list[str], sentence: str) -> None:
    assert fails(*words).startswith(sentence)
    assert not Verification.objects.exists()
