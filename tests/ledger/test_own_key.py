"""The worker knows its own key: whoever signs without it is found out, and a real change of the key is no alarm."""

from datetime import datetime

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from recordings import ledger
from recordings.choices import LedgerAction
from recordings.ledger import checkpoint
from recordings.ledger.checkpoint import Checkpoint
from recordings.ledger.keys import SigningKey
from recordings.ledger.sealing import CannotSeal
from recordings.ledger.verifying import verify_all
from recordings.models import LedgerEntry, Seal, SealKey, Unsealed, append_only
from tests import ledgers
from tests.ledger.attacked import attacked, places
from tests.owning import change, delete, insert, plant_anew, sign_anew

__all__ = ["attacked"]

OWN, OTHER = ledgers.signing_key(), ledgers.signing_key(seed=2)


def use(settings: Settings, seed: int) -> None:
    """What an operator does, and a restart of the worker."""
    settings.LEDGER_SIGNING_KEY = ledgers.pem(seed)


def sign_last(key: SigningKey) -> int:
    """The newest seal under this key, filed as one of the ledger's; up to where the seals before it go."""
    before, seal = Seal.objects.order_by("-size")[:2][::-1]
    change(seal, checkpoint=checkpoint.sign(Checkpoint(key.name, seal.size, bytes(seal.root_hash)), key))
    change(seal, key_id=key.fingerprint)
    return before.size


def file_key(key: SigningKey, at: datetime) -> None:
    insert(SealKey(fingerprint=key.fingerprint, name=key.name, public_key=key.public_key, first_used_at=at))


def forge_under(key: SigningKey, at: datetime) -> None:
    """Everything anew, as if this had been the ledger's key from its beginning, and the worker's had come later."""
    entry = LedgerEntry.objects.get(action=LedgerAction.KEY_FIRST_USED)
    own = SealKey.objects.get()
    file_key(key, at)
    Seal.objects.update(key_id=key.fingerprint)
    delete([own])
    change(entry, body=entry.body.replace(OWN.fingerprint, key.fingerprint))
    plant_anew()
    sign_anew(key)


def test_the_newest_seal_under_a_key_that_is_not_the_workers(attacked: datetime) -> None:
    file_key(OTHER, attacked)
    first = Seal.objects.earliest("size").size
    sign_last(OTHER)

    assert sorted(places(), key=str) == [("KEY_FOREIGN", first), ("ROW_UNTOLD", None)]
    (found,) = [one for one in verify_all().alarms if one.kind.name == "KEY_FOREIGN"]
    assert OTHER.fingerprint in found.sentence
    assert OWN.fingerprint in found.sentence


def test_the_worker_does_not_sign_over_it(attacked: datetime) -> None:
    """Else the newest seal would be its own again, and the alarm gone."""
    file_key(OTHER, attacked)
    sign_last(OTHER)
    waiting = Unsealed.objects.count()

    with pytest.raises(CannotSeal, match=r"somebody else has signed.*Nothing was sealed; entries wait"):
        ledger.seal(attacked, key=OWN)
    assert Unsealed.objects.count() == waiting


def test_a_ledger_forged_under_another_key_looks_like_a_change_of_the_key_until_keys_are_named(
    attacked: datetime,
) -> None:
    """Without a witness. It shows as a use of the worker's own key for the first time, today."""
    forge_under(OTHER, attacked)
    assert places() == []
    append_only.install(connection)

    assert ledger.seal(attacked, key=OWN)
    assert places() == []
    told = LedgerEntry.objects.filter(action=LedgerAction.KEY_FIRST_USED).latest("pk")
    assert ledger.body_of(told)["fingerprint"] == OWN.fingerprint
    named = verify_all(only_keys=[OWN.fingerprint])
    assert {one.kind.name for one in named.alarms} == {"SEAL_UNSIGNED"}


def test_a_process_without_the_key_says_nothing_of_keys(attacked: datetime, settings: Settings) -> None:
    file_key(OTHER, attacked)
    sign_last(OTHER)
    settings.LEDGER_SIGNING_KEY = ""

    assert places() == [("ROW_UNTOLD", None)]
    settings.LEDGER_SIGNING_KEY = "/nowhere/key.pem"
    assert places() == [("ROW_UNTOLD", None)]


@pytest.mark.django_db
def test_a_real_change_of_the_key_is_no_alarm(now: datetime, settings: Settings) -> None:
    ledgers.sealed(5, at=now)
    use(settings, 2)
    assert places() == [], "before the new key's first seal"

    ledgers.entries(3, at=now)
    assert ledger.seal(now, key=OTHER)
    assert places() == [], "after it"
    assert ledger.seal(now, key=OTHER)
    use(settings, 3)
    assert ledger.seal(now, key=ledgers.signing_key(seed=3)) is None
    assert places() == [], "and a second change"


@pytest.mark.django_db
def test_a_worker_that_still_has_the_old_key_does_not_seal_any_more(now: datetime) -> None:
    """Two workers, restarted one after the other: else old and new seals would take turns."""
    ledgers.sealed(5, at=now)
    ledgers.entries(3, at=now)
    assert ledger.seal(now, key=OTHER)
    ledgers.entries(3, at=now)

    with pytest.raises(CannotSeal, match="a key that was replaced seals nothing any more"):
        ledger.seal(now, key=OWN)
    assert ledger.seal(now, key=OTHER)


@pytest.mark.django_db
def test_after_a_change_of_the_key_both_are_named(now: datetime, settings: Settings) -> None:
    ledgers.sealed(5, at=now)
    use(settings, 2)
    ledger.seal(now, key=OTHER)

    call_command("verify", "--key", OWN.fingerprint, "--key", OTHER.fingerprint.upper())
    assert verify_all(only_keys=[OWN.fingerprint, OTHER.fingerprint]).alarms == []
    assert [one.kind.name for one in verify_all(only_keys=[OTHER.fingerprint]).alarms] == ["SEAL_UNSIGNED"]
