"""Handing checkpoints to witnesses: whoever holds one from elsewhere can show that the ledger under it was changed.

The form of a checkpoint is C2SP's (https://c2sp.org/tlog-checkpoint). A witness that does not answer holds nothing up:
sealing goes on, and the witness gets its turn at the next tick.
"""

import http.client
import logging
import os
import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from django.db import transaction

from recordings import ledger
from recordings.ledger import WitnessAddress
from recordings.models import Seal
from recordings.passes import each
from recordings.services.posting import post

logger = logging.getLogger(__name__)

# For an endpoint to take a checkpoint and say so, however slowly it speaks.
POST_SECONDS = 15.0
# Longer than any turn takes.
LEASE = timedelta(minutes=2)
_HEADERS = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": "OnRecord", "Accept": "*/*"}


class WitnessAway(Exception):
    """The witness did not take the checkpoint; it will be asked again. The text is a sentence for people."""


class WitnessDisagrees(Exception):
    """The witness holds something else in the checkpoint's place. The text is a sentence for people."""


def hand_to_witnesses(now: datetime) -> int:
    """Hand each witness of LEDGER_WITNESSES the checkpoints it should have (aware UTC); how many were taken."""
    taken: list[Seal] = []
    each(ledger.witness_addresses(), lambda address: taken.extend(_hand(address, now)))
    return len(taken)


def _hand(address: WitnessAddress, now: datetime) -> Sequence[Seal]:
    """One turn of one witness: it ends with the first checkpoint that was not taken."""
    seals = ledger.seals_to_hand(address)
    if not seals or not ledger.take_turn(address, now=now, until=now + LEASE):
        return ()
    taken: list[Seal] = []
    problem = conflict = ""
    try:
        for seal in seals:
            conflict = _take(address, seal, taken) or conflict
    except WitnessAway as away:
        problem = str(away)
    with transaction.atomic():
        news = ledger.end_turn(address, taken=taken, problem=problem, conflict=conflict, now=now)
    for words in news:
        logger.error("the witness %s: %s", address.name, words)
    return taken


def _take(address: WitnessAddress, seal: Seal, taken: list[Seal]) -> str:
    """Hand one checkpoint over; answers what the witness holds instead. Raises WitnessAway."""
    try:
        if address.directory:
            put_into(address.directory, seal)
        else:
            post_to(address.url, seal)
    except WitnessDisagrees as other:
        return str(other)
    taken.append(seal)
    return ""


def put_into(directory: Path, seal: Seal) -> None:
    """Keep the checkpoint in `directory` as SIZE.checkpoint, on the disk when this returns.

    Written under its own name at once, since a WORM mount refuses to rename; a file that was cut short by a crash is
    completed. The directory is never made: an absent one is a mount that is not there. Raises WitnessAway and
    WitnessDisagrees.
    """
    path, text = directory / f"{seal.size}.checkpoint", seal.checkpoint.encode()
    try:
        _keep(path, text)
        _sync(directory)
    except OSError as error:
        raise WitnessAway(f"Its directory could not be written: {error.strerror or type(error).__name__}.") from error


def _keep(path: Path, text: bytes) -> None:
    try:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        _complete(path, text)
        return
    with os.fdopen(opened, "wb") as file:
        _write(file, text)


def _complete(path: Path, text: bytes) -> None:
    """Make sure that what is there already is `text`, and on the disk."""
    with path.open("rb") as file:
        held = file.read(len(text) + 1)
    if not text.startswith(held):
        raise WitnessDisagrees(f"It holds something else under {path.name}.")
    try:
        with path.open("ab") as file:
            _write(file, text[len(held) :])
    except PermissionError:
        if held != text:
            raise WitnessDisagrees(f"Its {path.name} is cut short, and cannot be completed.") from None


def _write(file: IO[bytes], text: bytes) -> None:
    file.write(text)
    file.flush()
    os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def post_to(url: str, seal: Seal, *, seconds: float = POST_SECONDS) -> None:
    """POST the checkpoint as text/plain; any 2xx in time is a receipt, and 409 says that another one is held.

    No proxy, no redirect, the machine's own CAs; what the answer says is not read. Raises WitnessAway and
    WitnessDisagrees.
    """
    try:
        status = post(url, seal.checkpoint.encode(), headers=_HEADERS, seconds=seconds)
    except (OSError, http.client.HTTPException) as error:
        raise WitnessAway(_why(error)) from None
    if status == http.HTTPStatus.CONFLICT:
        raise WitnessDisagrees(f"It answered HTTP 409 to the checkpoint of {seal.size} entries: it holds another one.")
    if not 200 <= status < 300:
        raise WitnessAway(f"It answered HTTP {status}.")


def _why(error: Exception) -> str:
    """In words of our own: an exception's text may quote the address."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "Its certificate is not trusted here."
    if isinstance(error, TimeoutError):
        return "It did not answer in time."
    return "No connection came about, or it broke before an answer came."
