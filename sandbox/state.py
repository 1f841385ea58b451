"""What the stand-in remembers: calls, their operations, and its settings."""

import threading
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sandbox.defaults import TENANT_ID
from sandbox.messages import Json, RefusedError, new_id

FINAL = ("completed", "failed")


def build[T](kind: type[T], given: Json) -> T:
    """A dataclass from what a stranger sent; unknown names are refused by name."""
    known = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(given) - known)
    if unknown:
        raise RefusedError(f"Unknown: {', '.join(unknown)}. Known: {', '.join(sorted(known))}.")
    return kind(**given)


@dataclass
class Settings:
    callback_url: str | None = None
    callback_tries: int = 4
    callback_pause: float = 0.5
    list_operations: bool = False
    token_lifetime: int = 3600
    pascal_case: bool = False


@dataclass(frozen=True)
class Behaviour:
    """How an accepted action goes on: the status answered, then perhaps another one after a while."""

    status: str | None = "completed"
    then: str | None = None
    after: float = 0.0
    code: int | None = None
    subcode: int = 0
    message: str = ""
    notify: bool = True

    def result(self) -> Json | None:
        if self.code is None:
            return None
        return {"code": self.code, "subcode": self.subcode, "message": self.message}


@dataclass
class Operation:
    operation_id: str
    call_id: str
    requested_status: str
    client_context: str | None
    status: str | None
    result: Json | None = None

    @property
    def final(self) -> bool:
        return (self.status or "").lower() in FINAL


def person(name: str) -> Json:
    return {"id": new_id(), "displayName": name}


@dataclass
class Call:
    call_id: str = field(default_factory=new_id)
    tenant_id: str = TENANT_ID
    state: str = "established"
    direction: str = "incoming"
    subject: str | None = None
    policy: bool = True
    user: Json = field(default_factory=lambda: person("Recorded User"))
    organizer: Json = field(default_factory=lambda: person("Organizer"))
    call_chain_id: str = field(default_factory=new_id)
    scenario_id: str = field(default_factory=new_id)
    my_participant_id: str = field(default_factory=new_id)
    observed_participant_id: str = field(default_factory=new_id)
    recording_status: str | None = None
    result: Json | None = None
    operations: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        build(Behaviour, self.operations)

    @property
    def ended(self) -> bool:
        return self.state.lower() == "terminated"


class World:
    """Every change happens under `lock`; what leaves are copies."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.settings = Settings()
        self.calls: dict[str, Call] = {}
        self.operations: dict[str, Operation] = {}

    def reset(self, settings: Settings) -> None:
        with self.lock:
            self.settings = settings
            self.calls.clear()
            self.operations.clear()

    def call(self, call_id: str) -> Call:
        if call_id not in self.calls:
            raise RefusedError(f"There is no call {call_id}.", 404)
        return self.calls[call_id]

    def operation(self, operation_id: str) -> Operation:
        if operation_id not in self.operations:
            raise RefusedError(f"There is no operation {operation_id}.", 404)
        return self.operations[operation_id]

    def operations_of(self, call_id: str) -> list[Operation]:
        return [each for each in self.operations.values() if each.call_id == call_id]

    def tell(self, call: Call, status: str, client_context: str | None, behaviour: Behaviour) -> Operation:
        """The action itself: Teams hears a status about this call."""
        with self.lock:
            operation = Operation(new_id(), call.call_id, status, client_context, behaviour.status, behaviour.result())
            if behaviour.then:
                operation.result = None
            self.operations[operation.operation_id] = operation
            self._show(operation)
            return operation

    def settle(self, operation_id: str, status: str, result: Json | None) -> Operation:
        with self.lock:
            operation = self.operation(operation_id)
            operation.status, operation.result = status, result
            self._show(operation)
            return operation

    def _show(self, operation: Operation) -> None:
        call = self.calls.get(operation.call_id)
        if call and (operation.status or "").lower() == "completed":
            call.recording_status = operation.requested_status

    def view(self, thing: Any) -> Json:
        with self.lock:
            return asdict(thing)
