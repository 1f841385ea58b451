"""What a process leaves in the ledger when it starts: which settings, and which release, differ from the last time."""

import re
from datetime import datetime

from django.conf import settings

from recordings import __version__, ledger

# By their names; DATABASE_URL and addresses may hold a password.
_SECRET = re.compile(r"SECRET|PASSWORD|KEY|TOKEN|PROXY|WITNESS|_URL$")
_OF_THE_DATABASE = ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")


def note_settings(process: str, now: datetime) -> list[str]:
    """Record the names of settings that a "worker", the "site" or a "shell" has now and had not before (aware UTC).

    They are the settings of the README's table, as they are in force, and `version`. Answers the names.
    """
    values = {name: _text(name) for name in settings.FROM_ENVIRONMENT}
    plain = {name: value for name, value in values.items() if not _SECRET.search(name)}
    secret = {name: value for name, value in values.items() if name not in plain}
    return ledger.note_settings(process, plain={**plain, "version": __version__}, secret=secret, now=now)


def _text(name: str) -> str:
    if name == "DATABASE_URL":
        known = settings.DATABASES["default"]
        return repr([known.get(part) for part in _OF_THE_DATABASE])
    value = getattr(settings, name, "")
    return "" if value in (None, "", []) else repr(value)
