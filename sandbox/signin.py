"""Microsoft's sign-in as far as an application needs it: metadata, keys, and tokens for client credentials."""

import base64
import binascii
import time
from urllib.parse import unquote

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_pem_x509_certificate

from sandbox.defaults import CLIENT_ID, CLIENT_SECRET, ROLES, TENANTS
from sandbox.messages import Answer, RefusedError, Request, new_id, stamp
from sandbox.state import World
from sandbox.tokens import KeyRing

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class SignInError(Exception):
    def __init__(self, status: int, error: str, number: int, message: str) -> None:
        super().__init__(f"AADSTS{number}: {message}")
        self.status, self.error, self.number = status, error, number


class SignIn:
    def __init__(self, world: World, keys: KeyRing) -> None:
        self._world = world
        self._keys = keys
        self._certified: list[RSAPublicKey] = []
        self.base_url = ""

    def trust_certificate(self, pem: str) -> None:
        try:
            key = load_pem_x509_certificate(pem.encode()).public_key()
        except ValueError as error:
            raise RefusedError("That is not a certificate in PEM form.") from error
        if not isinstance(key, RSAPublicKey):
            raise RefusedError("Only certificates with an RSA key can sign an assertion.")
        self._certified.append(key)

    def forget_certificates(self) -> None:
        self._certified.clear()

    def issuer(self, tenant: str) -> str:
        return f"{self.base_url}/{tenant}/v2.0"

    def configuration(self, request: Request, names: dict[str, str]) -> Answer:
        tenant = names["tenant"]
        if tenant not in TENANTS:
            return refused(request, unknown_tenant(tenant))
        content = {
            "issuer": self.issuer(tenant),
            "token_endpoint": f"{self.base_url}/{tenant}/oauth2/v2.0/token",
            "authorization_endpoint": f"{self.base_url}/{tenant}/oauth2/v2.0/authorize",
            "jwks_uri": f"{self.base_url}/{tenant}/discovery/v2.0/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return Answer.of(200, content)

    def keys(self, request: Request, names: dict[str, str]) -> Answer:
        return Answer.of(200, self._keys.published())

    def token(self, request: Request, names: dict[str, str]) -> Answer:
        try:
            resource = self._granted(request, names["tenant"])
        except SignInError as error:
            return refused(request, error)
        lifetime = self._world.settings.token_lifetime
        token = self.access_token(names["tenant"], resource, lifetime)
        return Answer.of(
            200,
            {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token},
            {"Cache-Control": "no-store"},
        )

    def access_token(self, tenant: str, resource: str, lifetime: int) -> str:
        issued = int(time.time())
        claims = {
            "iss": self.issuer(tenant),
            "aud": resource,
            "tid": tenant,
            "appid": CLIENT_ID,
            "azp": CLIENT_ID,
            "roles": list(ROLES),
            "idtyp": "app",
            "iat": issued,
            "nbf": issued - 60,
            "exp": issued + lifetime,
            "uti": new_id(),
        }
        return self._keys.sign(claims)

    def _granted(self, request: Request, tenant: str) -> str:
        """The resource a token may be made out for; whatever is wrong is a SignInError."""
        form = request.form()
        client_id, secret = credentials(request, form)
        if tenant not in TENANTS:
            raise unknown_tenant(tenant)
        if form.get("grant_type") != "client_credentials":
            raise SignInError(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        if client_id != CLIENT_ID:
            raise SignInError(400, "unauthorized_client", 700016, "The application was not found in the directory.")
        if "client_assertion" in form:
            self._check_assertion(form, tenant)
        elif secret != CLIENT_SECRET:
            raise SignInError(401, "invalid_client", 7000215, "Invalid client secret provided.")
        scope = form.get("scope", "")
        if " " in scope or not scope.endswith("/.default"):
            raise SignInError(400, "invalid_scope", 70011, "The provided value for scope is not valid.")
        return scope.removesuffix("/.default")

    def _check_assertion(self, form: dict[str, str], tenant: str) -> None:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise SignInError(400, "invalid_request", 900144, "The client_assertion_type is missing or not known.")
        audiences = [f"{self.base_url}/{tenant}/oauth2/v2.0/token", self.issuer(tenant)]
        for key in self._certified:
            try:
                claims = jwt.decode(
                    form["client_assertion"],
                    key,
                    algorithms=["RS256", "PS256"],
                    audience=audiences,
                    options={"require": ["exp", "iss", "sub"]},
                )
            except jwt.InvalidSignatureError:
                continue
            except jwt.InvalidTokenError as error:
                raise SignInError(
                    401, "invalid_client", 700027, f"The client assertion is not valid: {error}"
                ) from error
            if claims["iss"] == claims["sub"] == CLIENT_ID:
                return
        raise SignInError(401, "invalid_client", 700027, "The certificate of this assertion is not registered.")


def credentials(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """Client id and secret from the form, or from a Basic header."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        plain = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    client_id, _, secret = plain.partition(":")
    return unquote(client_id), unquote(secret)


def unknown_tenant(tenant: str) -> SignInError:
    return SignInError(400, "invalid_request", 90002, f"Tenant '{tenant}' not found.")


def refused(request: Request, error: SignInError) -> Answer:
    content = {
        "error": error.error,
        "error_description": f"{error} Trace ID: {request.request_id}",
        "error_codes": [error.number],
        "timestamp": stamp(request.arrived_at),
        "trace_id": request.request_id,
        "correlation_id": request.client_request_id or request.request_id,
    }
    return Answer.of(error.status, content)
