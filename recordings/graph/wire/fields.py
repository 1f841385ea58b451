"""Read one field of a JSON object, or fail with its name. Every parser of this room is made of these."""

import re
from collections.abc import Mapping
from typing import Any

ID_PATTERN = r"[A-Za-z0-9_-]{1,128}"
CALL_STATES = (
    "incoming",
    "establishing",
    "ringing",
    "established",
    "hold",
    "transferring",
    "transferAccepted",
    "redirecting",
    "terminating",
    "terminated",
)
DIRECTIONS = ("incoming", "outgoing")
OPERATION_STATUSES = ("notStarted", "running", "completed", "failed")
RECORDING_STATUSES = ("unknown", "notRecording", "recording", "failed")
CHANGE_TYPES = ("created", "updated", "deleted")

_ID = re.compile(ID_PATTERN, re.ASCII)
_INTEGER = re.compile(r"-?\d{1,10}", re.ASCII)
_TEXT_LIMIT = 1_000
_WORD_LIMIT = 64


class WireError(ValueError):
    """A payload is not what Graph documents; `field` names the place, the message never repeats the value."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


def clean_id(value: object, field: str) -> str:
    """The id itself if it is text of ID_PATTERN. Raises WireError: ids go into URLs and keys."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise WireError(field, "is not an id")
    return value


def optional_id(data: Mapping[str, Any], name: str, field: str) -> str | None:
    """The id, or None where it is absent, null or empty."""
    value = data.get(name)
    return None if value in (None, "") else clean_id(value, f"{field}.{name}")


def as_object(value: object, field: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise WireError(field, "is not an object")
    return value


def optional_object(data: Mapping[str, Any], name: str, field: str) -> Mapping[str, Any]:
    """The object, or an empty one where it is absent or null."""
    value = data.get(name)
    return {} if value is None else as_object(value, f"{field}.{name}")


def as_list(value: object, field: str) -> list[Any]:
    if not isinstance(value, list):
        raise WireError(field, "is not a list")
    return value


def text(data: Mapping[str, Any], name: str, field: str) -> str | None:
    """Text for people, cut at 1000 characters; None where absent, null or empty.

    NUL and lone surrogates are legal JSON but no database stores them: they become question marks.
    """
    value = data.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise WireError(f"{field}.{name}", "is not text")
    storable = value[:_TEXT_LIMIT].encode("utf-8", "replace").decode("utf-8")
    return storable.replace("\x00", "?") or None


def word(data: Mapping[str, Any], name: str, field: str, *, known: tuple[str, ...]) -> str | None:
    """An enum member in Graph's lowerCamel spelling, whatever its case; an unknown word is kept as it came."""
    value = text(data, name, field)
    if value is None:
        return None
    if len(value) > _WORD_LIMIT:
        raise WireError(f"{field}.{name}", "is too long for a word")
    folded = value.casefold()
    return next((member for member in known if member.casefold() == folded), value)


def integer(data: Mapping[str, Any], name: str, field: str) -> int | None:
    """A whole number; Graph's own documentation shows some as text ("200")."""
    value = data.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    # bool is an int in Python, but never a code
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**31) <= value < 2**31:
        raise WireError(f"{field}.{name}", "is not a whole number")
    return value
