"""The key that seals and manifests are signed with. Only the worker and `manage.py seal` ask for it."""

import os
import tempfile
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from recordings import conf

_PEM = "-----BEGIN "


class NoSigningKey(Exception):
    """There is no key to sign with; the message says what to do. Nothing was signed."""


@dataclass(frozen=True)
class SigningKey:
    """An Ed25519 key and the name it signs under. Shows its public half only."""

    name: str
    public_key: bytes
    _private: Ed25519PrivateKey = field(repr=False, compare=False)

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.public_key)

    def sign(self, message: bytes) -> bytes:
        """64 bytes (RFC 8032)."""
        return self._private.sign(message)


def fingerprint(public_key: bytes) -> str:
    """What a person compares: SHA-256 of the 32 bytes of the public key, in hexadecimal."""
    return sha256(public_key).hexdigest()


def key_from(private: Ed25519PrivateKey, *, name: str) -> SigningKey:
    return SigningKey(name, private.public_key().public_bytes_raw(), private)


@sensitive_variables("written")
def signing_key() -> SigningKey:
    """The key of LEDGER_SIGNING_KEY: a path, or the PEM itself. With DEBUG=1 one is made in `var/` where none is set.

    Raises NoSigningKey.
    """
    written = settings.LEDGER_SIGNING_KEY
    if not written.lstrip().startswith(_PEM):
        written = _read(Path(written) if written else _own_path())
    return key_from(_parse(written), name=conf.ledger_origin())


def own_fingerprint() -> str:
    """That of the key this process signs with; empty where it has none, or may not read it. Makes none."""
    if not settings.LEDGER_SIGNING_KEY and not (settings.DEBUG and _made_path().exists()):
        return ""
    try:
        return signing_key().fingerprint
    except NoSigningKey:
        return ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise NoSigningKey(
            f"The ledger's key cannot be read from {path} ({type(error).__name__}). Let LEDGER_SIGNING_KEY name a PEM "
            "file that this process may read. Nothing was signed; entries wait for their seal."
        ) from error


@sensitive_variables("pem")
def _parse(pem: str) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem.strip().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if isinstance(key, Ed25519PrivateKey):
        return key
    # Without the cause: it could quote the key.
    raise NoSigningKey(
        "LEDGER_SIGNING_KEY is no Ed25519 key in PEM form without a password. Make one with `openssl genpkey "
        "-algorithm ed25519`. Nothing was signed; entries wait for their seal."
    ) from None


def _own_path() -> Path:
    """The key of a developer's machine, made once."""
    if not settings.DEBUG:
        raise NoSigningKey(
            "LEDGER_SIGNING_KEY is not set. Set it to the path of the ledger's key, where the worker runs. Nothing "
            "was signed; entries wait for their seal."
        )
    if not _made_path().exists():
        _make(_made_path())
    return _made_path()


def _made_path() -> Path:
    return Path(settings.VAR_DIR) / "ledger-key.pem"


def _make(path: Path) -> None:
    """In one step, so that of two processes at the same time both use one key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    handle, made = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # for its owner only (0600)
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
    try:
        os.link(made, path)
    except FileExistsError:
        return
    finally:
        Path(made).unlink()
