"""Who keeps checkpoints besides us: the addresses of LEDGER_WITNESSES, and what is known of each."""

import socket
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from recordings import conf


class BadWitness(ValueError):
    """An address that names no witness. Its text does not quote the address, which may hold a secret."""


@dataclass(frozen=True)
class WitnessAddress:
    """One witness: a directory, or an HTTP endpoint that takes a POST.

    `name` is what rows and pages call it: the address without its query, which may be a secret. It is off this host
    where the address names another one: `file://HOST/DIR` is a directory here that lies on HOST.
    """

    url: str
    name: str
    directory: Path | None
    is_off_host: bool


def witness_addresses() -> tuple[WitnessAddress, ...]:
    """The witnesses of the settings, in their order. Raises BadWitness."""
    addresses = tuple(_address(url, f"Number {at}") for at, url in enumerate(conf.ledger_witnesses(), start=1))
    if len({address.name for address in addresses}) < len(addresses):
        raise BadWitness("Two witnesses have the same address.")
    return addresses


def is_off_host(name: str) -> bool:
    """Whether a witness of this name, of today or earlier, is on another host. What names none is not."""
    try:
        return _address(name, "The witness").is_off_host
    except BadWitness:
        return False


def _address(url: str, which: str) -> WitnessAddress:
    parts = _parts(url, which)
    host = parts.hostname or ""
    if parts.username is not None or parts.fragment:
        raise BadWitness(f"{which} holds a name, a password or a fragment, which no witness is asked with.")
    name = parts._replace(query="").geturl()
    if len(name) > 255:
        raise BadWitness(f"{which} is longer than 255 characters.")
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.query:
        return WitnessAddress(url, name, Path(unquote(parts.path)), is_off_host=not _is_here(host))
    if host and (parts.scheme == "https" or (parts.scheme == "http" and _is_here(host))):
        return WitnessAddress(url, name, None, is_off_host=not _is_here(host))
    raise BadWitness(f"{which} is neither file:///DIRECTORY nor https://HOST/PATH; http is for this machine only.")


def _parts(url: str, which: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for what is no number
    except ValueError:
        raise BadWitness(f"{which} is no address.") from None
    return parts


def _is_here(host: str) -> bool:
    if host in ("", "localhost", socket.gethostname().lower()):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
