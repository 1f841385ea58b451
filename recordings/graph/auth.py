"""Tokens for Graph, by msal's client credentials flow, over our own wire.

Reference: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow

One msal application per configuration lives for the whole process: it holds the token cache. msal also remembers
failures (429 and 5xx for the Retry-After, 400 for a minute), so an application that met one is dropped.
"""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import jwt
import msal
from cryptography.exceptions import UnsupportedAlgorithm

from recordings.graph.clouds import GraphConfig
from recordings.graph.errors import GraphAuthFailed, GraphError, GraphNotSent, parse_retry_after
from recordings.graph.errors.explanations import KNOWN_CODES
from recordings.graph.transport import RawAnswer, Wire

_AADSTS = re.compile(r"AADSTS\d{4,9}", re.ASCII)
_TOKEN = re.compile(r"[\x21-\x7e]+")
_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)
_CERTIFICATES = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)

# What msal raises for a bad authority, an unknown tenant, a key it cannot read or a wrong password.
_UNUSABLE = (ValueError, KeyError, TypeError, AttributeError, OSError, UnsupportedAlgorithm, jwt.PyJWTError)


# msal renews a token minutes before it ends. Asking it takes longer than many a request, so it is not asked for each.
_ASK_MSAL_AGAIN_SECONDS = 5.0


@dataclass
class _Slot:
    """One configuration's application, made when first needed; its lock lets one thread at a time ask for a token."""

    lock: Lock = field(default_factory=Lock)
    application: Any = None
    http: "_MsalHttp | None" = None
    token: str = field(default="", repr=False)
    token_until: float = 0.0  # time.monotonic()


_slots: dict[GraphConfig, _Slot] = {}
_slots_lock = Lock()


def token(config: GraphConfig, *, deadline: float) -> str:
    """An access token, from the cache while it is good. `deadline` is a time.monotonic() moment.

    Raises GraphAuthFailed where the sign-in service refuses or our credential is unusable, else GraphNotSent.
    """
    slot = _slot(config)
    if time.monotonic() < slot.token_until:
        return slot.token
    if not slot.lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
        raise GraphNotSent("No time was left to wait for a token.", code="deadline")
    try:
        answer, failure = _ask(slot, config, deadline=deadline)
        if failure is not None:
            slot.application = None
        else:
            slot.token, slot.token_until = answer, time.monotonic() + _ASK_MSAL_AGAIN_SECONDS
    finally:
        slot.lock.release()
    if failure is not None:
        raise failure
    return answer


def drop_token(config: GraphConfig) -> None:
    """Forget the cached token, so that the next call fetches a new one. msal's own flow has no force_refresh."""
    with _slots_lock:
        _slots.pop(config, None)


def _slot(config: GraphConfig) -> _Slot:
    with _slots_lock:
        return _slots.setdefault(config, _Slot())


def _ask(slot: _Slot, config: GraphConfig, *, deadline: float) -> tuple[str, GraphError | None]:
    """The token or the error, never raised from here: a traceback through msal would show the secret."""
    try:
        if slot.application is None or slot.http is None:
            slot.http = _MsalHttp(config)
            slot.http.deadline = deadline
            slot.application = _application(config, slot.http)
        slot.http.deadline = deadline
        answer = slot.application.acquire_token_for_client(scopes=[config.scope])
    except GraphError as error:
        return "", _not_sent(error)
    except _UNUSABLE as error:
        return "", _unusable(error, slot.http, config)
    return _read(answer, slot.http, config)


def _application(config: GraphConfig, http: "_MsalHttp") -> Any:
    if not (config.authority and config.client_id and config.scope):
        raise ValueError("The tenant or the app's id is missing.")
    issuer = {"oidc_authority" if config.oidc else "authority": config.authority}
    return msal.ConfidentialClientApplication(
        config.client_id,
        client_credential=_credential(config),
        http_client=http,
        azure_region=False,  # otherwise MSAL_FORCE_REGION in the environment moves us to another host
        **issuer,
    )


def _credential(config: GraphConfig) -> str | dict[str, Any]:
    """What proves that we are the app: a certificate before a federated assertion before a secret."""
    if config.certificate_path:
        return _certificate(Path(config.certificate_path), config.certificate_password or None)
    if config.federated_assertion_file:
        # A callable: the file is renewed by somebody else, and read again for each token.
        return {"client_assertion": lambda: Path(config.federated_assertion_file).read_text("ascii").strip()}
    if not config.client_secret:
        raise ValueError("No client secret, certificate or federated assertion is set.")
    return config.client_secret


def _certificate(path: Path, password: str | None) -> dict[str, Any]:
    pem = path.read_bytes()
    if b"-----BEGIN" not in pem:
        return {"private_key_pfx_path": str(path), "passphrase": password, "public_certificate": True}
    text = pem.decode("ascii")
    key, certificates = _KEY.search(text), _CERTIFICATES.findall(text)
    if key is None or not certificates:
        raise ValueError("The PEM file must hold the private key and its certificate.")
    return {"private_key": key.group(), "public_certificate": "\n".join(certificates), "passphrase": password}


def _read(answer: Mapping[str, Any], http: "_MsalHttp", config: GraphConfig) -> tuple[str, GraphError | None]:
    if "error" in answer:
        return "", _refused(answer, config, http_status=http.refusal_status)
    found = answer.get("access_token")
    if not isinstance(found, str) or not _TOKEN.fullmatch(found):
        return "", GraphNotSent("The sign-in service's answer holds no usable token.", code="sign-in")
    return found, None


def _refused(answer: Mapping[str, Any], config: GraphConfig, *, http_status: int | None) -> GraphAuthFailed:
    described = str(answer.get("error_description") or answer.get("error") or "")
    if config.client_secret:
        described = described.replace(config.client_secret, "[removed]")
    number = _AADSTS.search(described)
    word = str(answer.get("error"))
    return GraphAuthFailed(
        described.partition("\n")[0].strip() or "The sign-in service refused us.",
        code=number.group() if number else word if word in KNOWN_CODES else "sign-in-refused",
        http_status=http_status,
    )


def _not_sent(error: GraphError) -> GraphError:
    """Whatever became of the request for a token: nothing was sent to Graph.

    A new error, since the old one's traceback leads through msal's frames, and they hold the secret.
    """
    lost = not isinstance(error, GraphNotSent) and error.code != "deadline"
    return GraphNotSent(
        f"No token: {error.message}",
        code="sign-in" if lost else error.code,
        http_status=error.http_status,
        retry_after_seconds=error.retry_after_seconds,
        latency_seconds=error.latency_seconds,
    )


def _unusable(error: Exception, http: "_MsalHttp | None", config: GraphConfig) -> GraphAuthFailed:
    if http is not None and http.refusal:
        return _refused(http.refusal, config, http_status=http.refusal_status)
    # Of the error itself only the type is told: msal's texts repeat what it was given.
    return GraphAuthFailed(f"Our own sign-in settings are not usable ({type(error).__name__}).", code="configuration")


class _MsalHttp:
    """What msal needs of an HTTP client, on our wire. A failure is raised, so msal neither reads nor remembers it."""

    def __init__(self, config: GraphConfig) -> None:
        self._wire = Wire(
            ca_bundle=config.ca_bundle,
            proxy=config.proxy,
            connect_timeout=config.connect_timeout_seconds,
            read_timeout=config.read_timeout_seconds,
        )
        self.deadline = 0.0
        self.refusal: Mapping[str, Any] = {}
        self.refusal_status: int | None = None

    def get(self, url: str, params: Any = None, headers: Mapping[str, str] | None = None) -> "_MsalAnswer":
        """msal reads documents of the authority; it passes no parameters where the authority is known."""
        if params:
            raise ValueError("The authority is not one that is known.")
        return self._send("GET", url, headers=headers)

    def post(
        self, url: str, params: Any = None, data: Any = None, headers: Mapping[str, str] | None = None
    ) -> "_MsalAnswer":
        """msal asks for a token."""
        return self._send("POST", url, data=data, headers=headers)

    def _send(self, method: str, url: str, *, headers: Mapping[str, str] | None, data: Any = None) -> "_MsalAnswer":
        answer = self._wire.send(method, url, headers=headers or {}, data=data, deadline=self.deadline, fresh=True)
        self._wire.close()  # a token is needed once an hour: nothing stays open in between
        document = _document(answer)
        if 400 <= answer.status_code < 500:
            self.refusal, self.refusal_status = document, answer.status_code
        return _MsalAnswer(answer.status_code, json.dumps(document), dict(answer.headers))


@dataclass(frozen=True)
class _MsalAnswer:
    status_code: int
    text: str = field(repr=False)
    headers: Mapping[str, str]

    def raise_for_status(self) -> None:
        """Part of what msal expects; statuses that would raise were raised before."""


def _document(answer: RawAnswer) -> Mapping[str, Any]:
    """The answer's JSON object. Raises GraphNotSent where msal could do nothing with it: 3xx, 429, 5xx, no JSON."""
    status = answer.status_code
    if status == 429 or not (200 <= status < 300 or 400 <= status < 500):
        wait = parse_retry_after(answer.headers.get("Retry-After"), datetime.now(UTC))
        raise GraphNotSent(
            "The sign-in service could not answer.", http_status=status, retry_after_seconds=wait, code="sign-in"
        )
    try:
        document = json.loads(answer.body or b"")
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        if status >= 400:
            return {"error": f"HTTP {status}"}
        raise GraphNotSent("The sign-in service's answer is unreadable.", http_status=status, code="sign-in")
    return document
