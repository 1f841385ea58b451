"""Operations, and the one body this room sends.

Reference: https://learn.microsoft.com/graph/api/resources/commsoperation
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recordings.graph.wire.fields import (
    OPERATION_STATUSES,
    as_list,
    as_object,
    integer,
    optional_id,
    optional_object,
    text,
    word,
)

SENDABLE_STATUSES = frozenset({"recording", "notRecording", "failed"})
CLIENT_CONTEXT_LIMIT = 256


@dataclass(frozen=True)
class ResultInfo:
    """Why something ended: 2xx success, 4xx client, 5xx server; the subcode refines."""

    code: int | None
    subcode: int | None
    message: str


@dataclass(frozen=True)
class GraphOperation:
    """A request in flight. An empty status is Graph's null: not finished, a notification follows."""

    id: str | None
    status: str
    client_context: str | None
    result: ResultInfo | None


def parse_operation(payload: object, field: str = "operation") -> GraphOperation:
    """One commsOperation. Raises WireError."""
    data = as_object(payload, field)
    return GraphOperation(
        id=optional_id(data, "id", field),
        status=word(data, "status", field, known=OPERATION_STATUSES) or "",
        client_context=text(data, "clientContext", field),
        result=parse_result(data, field),
    )


def parse_operations(payload: object) -> tuple[GraphOperation, ...]:
    """A page of operations, `{"value": [...]}`. Raises WireError."""
    page = as_list(as_object(payload, "operations").get("value"), "operations.value")
    return tuple(parse_operation(item, f"operations.value[{index}]") for index, item in enumerate(page))


def parse_result(data: Mapping[str, Any], field: str) -> ResultInfo | None:
    """The object's resultInfo, None where absent or null. Raises WireError."""
    if data.get("resultInfo") is None:
        return None
    result, field = optional_object(data, "resultInfo", field), f"{field}.resultInfo"
    return ResultInfo(
        code=integer(result, "code", field),
        subcode=integer(result, "subcode", field),
        message=text(result, "message", field) or "",
    )


def recording_status_body(status: str, client_context: str) -> dict[str, str]:
    """The body of updateRecordingStatus. Raises ValueError for a status or a context Graph does not document as input.

    Reference: https://learn.microsoft.com/graph/api/call-updaterecordingstatus
    """
    if status not in SENDABLE_STATUSES:
        raise ValueError("only recording, notRecording and failed may be sent")
    if not client_context or len(client_context) > CLIENT_CONTEXT_LIMIT:
        raise ValueError(f"the client context must have 1 to {CLIENT_CONTEXT_LIMIT} characters")
    if not (client_context.isascii() and client_context.isprintable()):
        raise ValueError("the client context must be printable ASCII")
    return {"status": status, "clientContext": client_context}
