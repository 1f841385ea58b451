"""What can be made to go wrong, for which request, and how often."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from sandbox.errors import CODES_BY_STATUS, KNOWN, Known, wrapped
from sandbox.messages import Answer, Json, RefusedError, Request, new_id

BEFORE, AFTER = "before", "after"
# For each thing that can go wrong: does it, unless told otherwise, happen before or after the request was acted upon?
MOMENTS = {
    "error": BEFORE,
    "delay": BEFORE,
    "close": BEFORE,
    "hang": BEFORE,
    "garbage": AFTER,
    "half": AFTER,
    "drip": AFTER,
    "clock": AFTER,
    "operation": AFTER,
}
GRAPH_ACTIONS = ("getCall", "updateRecordingStatus", "getOperation", "listOperations", "listParticipants")
OTHER_ACTIONS = ("configuration", "keys", "token", "callback-configuration", "callback-keys")
ENVELOPES = ("standard", "raw", "html", "empty")


@dataclass
class Fault:
    do: str
    when: str = ""
    times: int | None = 1
    lasts: float | None = None
    call_id: str | None = None
    method: str | None = None
    action: str | None = None
    seconds: float = 0.0
    status: int | None = None
    code: str = ""
    message: str = ""
    envelope: str = "standard"
    retry_after: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    size: int = 0
    operation: Json = field(default_factory=dict)
    fault_id: str = field(default_factory=new_id)
    made_at: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        if self.do not in MOMENTS:
            raise RefusedError(f"No fault is called {self.do!r}. Known: {', '.join(MOMENTS)}.")
        self.when = self.when or MOMENTS[self.do]
        if self.when not in (BEFORE, AFTER):
            raise RefusedError("A fault comes 'before' or 'after'.")
        if self.action not in (None, *GRAPH_ACTIONS, *OTHER_ACTIONS):
            raise RefusedError(
                f"No action is called {self.action!r}. Known: {', '.join(GRAPH_ACTIONS + OTHER_ACTIONS)}."
            )
        if self.envelope not in ENVELOPES:
            raise RefusedError(f"No envelope is called {self.envelope!r}. Known: {', '.join(ENVELOPES)}.")

    def fits(self, action: str, method: str, call_id: str | None) -> bool:
        """A fault that names no action is for Graph's calls API; sign-in and keys fail only by name."""
        if self.action is None and action not in GRAPH_ACTIONS:
            return False
        wanted = ((self.action, action), (self.method, method), (self.call_id, call_id))
        return self.waits() and all(want is None or want == have for want, have in wanted)

    def waits(self) -> bool:
        """Whether it can still meet a request: neither used up nor older than the seconds it lasts."""
        is_over = self.lasts is not None and time.time() - self.made_at >= self.lasts
        return self.times != 0 and not is_over

    def error(self, request: Request) -> Answer:
        code = self.code or CODES_BY_STATUS.get(self.status or 503, "UnknownError")
        known = KNOWN.get(code, Known(400, "The request was refused."))
        body, content_type = wrapped(self.envelope, request, code, self.message or known.message)
        headers = {"Content-Type": content_type, **self.headers}
        if self.retry_after is not None:
            headers["Retry-After"] = self.retry_after
        return Answer(self.status or known.status, body, headers)

    def garbage(self) -> Answer:
        body = b'{"status": "comp' + b" " * self.size
        return Answer(self.status or 200, body, {"Content-Type": "application/json", **self.headers})


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def waiting(self) -> list[Fault]:
        with self._lock:
            return [fault for fault in self._faults if fault.waits()]

    def take(self, action: str, method: str, call_id: str | None, *, operations: bool) -> Fault | None:
        """The first fault that fits, used up by one. Those about operations are taken by the action itself."""
        with self._lock:
            for fault in self._faults:
                if (fault.do == "operation") is operations and fault.fits(action, method, call_id):
                    fault.times = None if fault.times is None else fault.times - 1
                    return fault
        return None


class Hangs:
    """Requests that are held until somebody lets them go."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: dict[str, Any] = {}
        self._generation = 0
        self._closed = False

    def hold(self, request: Request) -> None:
        with self._changed:
            generation = self._generation
            self._held[request.request_id] = request.path
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or self._generation != generation)
            del self._held[request.request_id]

    def release(self) -> int:
        with self._changed:
            self._generation += 1
            self._changed.notify_all()
            return len(self._held)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait_for(self, count: int, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: len(self._held) >= count, seconds)

    def __len__(self) -> int:
        return len(self._held)
