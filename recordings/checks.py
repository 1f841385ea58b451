"""Checks at start: refuse what would break an invariant, warn of what will surprise.

Ids are stable: onrecord.E001 …, onrecord.W001 …
"""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections

from recordings import conf, ledger
from recordings.graph.clouds import CLOUDS, graph_config, is_microsoft_host
from recordings.ledger.notes import is_name
from recordings.models import append_only, grants

type Checked = list[CheckMessage]

# More threads than this take turns on their processor rather than on the wire.
MOST_WIDTH = 128


def _check(*tags: str, deploy: bool = False) -> Callable[[Callable[[], Checked]], Callable[[], Checked]]:
    """Register a check that needs nothing of what Django hands to checks."""

    def decorate(check: Callable[[], Checked]) -> Callable[[], Checked]:
        def run(app_configs: Sequence[AppConfig] | None, **_: Any) -> Checked:
            return check()

        register(run, *tags, deploy=deploy)
        return check

    return decorate


@_check("onrecord")
def production_values() -> Checked:
    """E001-E003: production must not run on development values."""
    if settings.DEBUG:
        return []
    found: Checked = []
    if not _has_secret_key():
        found.append(Error("SECRET_KEY is not set.", hint="Set it to 50 random characters.", id="onrecord.E001"))
    if not settings.ALLOWED_HOSTS:
        found.append(Error("ALLOWED_HOSTS is empty.", hint="Name the host people reach.", id="onrecord.E002"))
    if not settings.GRAPH_TENANT_ID or not settings.GRAPH_CLIENT_ID:
        hint = "Set GRAPH_TENANT_ID and GRAPH_CLIENT_ID to those of the recorder bot's own app."
        found.append(Error("Microsoft Graph is not configured.", hint=hint, id="onrecord.E003"))
    return found


def _has_secret_key() -> bool:
    """Django raises for an empty one wherever it is asked for."""
    try:
        return bool(settings.SECRET_KEY)
    except ImproperlyConfigured:
        return False


@_check("onrecord")
def stand_in() -> Checked:
    """E004: with DEBUG=0 a host that is not Microsoft's needs ALLOW_STAND_IN=1 (invariant 9)."""
    urls = {name: getattr(settings, name) for name in ("GRAPH_BASE_URL", "GRAPH_AUTHORITY")}
    foreign = [name for name, url in urls.items() if url and not is_microsoft_host(url)]
    if settings.DEBUG or settings.ALLOW_STAND_IN or not foreign:
        return []
    hint = "Correct the address, or set ALLOW_STAND_IN=1: every page will then say so."
    return [Error(f"{' and '.join(foreign)} is not Microsoft's.", hint=hint, id="onrecord.E004")]


@_check("onrecord")
def graph_settings() -> Checked:
    """E005: the connection's settings must make sense, before somebody waits for a correction."""
    names = [name for name in dir(settings) if name.startswith("GRAPH_")]
    try:
        graph_config({name: getattr(settings, name) for name in names})
    except ValueError as error:
        return [Error(f"The Microsoft Graph settings do not fit: {error}", id="onrecord.E005")]
    if settings.GRAPH_RATE <= 0 or settings.GRAPH_BURST < 10:
        hint = "Use more than 0 requests a second, and at least 10 at once."
        return [Error("GRAPH_RATE and GRAPH_BURST let nothing through.", hint=hint, id="onrecord.E005")]
    if not 1 <= settings.BULK_WIDTH <= MOST_WIDTH:
        hint = f"Use 1 to {MOST_WIDTH}."
        return [Error("BULK_WIDTH is no number of requests at a time.", hint=hint, id="onrecord.E005")]
    return []


@_check("onrecord")
def callback_settings() -> Checked:
    """E006: gcc-high and dod have no published values for notification tokens, so they must be given."""
    cloud = CLOUDS.get(settings.GRAPH_CLOUD)
    if cloud is None or settings.DEBUG:
        return []
    if (settings.CALLBACK_ISSUERS or cloud.callback_issuers) and (
        settings.CALLBACK_JWKS_URL or cloud.callback_metadata_url
    ):
        return []
    hint = "Set CALLBACK_ISSUERS and CALLBACK_JWKS_URL to those of your cloud."
    return [Error(f"Nothing is known of notification tokens in {cloud.name}.", hint=hint, id="onrecord.E006")]


@_check("onrecord")
def rule_settings() -> Checked:
    """E007-E008: a repeat must not be possible while the first try may still be in the air."""
    found: Checked = []
    if settings.REQUIRE_APPROVAL not in ("unproven", "recording", "always"):
        hint = "Use unproven, recording or always."
        found.append(Error("REQUIRE_APPROVAL is not known.", hint=hint, id="onrecord.E007"))
    if settings.SETTLE_GRACE < 2 * settings.GRAPH_DEADLINE:
        hint = "A correction could be repeated while its first try is still under way."
        found.append(Error("SETTLE_GRACE is under twice GRAPH_DEADLINE.", hint=hint, id="onrecord.E008"))
    return found


@_check("onrecord")
def tasks_engine() -> Checked:
    """E011: the engine must be one of ours, and the distributed one has its jobs in PostgreSQL."""
    if settings.TASKS_ENGINE not in ("embedded", "distributed"):
        hint = "Use embedded or distributed."
        return [Error("TASKS_ENGINE is not known.", hint=hint, id="onrecord.E011")]
    if settings.TASKS_ENGINE == "distributed" and connection.vendor != "postgresql":
        hint = "Let DATABASE_URL name a PostgreSQL, or use TASKS_ENGINE=embedded."
        return [Error("TASKS_ENGINE=distributed needs PostgreSQL.", hint=hint, id="onrecord.E011")]
    return []


@_check("onrecord")
def graces() -> Checked:
    """E012: a grace below zero would find trouble before it is there."""
    names = {"CLAIM_FRESH", "REOPEN_WITHIN"} | {name for name in dir(settings) if name.startswith("STUCK_")}
    wrong = [name for name in sorted(names) if getattr(settings, name) < (1 if name == "STUCK_FLAPPING_CHANGES" else 0)]
    hint = "Use seconds from 0 on, and at least one change."
    return [Error(f"{name} is below what a rule can use.", hint=hint, id="onrecord.E012") for name in wrong]


@_check("onrecord")
def exporting() -> Checked:
    """E016: a file must be there long enough to be fetched."""
    if settings.EXPORT_KEPT_SECONDS >= 60:
        return []
    hint = "Use at least 60 seconds."
    return [Error("EXPORT_KEPT_SECONDS leaves no time to download a file.", hint=hint, id="onrecord.E016")]


@_check("onrecord")
def sealing() -> Checked:
    """E014: seals need a name that a signed note can carry, and time between them. The key is the worker's affair."""
    found: Checked = []
    if not is_name(conf.ledger_origin()):
        hint = "Use a host and a path, like onrecord.example.com/ledger: no space, no plus."
        found.append(Error("LEDGER_ORIGIN is no name for a ledger.", hint=hint, id="onrecord.E014"))
    if settings.LEDGER_VERIFY_SECONDS < 60:
        hint = "Use at least 60 seconds; a day has 86400."
        found.append(Error("LEDGER_VERIFY_SECONDS lets verification never rest.", hint=hint, id="onrecord.E014"))
    if settings.LEDGER_SEAL_SECONDS < 1:
        hint = "Use at least one second."
        found.append(Error("LEDGER_SEAL_SECONDS leaves no time between two seals.", hint=hint, id="onrecord.E014"))
    return found


@_check("onrecord")
def watching() -> Checked:
    """E013: what looks after the calls and the site must be able to."""
    found: Checked = []
    if settings.SYNC_AFTER < 1 or settings.SYNC_CALLS < 1:
        hint = "Use at least one second, and one call."
        found.append(Error("SYNC_AFTER and SYNC_CALLS leave no call to ask for.", hint=hint, id="onrecord.E013"))
    if settings.WATCH_URL and not _is_web_address(settings.WATCH_URL):
        hint = "Use https://HOST/readyz with the host that recorders use, or leave it out."
        found.append(Error("WATCH_URL is not an address of the web.", hint=hint, id="onrecord.E013"))
    return found


def _is_web_address(url: str) -> bool:
    """Also without a name and password in it, which a log could show."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None


@_check("onrecord")
def witness_addresses() -> Checked:
    """E015: each address must name a witness."""
    try:
        ledger.witness_addresses()
    except ledger.BadWitness as problem:
        hint = "Use https://HOST/PATH, file:///DIRECTORY, or file://HOST/DIRECTORY for one that lies on HOST."
        return [Error(f"LEDGER_WITNESSES does not fit: {problem}", hint=hint, id="onrecord.E015")]
    return []


@_check("onrecord")
def off_host_witness() -> Checked:
    """W002: in production somebody else should keep the checkpoints, too."""
    if settings.DEBUG or witness_addresses() or any(each.is_off_host for each in ledger.witness_addresses()):
        return []
    hint = "Name one in LEDGER_WITNESSES. Until then who owns this machine can rewrite the ledger and its seals unseen."
    return [Warning("No witness off this machine keeps the ledger's checkpoints.", hint=hint, id="onrecord.W002")]


@register(Tags.database)
def durable_database(databases: Sequence[str] | None = None, **_: Any) -> Checked:
    """E009-E010: the intent must survive a power cut, and append-only tables must be so (invariants 1 and 6)."""
    found: Checked = []
    for alias in databases or []:
        found += _durability(alias)
        missing = append_only.missing(connections[alias])
        if missing:
            hint = (
                "Keep a copy of the database as it is, and find out who did that. Then run `manage.py migrate "
                "--skip-checks`, which puts them right, and `manage.py verify`, which tells what was altered meanwhile."
            )
            found.append(
                Error(
                    f"Triggers are missing, switched off or changed: {', '.join(missing)}.",
                    hint=hint,
                    id="onrecord.E010",
                )
            )
    return found


@register(Tags.database)
def own_role(databases: Sequence[str] | None = None, **_: Any) -> Checked:
    """W001: who owns an append-only table can take its triggers away, so the site should not."""
    if settings.DEBUG:
        return []
    owned = [table for alias in databases or [] for table in grants.owned(connections[alias])]
    if not owned:
        return []
    hint = "Right for `manage.py migrate`. Let site and worker run as another role; `manage.py grants` sets it up."
    message = f"This database role could change what was written once: it owns {', '.join(owned)}."
    return [Warning(message, hint=hint, id="onrecord.W001")]


def _durability(alias: str) -> Checked:
    connection = connections[alias]
    if connection.vendor == "postgresql":
        off = [name for name in ("fsync", "synchronous_commit") if _setting(alias, f"SHOW {name}") == "off"]
        message = f"PostgreSQL runs with {' and '.join(off)} switched off."
    else:
        off = [] if _setting(alias, "PRAGMA synchronous") in ("2", "3") else ["synchronous"]
        message = "SQLite runs without synchronous=FULL."
    hint = "A correction could reach Teams and be forgotten here after a power cut."
    return [Error(message, hint=hint, id="onrecord.E009")] if off else []


def _setting(alias: str, statement: str) -> str:
    with connections[alias].cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    return str(row[0]) if row else ""
