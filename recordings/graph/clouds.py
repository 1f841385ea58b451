"""Microsoft's national clouds, and the configuration of one connection to one of them.

Roots and availability: https://learn.microsoft.com/graph/deployments
China (21Vianet) has no updateRecordingStatus and is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

SHARED_TENANTS = frozenset({"common", "organizations", "consumers"})


@dataclass(frozen=True)
class Cloud:
    """One national cloud. Unknown callback values (not published for the government clouds) are None and ()."""

    name: str
    graph_root: str
    login_root: str
    callback_metadata_url: str | None
    callback_issuers: tuple[str, ...]


CLOUDS: Mapping[str, Cloud] = {
    "global": Cloud(
        name="global",
        graph_root="https://graph.microsoft.com",
        login_root="https://login.microsoftonline.com",
        callback_metadata_url="https://api.aps.skype.com/v1/.well-known/OpenIdConfiguration",
        callback_issuers=("https://api.botframework.com", "https://graph.microsoft.com"),
    ),
    "gcc-high": Cloud("gcc-high", "https://graph.microsoft.us", "https://login.microsoftonline.us", None, ()),
    "dod": Cloud("dod", "https://dod-graph.microsoft.us", "https://login.microsoftonline.us", None, ()),
}
MICROSOFT_HOSTS = frozenset(
    urlsplit(url).hostname for cloud in CLOUDS.values() for url in (cloud.graph_root, cloud.login_root)
)


@dataclass(frozen=True)
class GraphConfig:
    """Everything one connection needs. Times are in seconds; empty strings mean "not set"."""

    base_url: str  # version included, no slash at the end
    authority: str
    scope: str
    tenant_id: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    certificate_path: str = ""
    certificate_password: str = field(default="", repr=False)
    federated_assertion_file: str = ""
    ca_bundle: str | None = None
    proxy: str | None = field(default=None, repr=False)  # may carry a password
    connect_timeout_seconds: float = 5.0
    read_timeout_seconds: float = 10.0
    deadline_seconds: float = 15.0
    max_attempts: int = 4
    oidc: bool = False  # the authority is not Microsoft's: a plain OIDC issuer


def graph_config(values: Mapping[str, Any]) -> GraphConfig:
    """Build the configuration from GRAPH_… names; absent and empty values take the cloud's defaults.

    A missing tenant, client or credential is not an error here: it is one when a token is asked for.
    Raises ValueError, naming the setting, for an unknown cloud, a URL that is not plain https, or a bad number.
    """
    cloud = _cloud(_text(values, "GRAPH_CLOUD") or "global")
    tenant_id = _tenant(values)
    authority = _https_url(values, "GRAPH_AUTHORITY") or (f"{cloud.login_root}/{tenant_id}" if tenant_id else "")
    connect_timeout, read_timeout = _timeouts(values.get("GRAPH_TIMEOUT"))
    return GraphConfig(
        base_url=_https_url(values, "GRAPH_BASE_URL") or f"{cloud.graph_root}/v1.0",
        authority=authority,
        scope=_text(values, "GRAPH_SCOPE") or f"{cloud.graph_root}/.default",
        tenant_id=tenant_id,
        client_id=_text(values, "GRAPH_CLIENT_ID"),
        client_secret=_text(values, "GRAPH_CLIENT_SECRET"),
        certificate_path=_text(values, "GRAPH_CLIENT_CERTIFICATE"),
        certificate_password=_text(values, "GRAPH_CLIENT_CERTIFICATE_PASSWORD"),
        federated_assertion_file=_text(values, "GRAPH_CLIENT_ASSERTION_FILE"),
        ca_bundle=_text(values, "GRAPH_CA_BUNDLE") or None,
        proxy=_text(values, "GRAPH_PROXY") or None,
        connect_timeout_seconds=connect_timeout,
        read_timeout_seconds=read_timeout,
        deadline_seconds=_seconds(_given(values, "GRAPH_DEADLINE", 15), "GRAPH_DEADLINE"),
        max_attempts=_attempts(_given(values, "GRAPH_MAX_ATTEMPTS", 4)),
        oidc=bool(authority) and not is_microsoft_host(authority),
    )


def is_microsoft_host(url: str) -> bool:
    """Whether an https URL names exactly a host of CLOUDS: default port, no user, no suffix, no trailing dot."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = parts.scheme == "https" and "@" not in parts.netloc and "\\" not in url and port in (None, 443)
    return plain and parts.hostname in MICROSOFT_HOSTS


def _text(values: Mapping[str, Any], name: str) -> str:
    return str(values.get(name) or "").strip()


def _given(values: Mapping[str, Any], name: str, default: int) -> Any:
    """Zero is a value, and a wrong one."""
    value = values.get(name)
    return default if value is None or value == "" else value


def _cloud(name: str) -> Cloud:
    if name not in CLOUDS:
        raise ValueError(f"GRAPH_CLOUD is {name!r}; known clouds: {', '.join(CLOUDS)}")
    return CLOUDS[name]


def _tenant(values: Mapping[str, Any]) -> str:
    tenant_id = _text(values, "GRAPH_TENANT_ID")
    if tenant_id.lower() in SHARED_TENANTS:
        # The token's tenant must be the call's tenant; shared endpoints are refused by Graph with 7505.
        raise ValueError(f"GRAPH_TENANT_ID is {tenant_id!r}; it must be the tenant of the calls")
    return tenant_id


def _https_url(values: Mapping[str, Any], name: str) -> str:
    url = _text(values, name).rstrip("/")
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "https" and bool(parts.hostname) and (parts.port or 443) > 0
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(f"{name} must be a plain https URL, without user, query and fragment")
    return url


def _timeouts(value: Any) -> tuple[float, float]:
    if not value:
        return 5.0, 10.0
    parts = value.split(",") if isinstance(value, str) else list(value)
    if len(parts) != 2:
        raise ValueError("GRAPH_TIMEOUT must be two numbers of seconds: connect,read")
    return _seconds(parts[0], "GRAPH_TIMEOUT"), _seconds(parts[1], "GRAPH_TIMEOUT")


def _seconds(value: Any, name: str) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number of seconds") from None
    if not 0 < seconds <= 600:
        raise ValueError(f"{name} must be more than 0 and at most 600 seconds")
    return seconds


def _attempts(value: Any) -> int:
    try:
        attempts = int(value)
    except (TypeError, ValueError):
        raise ValueError("GRAPH_MAX_ATTEMPTS must be a whole number") from None
    if not 1 <= attempts <= 20:
        raise ValueError("GRAPH_MAX_ATTEMPTS must be between 1 and 20")
    return attempts
