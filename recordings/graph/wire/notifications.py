"""What Graph posts to a bot's callback.

Reference: https://learn.microsoft.com/graph/api/resources/commsnotification
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from recordings.graph.wire.calls import GraphCall, parse_call
from recordings.graph.wire.fields import CHANGE_TYPES, WireError, as_list, as_object, clean_id, text, word
from recordings.graph.wire.operations import GraphOperation, parse_operation
from recordings.graph.wire.people import Participant, parse_participants

_MOST_AT_ONCE = 1_000


@dataclass(frozen=True)
class Notification:
    """One thing that happened. `kind` is call, operation, participants or other; `call_id` is empty only where an
    operation came without a usable address (find it by its client context, which goes first anyway)."""

    change_type: str
    call_id: str
    kind: str
    call: GraphCall | None = None
    operation: GraphOperation | None = None
    participants: tuple[Participant, ...] = ()


def parse_notifications(payload: object) -> tuple[Notification, ...]:
    """The whole post, `{"value": [...]}`, in its order. Raises WireError for all of it if one part is wrong.

    Only a roster that cannot be read counts as an empty one: it is a bonus, and a call's end may stand beside it.
    """
    items = as_list(as_object(payload, "notifications").get("value"), "value")
    if len(items) > _MOST_AT_ONCE:
        raise WireError("value", f"has more than {_MOST_AT_ONCE} notifications")
    return tuple(_notification(as_object(item, f"value[{i}]"), f"value[{i}]") for i, item in enumerate(items))


def _notification(item: Mapping[str, Any], field: str) -> Notification:
    change_type = word(item, "changeType", field, known=CHANGE_TYPES)
    if change_type is None:
        raise WireError(f"{field}.changeType", "is missing")
    path = _path(item, field)
    data, field = item.get("resourceData"), f"{field}.resourceData"
    kind = _kind(data, path)
    call_id = clean_id(path[0], f"{field}: call id of the resource") if path else _id_inside(data, kind, field)
    return Notification(
        change_type=change_type,
        call_id=call_id,
        kind=kind,
        call=_call(data, call_id, field) if kind == "call" else None,
        operation=_operation(data, path, field) if kind == "operation" else None,
        participants=_roster(data, field) if kind == "participants" else (),
    )


def _roster(data: object, field: str) -> tuple[Participant, ...]:
    try:
        return parse_participants(data, field)
    except WireError:
        return ()


def _path(item: Mapping[str, Any], field: str) -> tuple[str, ...]:
    """The parts after "calls" in resourceUrl, or else in the older resource: (call id, collection, id)."""
    for name in ("resourceUrl", "resource"):
        parts = _split(text(item, name, field) or "", f"{field}.{name}")
        at = next((i for i, part in enumerate(parts) if part.casefold() == "calls"), None)
        if at is not None and parts[at + 1 :]:
            return parts[at + 1 :]
    return ()


def _split(url: str, field: str) -> tuple[str, ...]:
    try:
        path = urlsplit(url).path
    except ValueError:
        raise WireError(field, "is not an address") from None
    return tuple(part for part in path.split("/") if part)


def _kind(data: object, path: tuple[str, ...]) -> str:
    """The payload's own type goes first: one documented operation arrives under …/operations/participants."""
    if isinstance(data, list):
        return "participants"
    declared = str(data.get("@odata.type") or "").rpartition(".")[2].casefold() if isinstance(data, dict) else ""
    if declared.endswith("operation"):
        return "operation"
    if declared:
        return {"call": "call", "deltaparticipants": "participants"}.get(declared, "other")
    if len(path) == 1:
        return "call"
    if not isinstance(data, dict):
        return "other"
    return {"operations": "operation"}.get(path[1].casefold() if path else "", "other")


def _id_inside(data: object, kind: str, field: str) -> str:
    if kind != "call":
        return ""
    return clean_id(data.get("id") if isinstance(data, dict) else None, f"{field}.id")


def _call(data: object, call_id: str, field: str) -> GraphCall:
    call = parse_call({} if data is None else data, field, call_id=call_id)
    if call.id.casefold() != call_id.casefold():
        raise WireError(f"{field}.id", "differs from the resource's call id")
    return call


def _operation(data: object, path: tuple[str, ...], field: str) -> GraphOperation:
    item = dict(as_object(data, field))
    if "id" not in item and len(path) == 3 and path[2].casefold() != "participants":
        item["id"] = path[2]
    return parse_operation(item, field)
