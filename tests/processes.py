"""Real processes of the product on the test's own database."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import connection

from sandbox.server import Sandbox
from tests import cast, ledgers

ROOT = Path(__file__).resolve().parent.parent
# The least a real site sets.
PRODUCTION = {
    "DEBUG": "0",
    "SECRET_KEY": "N3wYork-7!" * 6,
    "ALLOWED_HOSTS": "onrecord.contoso.example",
    "PUBLIC_URL": "https://onrecord.contoso.example",
    "GRAPH_TENANT_ID": "5a11d0c5-0000-4000-8000-000000000001",
    "GRAPH_CLIENT_ID": "b0700000-0000-4000-8000-000000000001",
    "GRAPH_CLIENT_SECRET": "kept-elsewhere",
    "LEDGER_SIGNING_KEY": ledgers.pem(),
    "LEDGER_WITNESSES": "file://worm.contoso.example/mnt/worm",
}


def database_url() -> str:
    """The test database as DATABASE_URL says it."""
    known = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{known['NAME']}"
    user, password = (quote(str(known[name] or ""), safe="") for name in ("USER", "PASSWORD"))
    if known["HOST"]:
        return f"postgres://{user}:{password}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
    socket = quote(str(known["OPTIONS"]["host"]), safe="")
    return f"postgres://{user}:{password}@/{known['NAME']}?host={socket}"


def environment(sandbox: Sandbox, **more: str) -> dict[str, str]:
    """What a process needs to work on the test's database and with the stand-in."""
    graph = {
        name: ",".join(value) if isinstance(value, list) else str(value)
        for name, value in cast.connected_to(sandbox).items()
    }
    own = {"DEBUG": "1", "ENV_FILE": os.devnull, "DATABASE_URL": database_url()}
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "dashboard.settings", **own, **graph, **more}


def manage(*arguments: str, env: dict[str, str], **options: Any) -> "subprocess.Popen[str]":
    """Start `manage.py …`; its output is kept for the test to read."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=env,
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )
