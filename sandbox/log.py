"""Every Graph request that really arrived, in order. No header is kept but the request's own id: no token can leak."""

import json
import threading
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.messages import Json, Request, stamp


@dataclass
class Entry:
    method: str
    path: str
    action: str
    call_id: str | None
    body: Any
    client_request_id: str | None
    request_id: str
    arrived_at: str
    answered: int | None = None
    cut: str | None = None
    acted: bool = False


def readable(body: bytes) -> Any:
    if not body:
        return None
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        return text


class Log:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._entries: list[Entry] = []

    def arrive(self, request: Request, action: str, call_id: str | None) -> Entry:
        body = readable(request.body)
        ids = (request.client_request_id, request.request_id, stamp(request.arrived_at))
        entry = Entry(request.method, request.path, action, call_id, body, *ids)
        with self._changed:
            self._entries.append(entry)
            self._changed.notify_all()
        return entry

    def clear(self) -> None:
        with self._changed:
            self._entries.clear()

    def entries(self) -> list[Json]:
        with self._changed:
            return [asdict(entry) for entry in self._entries]

    def wait_for(self, count: int, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: len(self._entries) >= count, seconds)
