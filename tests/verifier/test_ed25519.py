"""Ed25519 in verify.py: RFC 8032's own vectors, `cryptography` as a peer, and what only a strict verifier sees."""

import json
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.verifier.building import public
from tests.verifier.loading import verify

# The vectors of section 7.1.
VECTORS: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "rfc8032.json").read_text())

# Points of small order, and y = 1 with the sign that no x = 0 has, and y beyond the field.
SMALL = (
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
)
NOT_CANONICAL = (
    "0100000000000000000000000000000000000000000000000000000000000080",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)


def peer_accepts(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_of_rfc_8032_are_accepted(name: str) -> None:
    secret, key, message, signature = (bytes.fromhex(part) for part in VECTORS[name].values())

    assert public(Ed25519PrivateKey.from_private_bytes(secret)) == key
    assert verify.is_signed(key, message, signature)


@pytest.mark.parametrize("name", VECTORS)
def test_a_vector_with_one_bit_changed_is_refused(name: str) -> None:
    _, key, message, signature = (bytes.fromhex(part) for part in VECTORS[name].values())

    assert not verify.is_signed(key, message + b"\x00", signature)
    assert not verify.is_signed(key, message, bytes([signature[0] ^ 1]) + signature[1:])
    assert not verify.is_signed(key, message, signature[:40] + bytes([signature[40] ^ 1]) + signature[41:])
    assert not verify.is_signed(bytes([key[0] ^ 1]) + key[1:], message, signature)


@settings(max_examples=25, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
@example(b"\x00" * 32, b"")
def test_what_the_peer_signs_is_accepted(secret: bytes, message: bytes) -> None:
    key = Ed25519PrivateKey.from_private_bytes(secret)

    assert verify.is_signed(public(key), message, key.sign(message))


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.integers(0, 511), st.sampled_from(["key", "message", "signature"]))
def test_whatever_bit_is_changed_the_peer_and_we_agree(secret: bytes, bit: int, where: str) -> None:
    private = Ed25519PrivateKey.from_private_bytes(secret)
    parts = {"key": public(private), "message": b"m" * 64}
    parts["signature"] = private.sign(parts["message"])
    changed = bytearray(parts[where])
    changed[bit // 8 % len(changed)] ^= 1 << bit % 8
    parts[where] = bytes(changed)

    assert verify.is_signed(**_named(parts)) is peer_accepts(**parts) is False


def _named(parts: dict[str, bytes]) -> dict[str, bytes]:
    return {"public_key": parts["key"], "message": parts["message"], "signature": parts["signature"]}


def test_a_second_form_of_a_signature_is_refused() -> None:
    """S and S + L say the same to a lax verifier, so that a signature could be changed and still be valid."""
    _, key, message, signature = (bytes.fromhex(part) for part in VECTORS["TEST 2"].values())
    doubled = int.from_bytes(signature[32:], "little") + verify.L

    assert not verify.is_signed(key, message, signature[:32] + doubled.to_bytes(32, "little"))


@pytest.mark.parametrize("key", SMALL)
def test_a_key_of_small_order_signs_nothing(key: str) -> None:
    """With such a key R = neutral and S = 0 is a signature of many messages."""
    signature = bytes.fromhex(SMALL[0]) + b"\x00" * 32

    assert verify.point_of(bytes.fromhex(key)) is not None
    assert not any(verify.is_signed(bytes.fromhex(key), bytes([number]), signature) for number in range(16))


@pytest.mark.parametrize("encoded", NOT_CANONICAL)
def test_a_point_in_another_than_its_one_form_is_no_point(encoded: str) -> None:
    assert verify.point_of(bytes.fromhex(encoded)) is None


@pytest.mark.parametrize(("key", "signature"), [(b"", b"\x00" * 64), (b"\x00" * 31, b"\x00" * 64), (b"\x05" * 32, b"")])
def test_keys_and_signatures_of_another_length_are_refused(key: bytes, signature: bytes) -> None:
    assert not verify.is_signed(key, b"", signature)
