"""A checkpoint, its signature and the key: exact bytes that tools of others read, and nothing else believed."""

import base64
import hashlib
import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from pytest_django import Settings

from recordings.ledger import checkpoint, keys, notes
from recordings.ledger.checkpoint import BadCheckpoint, Checkpoint
from recordings.ledger.keys import NoSigningKey
from recordings.ledger.notes import BadNote
from tests import ledgers

# The example of golang.org/x/mod/sumdb/note (BSD-3-Clause), whose form C2SP's signed-note is.
PETER = "PeterNeumann"
PETERS_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
PETERS_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETERS_NOTE = PETERS_TEXT + (
    "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

KEY = ledgers.signing_key()
CHECKPOINT = Checkpoint(ledgers.ORIGIN, 5, bytes(range(32)))
SIGNED = checkpoint.sign(CHECKPOINT, KEY)


# -- signed notes


def test_a_note_is_signed_byte_by_byte_as_others_sign_it() -> None:
    peter = keys.key_from(Ed25519PrivateKey.from_private_bytes(PETERS_SEED), name=PETER)

    assert notes.sign_note(PETERS_TEXT, peter) == PETERS_NOTE
    assert notes.verifier_key(PETER, peter.public_key) == PETERS_VERIFIER
    assert notes.is_signed(notes.parse_note(PETERS_NOTE), peter.public_key, PETER)


def test_signatures_of_others_below_a_note_do_not_disturb() -> None:
    own_line = SIGNED.splitlines(keepends=True)[-1]
    witness = f"— witness.example/w1 {base64.b64encode(b'abcd' + bytes(72)).decode()}\n"
    both = SIGNED.removesuffix(own_line) + witness + own_line

    assert notes.is_signed(notes.parse_note(both), KEY.public_key, KEY.name)
    assert not notes.is_signed(notes.parse_note(SIGNED.replace(own_line, witness)), KEY.public_key, KEY.name)


def test_a_wrong_signature_beside_a_right_one_is_not_believed() -> None:
    wrong = base64.b64encode(notes.key_hash(KEY.name, KEY.public_key) + bytes(64)).decode()

    assert not notes.is_signed(notes.parse_note(f"{SIGNED}— {KEY.name} {wrong}\n"), KEY.public_key, KEY.name)


@pytest.mark.parametrize("text", ["without an end", "with\ra return\n", "with\0zero\n"])
def test_a_text_that_no_note_can_carry_is_not_signed(text: str) -> None:
    with pytest.raises(BadNote):
        notes.sign_note(text, KEY)


@pytest.mark.parametrize(
    ("name", "is_right"),
    [("onrecord.example/ledger", True), ("", False), ("on record", False), ("a+b", False), ("a\u2003b", False)],
)
def test_a_name_has_no_space_and_no_plus(name: str, is_right: bool) -> None:
    assert notes.is_name(name) is is_right


# -- checkpoints


def test_a_checkpoint_is_three_lines() -> None:
    root = base64.b64encode(bytes(range(32))).decode()

    assert checkpoint.text(CHECKPOINT) == f"{ledgers.ORIGIN}\n5\n{root}\n"
    assert SIGNED.startswith(f"{checkpoint.text(CHECKPOINT)}\n— {ledgers.ORIGIN} ")
    assert SIGNED.endswith("\n")


def test_a_signed_checkpoint_is_read_and_verified() -> None:
    signed = checkpoint.parse(SIGNED)

    assert signed.checkpoint == CHECKPOINT
    assert checkpoint.verify(signed, KEY.public_key, KEY.name)


def test_another_key_another_name_and_another_text_are_not_verified() -> None:
    signed = checkpoint.parse(SIGNED)
    larger = checkpoint.parse(SIGNED.replace("\n5\n", "\n6\n", 1))
    renamed = checkpoint.parse(SIGNED.replace(ledgers.ORIGIN, "other.example/ledger"))

    assert not checkpoint.verify(signed, ledgers.signing_key(seed=2).public_key, KEY.name)
    assert not checkpoint.verify(signed, KEY.public_key, "other.example/ledger")
    assert not checkpoint.verify(larger, KEY.public_key, KEY.name)
    assert not checkpoint.verify(renamed, KEY.public_key, "other.example/ledger")


def test_a_checkpoint_of_another_ledger_by_the_same_key_is_not_verified() -> None:
    foreign = notes.sign_note(checkpoint.text(Checkpoint("other.example/ledger", 5, bytes(32))), KEY)

    assert not checkpoint.verify(checkpoint.parse(foreign), KEY.public_key, KEY.name)
    with pytest.raises(ValueError, match="signs as"):
        checkpoint.sign(Checkpoint("other.example/ledger", 5, bytes(32)), KEY)


ROOT = base64.b64encode(bytes(32)).decode()
LINE = f"— {ledgers.ORIGIN} {base64.b64encode(bytes(68)).decode()}\n"


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "no empty line"),
        (SIGNED.removesuffix("\n"), "no empty line"),
        (f"o\n5\n{ROOT}\n", "no empty line"),
        (f"o\n5\n\n{LINE}", "three lines"),
        (f"o\n\n{ROOT}\n\n{LINE}", "three lines"),
        (f"o\n05\n{ROOT}\n\n{LINE}", "no size"),
        (f"o\n-5\n{ROOT}\n\n{LINE}", "no size"),
        (f"o\n\u0665\n{ROOT}\n\n{LINE}", "no size"),
        (f"o\n5\n{ROOT[:-1]}\n\n{LINE}", "no base64"),
        (f"o\n5\n{base64.b64encode(bytes(31)).decode()}\n\n{LINE}", "not 32 bytes"),
        (f"o\n5\n{ROOT}\n\n- {ledgers.ORIGIN} {base64.b64encode(bytes(68)).decode()}\n", "no signature"),
        (f"o\n5\n{ROOT}\n\n— {ledgers.ORIGIN} !!!!\n", "no base64"),
        (f"o\n5\n{ROOT}\n\n— {ledgers.ORIGIN} AAAA\n", "too short"),
        (f"o\r\n5\r\n{ROOT}\r\n\n{LINE}", "control character"),
    ],
)
def test_what_is_no_checkpoint_is_refused_with_a_sentence(written: str, why: str) -> None:
    with pytest.raises(BadCheckpoint, match=why) as refused:
        checkpoint.parse(written)
    assert str(refused.value).startswith("This is no checkpoint: ")
    assert str(refused.value).endswith(".")


def test_lines_that_others_add_below_the_root_are_signed_too() -> None:
    extended = notes.sign_note(checkpoint.text(CHECKPOINT) + "something more\n", KEY)

    signed = checkpoint.parse(extended)

    assert signed.checkpoint == CHECKPOINT
    assert checkpoint.verify(signed, KEY.public_key, KEY.name)


# -- the key


def test_the_key_is_read_from_a_path_or_stands_in_the_setting(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(ledgers.pem())

    for written in (str(tmp_path / "key.pem"), ledgers.pem(), f"\n{ledgers.pem()}\n"):
        settings.LEDGER_SIGNING_KEY = written
        assert keys.signing_key() == KEY


def test_the_fingerprint_is_the_sha_256_of_the_public_key() -> None:
    raw = ledgers.private_key().public_key().public_bytes_raw()

    assert (KEY.public_key, KEY.fingerprint) == (raw, hashlib.sha256(raw).hexdigest())


def test_the_secret_half_is_shown_nowhere(settings: Settings, tmp_path: Path) -> None:
    secret = ledgers.private_key().private_bytes_raw()
    body = ledgers.pem().splitlines()[1]
    broken = tmp_path / "key.pem"
    broken.write_text(ledgers.pem().replace("END PRIVATE", "END BROKEN"))
    settings.LEDGER_SIGNING_KEY = str(broken)

    with pytest.raises(NoSigningKey) as refused:
        keys.signing_key()

    for shown in (repr(KEY), str(KEY), str(refused.value), repr(refused.value.__cause__)):
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown
        assert body not in shown


def _other_kinds() -> list[str]:
    other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    locked = ledgers.private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pass"))
    return ["-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", other.decode(), locked.decode()]


@pytest.mark.parametrize("pem", _other_kinds(), ids=["no key", "another kind", "with a password"])
def test_what_is_no_ed25519_key_is_refused(settings: Settings, pem: str) -> None:
    settings.LEDGER_SIGNING_KEY = pem

    with pytest.raises(NoSigningKey, match="openssl genpkey"):
        keys.signing_key()


def test_a_key_that_cannot_be_read_is_named(settings: Settings, tmp_path: Path) -> None:
    settings.LEDGER_SIGNING_KEY = str(tmp_path / "gone.pem")

    with pytest.raises(NoSigningKey, match=r"gone\.pem .*FileNotFoundError"):
        keys.signing_key()


def test_production_makes_no_key_by_itself(settings: Settings) -> None:
    settings.LEDGER_SIGNING_KEY = ""

    with pytest.raises(NoSigningKey, match="not set"):
        keys.signing_key()


def test_a_developers_machine_makes_one_key_once_for_its_owner_only(settings: Settings, tmp_path: Path) -> None:
    settings.LEDGER_SIGNING_KEY, settings.DEBUG, settings.VAR_DIR = "", True, tmp_path / "var"

    first, again = keys.signing_key(), keys.signing_key()

    assert first == again
    assert os.listdir(tmp_path / "var") == ["ledger-key.pem"]
    assert stat.S_IMODE((tmp_path / "var" / "ledger-key.pem").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("public_url", "own", "origin"),
    [
        ("https://onrecord.example.com", "", "onrecord.example.com/ledger"),
        ("http://localhost:8000", "", "localhost/ledger"),
        ("", "", "onrecord.local/ledger"),
        ("https://onrecord.example.com", "audit.example.com/calls", "audit.example.com/calls"),
    ],
)
def test_the_ledger_is_named_after_the_site_unless_it_has_a_name(
    settings: Settings, public_url: str, own: str, origin: str
) -> None:
    settings.PUBLIC_URL, settings.LEDGER_ORIGIN = public_url, own

    assert keys.signing_key().name == origin
