"""Identities and the roster.

References: https://learn.microsoft.com/graph/api/resources/participant
https://learn.microsoft.com/graph/api/resources/recordinginfo
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recordings.graph.wire.fields import (
    RECORDING_STATUSES,
    as_list,
    as_object,
    optional_id,
    optional_object,
    text,
    word,
)

# Who counts first where an identity set names several; the set is open, so other keys are read after these.
HUMAN_KINDS = (
    "user",
    "guest",
    "phone",
    "azureCommunicationServicesUser",
    "onPremises",
    "assertedIdentity",
    "encrypted",
)
MACHINE_KINDS = ("applicationInstance", "application", "device")


@dataclass(frozen=True)
class Person:
    """Somebody or something on a call. The id may be an object id or a phone number: never part of a URL."""

    id: str
    display_name: str


@dataclass(frozen=True)
class Participant:
    """One member of the roster. `id` is null in some notifications; `recording_status` is a bonus, often absent."""

    id: str | None
    kind: str | None  # the identity's key: user, phone, application ...
    person: Person | None
    is_in_lobby: bool | None
    recording_status: str | None

    @property
    def is_human(self) -> bool:
        return self.kind is not None and self.kind not in MACHINE_KINDS


def parse_participants(payload: object, field: str = "participants") -> tuple[Participant, ...]:
    """A roster as Graph sends it: a list, a page (`value`) or a delta (`participants`). Raises WireError."""
    if isinstance(payload, dict):
        payload = payload.get("value", payload.get("participants"))
    return tuple(_participant(item, f"{field}[{index}]") for index, item in enumerate(as_list(payload, field)))


def parse_identity(identity_set: Mapping[str, Any], field: str) -> tuple[str | None, Person | None]:
    """The identity that counts, with its key; (None, None) where nobody is named. Raises WireError."""
    for kind in (*HUMAN_KINDS, *MACHINE_KINDS):
        identity = optional_object(identity_set, kind, field)
        person_id = text(identity, "id", f"{field}.{kind}")
        if person_id:
            return kind, Person(person_id, text(identity, "displayName", f"{field}.{kind}") or "")
    return None, None


def _participant(payload: object, field: str) -> Participant:
    data = as_object(payload, field)
    info = optional_object(data, "info", field)
    kind, person = parse_identity(optional_object(info, "identity", f"{field}.info"), f"{field}.info.identity")
    recording = optional_object(data, "recordingInfo", field)
    lobby = data.get("isInLobby")
    return Participant(
        id=optional_id(data, "id", field),
        kind=kind,
        person=person,
        is_in_lobby=lobby if isinstance(lobby, bool) else None,
        recording_status=word(recording, "recordingStatus", f"{field}.recordingInfo", known=RECORDING_STATUSES),
    )
