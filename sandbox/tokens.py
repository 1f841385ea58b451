"""Keys, and the tokens signed with them."""

import base64
import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from sandbox.messages import Json


@dataclass(frozen=True)
class SigningKey:
    kid: str
    private: RSAPrivateKey

    def as_jwk(self) -> Json:
        jwk: Json = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**jwk, "kid": self.kid, "use": "sig", "alg": "RS256"}


def new_key() -> SigningKey:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    der = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    kid = base64.urlsafe_b64encode(hashlib.sha256(der).digest()[:15]).decode()
    return SigningKey(kid, private)


class KeyRing:
    """Signs with its newest key; what it publishes may hold older ones, too."""

    def __init__(self) -> None:
        self._keys: tuple[SigningKey, ...] = (new_key(),)
        self._read: dict[tuple[str, frozenset[str]], Json] = {}

    def rotate(self, *, keep_old: bool) -> None:
        kept = self._keys if keep_old else ()
        self._keys = (new_key(), *kept)
        self._read = {}

    def published(self) -> Json:
        return {"keys": [key.as_jwk() for key in self._keys]}

    def sign(self, claims: Json) -> str:
        key = self._keys[0]
        return jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": key.kid})

    def read(self, token: str, audiences: Iterable[str]) -> Json:
        """The claims of a token of ours, or jwt.InvalidTokenError. One that was good is good until it ends."""
        known = (token, frozenset(audiences))
        claims = self._read.get(known)
        if claims is None or claims["exp"] <= time.time():
            claims = self._read[known] = self._verified(token, audiences)
        return claims

    def _verified(self, token: str, audiences: Iterable[str]) -> Json:
        kid = jwt.get_unverified_header(token).get("kid")
        for key in self._keys:
            if key.kid == kid:
                claims: dict[str, Any] = jwt.decode(
                    token, key.private.public_key(), algorithms=["RS256"], audience=list(audiences)
                )
                return claims
        raise jwt.InvalidTokenError("The key of this token is not known.")
