"""Tokens, as msal and a bare client get them."""

import base64
import time
from datetime import UTC, datetime, timedelta

import jwt
import msal
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.server import Sandbox
from tests.sandbox.clients import Browser


def application(sandbox: Sandbox, browser: Browser, credential: object) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        sandbox.client_id,
        client_credential=credential,
        oidc_authority=sandbox.issuer,
        http_client=browser.session,
    )


def certificate() -> tuple[str, str]:
    """A private key and its certificate, both PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bot")])
    today = datetime.now(UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), cert.public_bytes(serialization.Encoding.PEM).decode()


def test_msal_gets_a_token_with_the_secret_and_graph_takes_it(sandbox: Sandbox) -> None:
    call_id = sandbox.add_call()["call_id"]
    with Browser(sandbox) as browser:
        app = application(sandbox, browser, sandbox.client_secret)
        token = app.acquire_token_for_client(scopes=[f"{sandbox.base_url}/.default"])["access_token"]
        answer = browser.graph("GET", call_id, headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["id"] == call_id


def test_msal_gets_a_token_with_a_registered_certificate_only(sandbox: Sandbox) -> None:
    private, cert = certificate()
    with Browser(sandbox) as browser:
        credential = {"private_key": private, "public_certificate": cert}
        scopes = [f"{sandbox.base_url}/.default"]
        refused = application(sandbox, browser, credential).acquire_token_for_client(scopes=scopes)
        sandbox.trust_certificate(cert)
        granted = application(sandbox, browser, credential).acquire_token_for_client(scopes=scopes)
    assert refused["error"] == "invalid_client"
    assert "access_token" in granted


@pytest.mark.parametrize(
    ("changes", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_id": "wrong"}, 400, "unauthorized_client", 700016),
        ({"scope": "Calls.AccessMedia.All"}, 400, "invalid_scope", 70011),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"tenant": "00000000-0000-0000-0000-000000000000"}, 400, "invalid_request", 90002),
    ],
)
def test_a_wrong_request_for_a_token_is_refused_in_microsofts_words(
    sandbox: Sandbox, changes: dict[str, str], status: int, error: str, number: int
) -> None:
    with Browser(sandbox) as browser:
        answer = browser.ask_for_token(**changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_codes"] == [number]
    assert answer.json()["error_description"].startswith(f"AADSTS{number}: ")


def test_the_secret_may_come_in_a_basic_header(sandbox: Sandbox) -> None:
    pair = base64.b64encode(f"{sandbox.client_id}:{sandbox.client_secret}".encode()).decode()
    form = {"grant_type": "client_credentials", "scope": "https://graph.microsoft.com/.default"}
    path = f"/{sandbox.tenant_id}/oauth2/v2.0/token"
    with Browser(sandbox) as browser:
        good = browser.send("POST", path, data=form, headers={"Authorization": f"Basic {pair}"})
        bad = browser.send("POST", path, data=form, headers={"Authorization": "Basic ???"})
    assert good.json()["token_type"] == "Bearer"
    assert bad.status_code == 400


def test_a_token_says_who_and_where_and_can_be_checked_with_the_published_keys(sandbox: Sandbox) -> None:
    sandbox.settings(token_lifetime=60)
    with Browser(sandbox) as browser:
        answer = browser.ask_for_token().json()
        keys = jwt.PyJWKSet.from_dict(browser.send("GET", f"/{sandbox.tenant_id}/discovery/v2.0/keys").json())
    key = keys[jwt.get_unverified_header(answer["access_token"])["kid"]]
    claims = jwt.decode(answer["access_token"], key, audience=sandbox.base_url)
    assert (claims["tid"], claims["appid"]) == (sandbox.tenant_id, sandbox.client_id)
    assert "Calls.AccessMedia.All" in claims["roles"]
    assert answer["expires_in"] == claims["exp"] - claims["iat"] == 60


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer garbage", "Basic abc", "Bearer a.b.c"])
def test_graph_refuses_a_missing_or_senseless_token(sandbox: Sandbox, header: str) -> None:
    call_id = sandbox.add_call()["call_id"]
    with Browser(sandbox) as browser:
        answer = browser.tell(call_id, headers={"Authorization": header})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")


def test_graph_refuses_an_expired_token_and_one_for_somebody_else(sandbox: Sandbox) -> None:
    call_id = sandbox.add_call()["call_id"]
    with Browser(sandbox) as browser:
        stranger = browser.ask_for_token(scope="https://example.org/.default").json()["access_token"]
        sandbox.settings(token_lifetime=-10)
        expired = browser.ask_for_token().json()["access_token"]
        for token in (stranger, expired):
            answer = browser.tell(call_id, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401


def test_a_token_of_the_calling_platform_does_not_open_graph(sandbox: Sandbox) -> None:
    call_id = sandbox.add_call()["call_id"]
    token = sandbox.callback_token(aud=sandbox.base_url, exp=int(time.time()) + 60)
    with Browser(sandbox) as browser:
        answer = browser.tell(call_id, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


def test_after_a_rotation_without_the_old_key_old_tokens_are_worthless(sandbox: Sandbox, bot: Browser) -> None:
    call_id = sandbox.add_call()["call_id"]
    sandbox.rotate_keys(which="tokens", keep_old=True)
    assert bot.tell(call_id).status_code == 200
    sandbox.rotate_keys(which="tokens", keep_old=False)
    assert bot.tell(call_id).status_code == 401
