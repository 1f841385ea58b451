"""On Record's own sign of life: somebody has to notice that nothing could be taken in."""

import logging
import ssl
from datetime import datetime

import requests
from django.conf import settings
from django.db import transaction

from recordings import ingest
from recordings.services import clocks

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 5.0


def beat(now: datetime) -> bool:
    """Note that On Record could take in what it was told (aware UTC); False if it could not.

    Without WATCH_URL the worker speaks for the site: both stand still when the machine does. With it the site is
    asked, by the way a recorder takes.
    """
    if not ingest.is_beat_due(now):
        return True
    problem = _problem_of(settings.WATCH_URL) if settings.WATCH_URL else ""
    with transaction.atomic():
        clocks.note_clocks(now, is_steady=True)
        if not problem:
            ingest.beat(now)
        elif ingest.beat_missed(now):
            logger.error("On Record cannot be reached at WATCH_URL: %s", problem)
    return not problem


def _problem_of(url: str) -> str:
    """Why the site does not answer 200; empty if it does. No proxy, no redirect, and the machine's own CAs."""
    with requests.Session() as session:
        session.trust_env = False
        trusted = ssl.get_default_verify_paths()
        session.verify = trusted.cafile or trusted.capath or True
        try:
            answer = session.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True)
        except requests.RequestException as error:
            return type(error).__name__
    return "" if answer.status_code == requests.codes.ok else f"HTTP {answer.status_code}"
