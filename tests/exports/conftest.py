"""A ledger that can be sealed."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pytest_django import Settings


@pytest.fixture
def ledger_key(settings: Settings) -> str:
    """The worker's key, as PEM."""
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    settings.LEDGER_SIGNING_KEY = key
    return key
