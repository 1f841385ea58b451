"""What the demo consists of: its settings, its cast, and the five processes."""

import secrets
import shlex
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.models import Group, User
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from recordings import services
from recordings.models import Actor
from sandbox.defaults import CALLBACK_ISSUER, CLIENT_ID, CLIENT_SECRET, TENANT_ID
from sandbox.scenarios import FIRST, SECOND

# One person a role. All of them may open the admin, where what they see depends on the role again.
PEOPLE = {
    "olga": "Compliance officer",
    "mira": "Recording admin",
    "tom": "Approver",
    "ada": "Auditor",
}
RECORDERS = (FIRST, SECOND)
# Who asks for the corrections that the play asks for.
CORRECTS = "mira"
# Short enough to be seen within three minutes, longer than what is no trouble: a heartbeat comes every 15 seconds.
GRACES = {
    "STUCK_AFTER_END": "5",
    "STUCK_BEFORE_START": "5",
    "STUCK_BEFORE_STOP": "5",
    "STUCK_TOLD_OTHERWISE": "10",
    "STUCK_OPERATION": "5",
    "STUCK_FAILED": "5",
    "STUCK_NO_SIGN": "60",
    "STUCK_ORPHAN": "40",
    "STUCK_DROPPED": "5",
    "STUCK_ESTABLISHING": "20",
    "STUCK_FLAPPING_WINDOW": "300",
    "STUCK_SILENT_RECORDER": "45",
    "SYNC_AFTER": "20",
}
# A demo must not meet the settings of a real installation, from the shell or from .env.
_FOREIGN = (
    "GRAPH_",
    "CALLBACK_",
    "STUCK_",
    "SYNC_",
    "SSO_",
    "DATABASE_",
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "CSRF_",
    "PUBLIC_URL",
    "WATCH_URL",
)
_ALSO_FOREIGN = (
    "BEHIND_TLS_PROXY",
    "LEDGER_",
    "REQUIRE_APPROVAL",
    "TASKS_ENGINE",
    "CLAIM_FRESH",
    "APPROVAL_",
)


@dataclass(frozen=True)
class Place:
    """Where one demo lives."""

    root: Path
    directory: Path
    port: int
    sandbox_port: int

    @property
    def site(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def microsoft(self) -> str:
        return f"https://localhost:{self.sandbox_port}"

    @property
    def ca_file(self) -> Path:
        return self.directory / "sandbox" / "ca.pem"

    @property
    def witness(self) -> Path:
        """Where checkpoints are kept; on this machine, so it shows how a witness works and protects nothing."""
        return self.directory / "witness"

    @property
    def environment_file(self) -> Path:
        return self.directory / "env"


def environment(place: Place, around: Mapping[str, str]) -> dict[str, str]:
    """What every process of the demo runs in: that around it, without foreign settings, and the demo's own."""
    kept = {name: value for name, value in around.items() if not name.startswith(_FOREIGN + _ALSO_FOREIGN)}
    return {**kept, **own_settings(place)}


def own_settings(place: Place) -> dict[str, str]:
    """Plain HTTP on this machine, the stand-in, short graces."""
    return {
        "ENV_FILE": str(place.directory / "no.env"),
        "DEBUG": "1",
        "PYTHONUNBUFFERED": "1",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DATABASE_URL": f"sqlite:///{place.directory / 'onrecord.sqlite3'}",
        "PUBLIC_URL": place.site,
        "WATCH_URL": f"{place.site}/readyz",
        "ALLOW_STAND_IN": "1",
        "GRAPH_BASE_URL": f"{place.microsoft}/v1.0",
        "GRAPH_AUTHORITY": f"{place.microsoft}/{TENANT_ID}/v2.0",
        "GRAPH_TENANT_ID": TENANT_ID,
        "GRAPH_CLIENT_ID": CLIENT_ID,
        "GRAPH_CLIENT_SECRET": CLIENT_SECRET,
        "GRAPH_CA_BUNDLE": str(place.ca_file),
        "GRAPH_DEADLINE": "10",
        "SETTLE_GRACE": "20",
        "CALLBACK_AUDIENCE": CLIENT_ID,
        "CALLBACK_ISSUERS": CALLBACK_ISSUER,
        "CALLBACK_JWKS_URL": f"{place.microsoft}/v1/.well-known/keys",
        "LEDGER_WITNESSES": place.witness.absolute().as_uri(),
        **GRACES,
    }


@sensitive_variables("environment")
def write_environment(place: Place, environment: Mapping[str, str]) -> None:
    """The demo's own settings for a shell to read, so that any command can be run against this demo.

    Nothing of `environment` but these leaves: what else stands in it is not ours to write down.
    """
    lines = [f"{name}={shlex.quote(environment[name])}\n" for name in own_settings(place)]
    place.environment_file.touch(mode=0o600)
    place.environment_file.write_text("".join(lines), encoding="utf-8")


@sensitive_variables("passwords", "tokens")
def prepare() -> dict[str, dict[str, str]]:
    """Fill a fresh, migrated database: the people with random passwords, and the recorders' tokens."""
    passwords = {username: secrets.token_urlsafe(12) for username in PEOPLE}
    for username, role in PEOPLE.items():
        user = User.objects.create_user(username, password=passwords[username], is_staff=True)
        user.groups.add(Group.objects.get(name=role))
    actor, now = Actor.objects.shell(), timezone.now()
    tokens = {name: services.issue_token(name, tenants=[TENANT_ID], actor=actor, now=now) for name in RECORDERS}
    return {"passwords": passwords, "tokens": tokens}


@sensitive_variables("tokens")
def commands(place: Place, *, tokens: Mapping[str, str]) -> dict[str, list[str]]:
    """What runs, in the order in which it must be ready."""
    python, hooks = sys.executable, f"http://127.0.0.1:{place.port}/hooks"
    stand_in = ["--port", str(place.sandbox_port), "--directory", str(place.ca_file.parent)]
    server = ["--worker-class", "gthread", "--threads", "8", "--graceful-timeout", "2", "--no-control-socket"]
    return {
        "sandbox": [python, "-m", "sandbox", *stand_in, "--callback-url", f"{hooks}/graph/"],
        "web": [python, "-m", "gunicorn", "dashboard.wsgi", "--bind", f"127.0.0.1:{place.port}", *server],
        "worker": [python, "manage.py", "work"],
        "recorder": [
            *(python, "-m", "sandbox.recorder", "--url", f"{hooks}/recorder/"),
            *("--token", tokens[FIRST], "--second-token", tokens[SECOND]),
            *("--sandbox", place.microsoft, "--ca", str(place.ca_file)),
            *("--correct", shlex.join([python, "manage.py", "correct_status", "--actor", CORRECTS])),
        ],
    }


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def serves(place: Place) -> bool:
    """Whether the site answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{place.port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
