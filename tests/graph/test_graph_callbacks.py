"""Who may post notifications to us."""

import logging
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from recordings.graph.callbacks import (
    CallbackClaims,
    CallbackConfig,
    CallbackKeysUnavailable,
    CallbackRejected,
    CallbackVerifier,
)
from sandbox.server import Sandbox
from tests.graph.servers import RawServer, saying

ISSUER = "https://api.botframework.com"


@pytest.fixture
def microsoft(tmp_path: Path) -> Iterator[Sandbox]:
    """A stand-in of its own: keys are kept by address for the whole process."""
    with Sandbox(tmp_path) as sandbox:
        yield sandbox


@pytest.fixture
def config(microsoft: Sandbox) -> CallbackConfig:
    return CallbackConfig(
        audience=microsoft.client_id,
        issuers=(ISSUER, "https://graph.microsoft.com"),
        metadata_url=microsoft.callback_metadata_url,
        ca_bundle=str(microsoft.ca_file),
    )


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


def check(config: CallbackConfig, token: str, now: datetime) -> CallbackClaims:
    return CallbackVerifier(config).verify(f"Bearer {token}", now=now)


def unix(moment: datetime) -> int:
    return int(moment.timestamp())


def test_a_good_token_names_tenant_issuer_and_key(config: CallbackConfig, microsoft: Sandbox, now: datetime) -> None:
    token = microsoft.callback_token()

    claims = check(config, token, now)

    assert (claims.tenant_id, claims.issuer) == (microsoft.tenant_id, ISSUER)
    assert claims.key_id == jwt.get_unverified_header(token)["kid"]


def test_the_keys_may_be_named_directly(config: CallbackConfig, microsoft: Sandbox, now: datetime) -> None:
    direct = CallbackConfig(
        audience=config.audience,
        issuers=config.issuers,
        jwks_url=microsoft.callback_jwks_url,
        ca_bundle=config.ca_bundle,
    )

    assert check(direct, microsoft.callback_token(), now)


@pytest.mark.parametrize(
    "claims",
    [
        {"tid": None},
        {"tid": "", "http://schemas.microsoft.com/identity/claims/tenantid": ""},
        {"tid": 7},
        {"tid": "one", "http://schemas.microsoft.com/identity/claims/tenantid": "another"},
        {"aud": "another-app"},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"nbf": "yesterday"},
    ],
)
def test_a_wrong_or_missing_claim_is_rejected(
    config: CallbackConfig, microsoft: Sandbox, now: datetime, *, claims: dict[str, Any]
) -> None:
    with pytest.raises(CallbackRejected):
        check(config, microsoft.callback_token(**claims), now)


def test_the_tenant_may_come_under_its_long_name(config: CallbackConfig, microsoft: Sandbox, now: datetime) -> None:
    long_name = {"http://schemas.microsoft.com/identity/claims/tenantid": "tenant-7"}

    assert check(config, microsoft.callback_token(tid=None, **long_name), now).tenant_id == "tenant-7"


def test_only_allowed_tenants_pass_where_some_are_named(
    config: CallbackConfig, microsoft: Sandbox, now: datetime
) -> None:
    ours = CallbackConfig(**{**vars(config), "tenants": (microsoft.tenant_id.upper(),)})

    assert check(ours, microsoft.callback_token(), now)
    with pytest.raises(CallbackRejected, match="another tenant"):
        check(ours, microsoft.callback_token(microsoft.other_tenant_id), now)


@pytest.mark.parametrize(
    ("claim", "minutes", "passes"),
    [("exp", -4, True), ("exp", -6, False), ("nbf", 4, True), ("nbf", 6, False)],
)
def test_clocks_may_differ_by_five_minutes(
    config: CallbackConfig, microsoft: Sandbox, now: datetime, *, claim: str, minutes: int, passes: bool
) -> None:
    claims: dict[str, Any] = {claim: unix(now + timedelta(minutes=minutes))}
    token = microsoft.callback_token(**claims)

    if passes:
        assert check(config, token, now)
    else:
        with pytest.raises(CallbackRejected):
            check(config, token, now)


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer a.b.c", "Bearer " + "x" * 20_000]
)
def test_what_is_no_bearer_token_is_rejected_without_asking_for_keys(
    config: CallbackConfig, now: datetime, *, header: str | None
) -> None:
    nowhere = CallbackConfig(**{**vars(config), "metadata_url": "https://127.0.0.1:9/keys"})

    with pytest.raises(CallbackRejected):
        CallbackVerifier(nowhere).verify(header, now=now)


def test_a_signature_by_another_key_is_rejected(config: CallbackConfig, microsoft: Sandbox, now: datetime) -> None:
    good = microsoft.callback_token()
    claims = jwt.decode(good, options={"verify_signature": False})
    forged = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    token = jwt.encode(claims, forged, algorithm="RS256", headers=jwt.get_unverified_header(good))

    with pytest.raises(CallbackRejected, match="not valid"):
        check(config, token, now)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES256"])
def test_no_algorithm_but_rs256_passes(
    config: CallbackConfig, microsoft: Sandbox, now: datetime, *, algorithm: str
) -> None:
    good = microsoft.callback_token()
    keys: dict[str, Any] = {"none": "", "HS256": "x" * 64, "ES256": ec.generate_private_key(ec.SECP256R1())}
    claims = jwt.decode(good, options={"verify_signature": False})
    kid = jwt.get_unverified_header(good)["kid"]

    with pytest.raises(CallbackRejected, match="signs"):
        check(config, jwt.encode(claims, keys[algorithm], algorithm=algorithm, headers={"kid": kid}), now)


def test_a_new_key_is_fetched_but_at_most_once_a_minute(
    config: CallbackConfig, microsoft: Sandbox, now: datetime
) -> None:
    assert check(config, microsoft.callback_token(), now)
    microsoft.rotate_keys(keep_old=False)
    token = microsoft.callback_token()

    with pytest.raises(CallbackRejected, match="unknown key"):
        check(config, token, now + timedelta(seconds=59))
    assert check(config, token, now + timedelta(seconds=61))


def test_unavailable_keys_are_not_a_rejection_and_count_as_a_try(
    config: CallbackConfig, microsoft: Sandbox, now: datetime
) -> None:
    microsoft.fault("error", action="callback-keys", status=503)
    token = microsoft.callback_token()

    for seconds in (0, 30):
        with pytest.raises(CallbackKeysUnavailable):
            check(config, token, now + timedelta(seconds=seconds))
    assert check(config, token, now + timedelta(seconds=61))


def test_old_keys_serve_for_a_day_while_new_ones_cannot_be_had(
    config: CallbackConfig, microsoft: Sandbox, now: datetime
) -> None:
    token = microsoft.callback_token(exp=unix(now + timedelta(days=9)))
    check(config, token, now)
    microsoft.fault("error", action="callback-configuration", status=503, times=None)

    assert check(config, token, now + timedelta(hours=23))
    with pytest.raises(CallbackKeysUnavailable):
        check(config, token, now + timedelta(hours=25))


def test_a_withdrawn_key_is_forgotten_after_two_hours(
    config: CallbackConfig, microsoft: Sandbox, now: datetime
) -> None:
    token = microsoft.callback_token(exp=unix(now + timedelta(days=9)))
    check(config, token, now)
    microsoft.rotate_keys(keep_old=False)

    with pytest.raises(CallbackRejected, match="unknown key"):
        check(config, token, now + timedelta(hours=2))


def test_many_threads_with_an_unknown_key_fetch_once(raw: RawServer, now: datetime) -> None:
    raw.behaviour = saying(b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"keys":[{}]')
    config = CallbackConfig("app", (ISSUER,), jwks_url=f"{raw.url}/keys", ca_bundle=str(raw.ca_file))
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    token = jwt.encode({}, key, algorithm="RS256", headers={"kid": "k"})
    failures: list[str] = []

    def verify() -> None:
        try:
            check(config, token, now)
        except CallbackKeysUnavailable:
            failures.append("unavailable")

    threads = [threading.Thread(target=verify) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert failures == ["unavailable"] * 6
    assert len(raw.requests) == 1


@pytest.mark.parametrize(
    "keys",
    [
        b"{}",
        b"[]",
        b"nope",
        b'{"keys": []}',
        b'{"keys": [7, {"kty": "EC"}, {"kty": "RSA", "kid": "k"}]}',
        b'{"keys": [{"kty": "RSA", "kid": "k", "n": "!", "e": 7}]}',
        b'{"jwks_uri": "http://plain.example/keys"}',
        b'{"jwks_uri": 7}',
    ],
)
def test_rubbish_for_keys_means_unavailable(raw: RawServer, now: datetime, *, keys: bytes) -> None:
    raw.behaviour = saying(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(keys), keys))
    config = CallbackConfig("app", (ISSUER,), metadata_url=f"{raw.url}/metadata", ca_bundle=str(raw.ca_file))
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    with pytest.raises(CallbackKeysUnavailable):
        check(config, jwt.encode({}, key, algorithm="RS256", headers={"kid": "k"}), now)


def test_no_token_and_no_claim_is_in_a_reason_or_a_log(
    config: CallbackConfig, microsoft: Sandbox, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = microsoft.callback_token(iss="https://evil.example")

    with pytest.raises(CallbackRejected) as caught:
        check(config, token, now)

    for text in (str(caught.value), repr(caught.value), caplog.text):
        assert token not in text
        assert "evil" not in text


def test_a_naive_time_is_a_mistake_of_ours(config: CallbackConfig, microsoft: Sandbox) -> None:
    with pytest.raises(ValueError, match="aware"):
        check(config, microsoft.callback_token(), datetime.fromtimestamp(time.time()))  # noqa: DTZ006


@pytest.mark.parametrize("change", [{"audience": ""}, {"issuers": ()}, {"metadata_url": None}])
def test_a_verifier_without_its_facts_is_not_made(config: CallbackConfig, *, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="audience"):
        CallbackVerifier(CallbackConfig(**{**vars(config), **change}))
