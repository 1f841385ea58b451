"""What goes over the wire, once it has been read and before it is written."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

type Json = dict[str, Any]


def now() -> datetime:
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def new_id() -> str:
    return str(uuid.uuid4())


class RefusedError(Exception):
    """Somebody asked the control endpoint for something it cannot do."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    request_id: str = field(default_factory=new_id)
    arrived_at: datetime = field(default_factory=now)

    @property
    def client_request_id(self) -> str | None:
        return self.headers.get("client-request-id")

    def json(self) -> Any:
        """The body, or a ValueError where it is not JSON."""
        return json.loads(self.body.decode("utf-8"))

    def form(self) -> dict[str, str]:
        pairs = parse_qs(self.body.decode("utf-8", "replace"))
        return {name: values[0] for name, values in pairs.items()}


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    acted: bool = False
    cut: str | None = None
    pace: float = 0.0
    clock: float = 0.0

    @classmethod
    def of(
        cls, status: int, content: Any, headers: Mapping[str, str] | None = None, *, acted: bool = False
    ) -> "Answer":
        body = json.dumps(content, ensure_ascii=False).encode()
        return cls(status, body, {"Content-Type": "application/json", **(headers or {})}, acted)
