"""Tokens: one application a configuration, and no secret in what goes wrong."""

import logging
import threading
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from recordings.graph.auth import drop_token, token
from recordings.graph.clouds import GraphConfig
from recordings.graph.errors import GraphAuthFailed, GraphNotSent
from sandbox.server import Sandbox
from tests.graph.conftest import soon
from tests.graph.servers import RawServer, saying

PASSWORD = "pass-of-the-certificate"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "recorder bot")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
    return builder.not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())


def pem_of(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def test_a_token_is_kept_until_it_is_dropped(config: GraphConfig) -> None:
    first = token(config, deadline=soon())

    assert token(config, deadline=soon()) == first
    drop_token(config)
    assert token(config, deadline=soon()) != first


def test_the_token_is_for_our_tenant_and_graph(config: GraphConfig, sandbox: Sandbox) -> None:
    claims = jwt.decode(token(config, deadline=soon()), options={"verify_signature": False})

    assert (claims["tid"], claims["aud"]) == (sandbox.tenant_id, "https://graph.microsoft.com")


def test_threads_that_need_a_token_at_once_get_the_same(config: GraphConfig) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(token(config, deadline=soon()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_wrong_secret_is_named_and_not_repeated(config: GraphConfig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = replace(config, client_secret="not-the-secret-but-secret")

    with pytest.raises(GraphAuthFailed) as caught:
        token(wrong, deadline=soon())

    assert (caught.value.code, caught.value.can_retry) == ("AADSTS7000215", False)
    whole = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    for text in (str(caught.value), whole, caplog.text, repr(wrong)):
        assert "not-the-secret-but-secret" not in text


def test_a_wrong_secret_does_not_spoil_the_right_one(config: GraphConfig) -> None:
    with pytest.raises(GraphAuthFailed):
        token(replace(config, client_secret="wrong"), deadline=soon())

    assert token(config, deadline=soon())


def test_an_unknown_app_is_refused_for_good(config: GraphConfig) -> None:
    with pytest.raises(GraphAuthFailed) as caught:
        token(replace(config, client_id="another-app"), deadline=soon())

    assert (caught.value.code, caught.value.can_retry) == ("AADSTS700016", False)


def test_an_unknown_tenant_is_named_though_msal_swallows_it(config: GraphConfig) -> None:
    elsewhere = replace(config, authority=config.authority.replace(config.tenant_id, "nobody"))

    with pytest.raises(GraphAuthFailed) as caught:
        token(elsewhere, deadline=soon())

    assert (caught.value.code, caught.value.can_retry) == ("AADSTS90002", False)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_failure_of_the_sign_in_is_not_remembered(
    config: GraphConfig, sandbox: Sandbox, *, status: int
) -> None:
    sandbox.fault("error", action="token", status=status, retry_after="600")

    with pytest.raises(GraphNotSent) as caught:
        token(config, deadline=soon())

    assert not isinstance(caught.value, GraphAuthFailed)
    assert (caught.value.http_status, caught.value.retry_after_seconds) == (status, 600.0)
    assert caught.value.can_retry
    assert token(config, deadline=soon())


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refusal_is_not_remembered_either(config: GraphConfig, sandbox: Sandbox, *, status: int) -> None:
    sandbox.fault("error", action="token", status=status)

    with pytest.raises(GraphAuthFailed) as caught:
        token(config, deadline=soon())

    assert (caught.value.code, caught.value.can_retry) == ("sign-in-refused", False)
    assert caught.value.http_status == status
    assert token(config, deadline=soon())


@pytest.mark.parametrize("action", ["configuration", "token"])
@pytest.mark.parametrize("do", ["close", "garbage", "half"])
def test_a_lost_answer_of_the_sign_in_means_that_nothing_was_sent_to_graph(
    config: GraphConfig, sandbox: Sandbox, *, action: str, do: str
) -> None:
    sandbox.fault(do, action=action)

    with pytest.raises(GraphNotSent) as caught:
        token(config, deadline=soon())

    assert (caught.value.code, caught.value.can_retry) == ("sign-in", True)
    assert token(config, deadline=soon())


def test_a_sign_in_that_hangs_is_given_up_at_the_deadline(config: GraphConfig, sandbox: Sandbox) -> None:
    sandbox.fault("hang", action="token")

    with pytest.raises(GraphNotSent) as caught:
        token(config, deadline=soon(0.4))

    assert caught.value.code == "deadline"


def test_nobody_waits_longer_than_the_deadline_for_another_threads_token(config: GraphConfig, sandbox: Sandbox) -> None:
    sandbox.fault("hang", action="token")
    first = threading.Thread(target=lambda: token(config, deadline=soon(60)))
    first.start()
    assert sandbox.wait_for_hanging()

    with pytest.raises(GraphNotSent) as caught:
        token(config, deadline=soon(0.1))

    assert caught.value.code == "deadline"
    sandbox.release()
    first.join(10)


@pytest.mark.parametrize("name", ["client_id", "client_secret", "authority"])
def test_a_missing_setting_is_our_own_fault(config: GraphConfig, *, name: str) -> None:
    missing: dict[str, Any] = {name: ""}

    with pytest.raises(GraphAuthFailed) as caught:
        token(replace(config, **missing), deadline=soon())

    assert (caught.value.code, caught.value.can_retry) == ("configuration", False)


def test_an_issuer_that_is_not_the_authority_is_refused(config: GraphConfig, raw: RawServer) -> None:
    body = b'{"issuer":"https://evil.example","authorization_endpoint":"x","token_endpoint":"https://evil.example/t/x"}'
    raw.behaviour = saying(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    with pytest.raises(GraphAuthFailed) as caught:
        token(replace(config, authority=f"{raw.url}/t", ca_bundle=str(raw.ca_file)), deadline=soon())

    assert caught.value.code == "configuration"
    assert len(raw.requests) == 1


@pytest.mark.parametrize("password", ["", PASSWORD])
@pytest.mark.parametrize("form", ["pem", "pfx"])
def test_a_certificate_opens_the_door(
    config: GraphConfig,
    sandbox: Sandbox,
    tmp_path: Path,
    key: rsa.RSAPrivateKey,
    certificate: x509.Certificate,
    *,
    form: str,
    password: str,
) -> None:
    lock = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    path = tmp_path / f"bot.{form}"
    if form == "pfx":
        path.write_bytes(pkcs12.serialize_key_and_certificates(b"bot", key, certificate, None, lock))
    else:
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
        path.write_bytes(private + pem_of(certificate).encode())
    sandbox.trust_certificate(pem_of(certificate))

    with_certificate = replace(config, client_secret="", certificate_path=str(path), certificate_password=password)

    assert token(with_certificate, deadline=soon())


@pytest.mark.parametrize("content", [b"not a certificate", b"-----BEGIN CERTIFICATE-----\nno key\n", None])
def test_an_unusable_certificate_is_our_own_fault(
    config: GraphConfig, tmp_path: Path, *, content: bytes | None
) -> None:
    path = tmp_path / "bot.pem"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(GraphAuthFailed) as caught:
        token(replace(config, client_secret="", certificate_path=str(path)), deadline=soon())

    assert caught.value.code == "configuration"


def test_an_encrypted_key_without_its_password_is_our_own_fault(
    config: GraphConfig, tmp_path: Path, key: rsa.RSAPrivateKey, certificate: x509.Certificate
) -> None:
    lock = serialization.BestAvailableEncryption(PASSWORD.encode())
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
    path = tmp_path / "bot.pem"
    path.write_bytes(private + pem_of(certificate).encode())

    with pytest.raises(GraphAuthFailed) as caught:
        token(replace(config, client_secret="", certificate_path=str(path)), deadline=soon())

    assert caught.value.code == "configuration"


def test_a_federated_assertion_is_read_anew_for_each_token(
    config: GraphConfig, sandbox: Sandbox, tmp_path: Path, key: rsa.RSAPrivateKey, certificate: x509.Certificate
) -> None:
    sandbox.trust_certificate(pem_of(certificate))
    path = tmp_path / "assertion"
    federated = replace(config, client_secret="", federated_assertion_file=str(path))

    with pytest.raises(GraphAuthFailed):
        token(federated, deadline=soon())

    claims = {
        "iss": config.client_id,
        "sub": config.client_id,
        "aud": sandbox.issuer,
        "exp": datetime.now(UTC) + timedelta(hours=1),
    }
    path.write_text(jwt.encode(claims, key, algorithm="RS256") + "\n")
    assert token(federated, deadline=soon())
