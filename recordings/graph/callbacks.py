"""The token on what Graph posts to a calling bot: is it really from Microsoft, for us, about a tenant of ours?

Reference: https://learn.microsoft.com/microsoftteams/platform/bots/calls-and-meetings/call-notifications
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import jwt

from recordings.graph.errors import GraphError
from recordings.graph.transport import Wire

LEEWAY = timedelta(minutes=5)
REFETCH_AFTER = timedelta(minutes=1)  # an unknown key, or a failure, asks again at most this often
REFRESH_AFTER = timedelta(hours=2)  # as Microsoft's sample does
KEEP_FOR = timedelta(hours=24)  # keys outlive an unreachable key server for so long
_TENANT_CLAIMS = ("tid", "http://schemas.microsoft.com/identity/claims/tenantid")
_TOKEN_LIMIT = 16 * 1024
_CONNECT_SECONDS, _READ_SECONDS, _DEADLINE_SECONDS = 3.0, 5.0, 8.0


class CallbackRejected(Exception):
    """The token is not acceptable. The text is safe to log: it never repeats the token or a claim."""


class CallbackKeysUnavailable(Exception):
    """Microsoft's keys cannot be had, so the token can neither be accepted nor refused: ask for a redelivery."""


@dataclass(frozen=True)
class CallbackConfig:
    """Who may post to us. Keys come from `jwks_url`, or else from the OIDC document at `metadata_url`."""

    audience: str  # the bot's app id
    issuers: tuple[str, ...]
    metadata_url: str | None = None
    jwks_url: str | None = None
    tenants: tuple[str, ...] = ()  # empty: any
    ca_bundle: str | None = None
    proxy: str | None = None


@dataclass(frozen=True)
class CallbackClaims:
    """What a good token says."""

    tenant_id: str
    issuer: str
    key_id: str


class CallbackVerifier:
    """Checks tokens. Verifiers of one configuration share their keys, in the whole process."""

    def __init__(self, config: CallbackConfig) -> None:
        if not (config.audience and config.issuers and (config.jwks_url or config.metadata_url)):
            raise ValueError("callback tokens need an audience, issuers and the address of the keys")
        self._config = config
        self._keys = _key_ring(config)

    def verify(self, authorization_header: str | None, *, now: datetime) -> CallbackClaims:
        """The claims of a good token; `now` is aware.

        Raises CallbackRejected (answer 401), CallbackKeysUnavailable (answer 503), ValueError for a naive `now`.
        """
        if now.tzinfo is None:
            raise ValueError("now must be aware")
        token = _bearer(authorization_header)
        key_id = _key_id(token)
        claims = self._decode(token, self._keys.key(key_id, now=now))
        _check_times(claims, now)
        return CallbackClaims(self._tenant(claims), str(claims["iss"]), key_id)

    def _decode(self, token: str, key: jwt.PyJWK) -> Mapping[str, Any]:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._config.audience,
                issuer=self._config.issuers,
                # The times are checked against the caller's clock instead.
                options={
                    "require": ["exp", "iss", "aud"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "enforce_minimum_key_length": True,
                },
            )
        except jwt.PyJWTError as error:
            reason = f"the token is not valid ({type(error).__name__})"
        raise CallbackRejected(reason)

    def _tenant(self, claims: Mapping[str, Any]) -> str:
        """The documentation says tid, Microsoft's sample reads the long name: either will do, but not both at odds."""
        found = {claims[name] for name in _TENANT_CLAIMS if isinstance(claims.get(name), str) and claims[name]}
        if len(found) != 1:
            raise CallbackRejected("the token names no tenant, or two")
        tenant_id: str = found.pop()
        allowed = {tenant.casefold() for tenant in self._config.tenants}
        if allowed and tenant_id.casefold() not in allowed:
            raise CallbackRejected("the token is about another tenant")
        return tenant_id


class _KeyRing:
    """Microsoft's keys by their id, fetched when needed. Reading known keys never waits for a fetch."""

    def __init__(self, config: CallbackConfig) -> None:
        self._config = config
        self._lock = Lock()
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._failed = False

    def key(self, key_id: str, *, now: datetime) -> jwt.PyJWK:
        """The key. Raises CallbackRejected for an unknown one, CallbackKeysUnavailable where the keys cannot be had."""
        if key_id not in self._keys or _older(self._fetched_at, REFRESH_AFTER, now):
            with self._lock:
                self._fetch_if_due(key_id, now)
        if key_id in self._keys and not _older(self._fetched_at, KEEP_FOR, now):
            return self._keys[key_id]
        if self._failed:
            raise CallbackKeysUnavailable("the keys of Microsoft's calling service cannot be fetched")
        raise CallbackRejected("the token is signed with an unknown key")

    def _fetch_if_due(self, key_id: str, now: datetime) -> None:
        wanted = key_id not in self._keys or _older(self._fetched_at, REFRESH_AFTER, now)
        if not wanted or not _older(self._tried_at, REFETCH_AFTER, now):
            return
        self._tried_at = now
        keys = _fetch_keys(self._config)
        self._failed = not keys
        if keys:
            self._keys, self._fetched_at = keys, now


_key_rings: dict[CallbackConfig, _KeyRing] = {}
_key_rings_lock = Lock()


def _key_ring(config: CallbackConfig) -> _KeyRing:
    with _key_rings_lock:
        return _key_rings.setdefault(config, _KeyRing(config))


def _older(moment: datetime | None, age: timedelta, now: datetime) -> bool:
    # abs: a clock that was set back must not freeze the keys
    return moment is None or abs(now - moment) >= age


def _bearer(header: str | None) -> str:
    scheme, _, token = (header or "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token or len(token) > _TOKEN_LIMIT:
        raise CallbackRejected("there is no bearer token")
    return token.strip()


def _key_id(token: str) -> str:
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError):
        header = {}
    key_id = header.get("kid")
    if header.get("alg") != "RS256" or not isinstance(key_id, str):
        raise CallbackRejected("the token is not signed the way Microsoft's calling service signs")
    return key_id


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    """exp and nbf (RFC 7519, 4.1.4 and 4.1.5) with LEEWAY for clocks."""
    expires, not_before = claims.get("exp"), claims.get("nbf", 0)
    if not all(isinstance(at, int | float) and not isinstance(at, bool) for at in (expires, not_before)):
        raise CallbackRejected("the token's times are not numbers")
    at, leeway = now.timestamp(), LEEWAY.total_seconds()
    # written so that NaN, which is never smaller, is refused
    if not at < float(expires or 0) + leeway:
        raise CallbackRejected("the token has expired")
    if not float(not_before) - leeway <= at:
        raise CallbackRejected("the token is not valid yet")


def _fetch_keys(config: CallbackConfig) -> Mapping[str, jwt.PyJWK]:
    """The RSA keys by id, empty where they could not be had."""
    wire = Wire(
        ca_bundle=config.ca_bundle, proxy=config.proxy, connect_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS
    )
    deadline = time.monotonic() + _DEADLINE_SECONDS
    try:
        document = _get_json(wire, config.jwks_url or config.metadata_url, deadline)
        if "keys" not in document:
            document = _get_json(wire, document.get("jwks_uri"), deadline)
    except GraphError:
        return {}
    finally:
        wire.close()
    keys = document.get("keys")
    return dict(filter(None, map(_rsa_key, keys if isinstance(keys, list) else [])))


def _get_json(wire: Wire, url: object, deadline: float) -> Mapping[str, Any]:
    if not isinstance(url, str):
        return {}
    answer = wire.send("GET", url, headers={}, deadline=deadline)
    try:
        document = json.loads(answer.body or b"") if answer.status_code == 200 else None
    except (ValueError, RecursionError):
        document = None
    return document if isinstance(document, dict) else {}


def _rsa_key(entry: object) -> tuple[str, jwt.PyJWK] | None:
    if not isinstance(entry, dict) or entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig":
        return None
    key_id = entry.get("kid")
    try:
        return (key_id, jwt.PyJWK(entry, algorithm="RS256")) if isinstance(key_id, str) else None
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
