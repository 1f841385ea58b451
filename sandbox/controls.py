"""Everything a test or the demo may do to the stand-in, as plain methods. The control endpoint offers the same."""

import inspect
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sandbox import notices
from sandbox.callbacks import Delivery, Parcel, Postman, headers
from sandbox.defaults import TENANT_ID
from sandbox.faults import Fault, Faults, Hangs
from sandbox.log import Log
from sandbox.messages import Json, RefusedError, new_id
from sandbox.resources import cased
from sandbox.signin import SignIn
from sandbox.state import Behaviour, Call, Operation, Settings, World, build
from sandbox.timers import Timers
from sandbox.tokens import KeyRing


@dataclass
class Notice:
    """How a notification goes out. `state` may differ from the call's, since the real ones arrive out of order."""

    kind: str = "updated"
    state: str | None = None
    operation_id: str | None = None
    copies: int = 1
    after: float = 0.0
    message_id: str = field(default_factory=new_id)
    without_message_id: bool = False
    without_operation_id: bool = False
    pascal_case: bool = False
    token: bool = True
    claims: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in notices.KINDS:
            raise RefusedError(f"No notification is called {self.kind!r}. Known: {', '.join(notices.KINDS)}.")


class Controls:
    def __init__(self, settings: Settings) -> None:
        self._first_settings = settings
        self._world = World()
        self._world.settings = replace(settings)
        self._faults = Faults()
        self._hangs = Hangs()
        self._log = Log()
        self._timers = Timers()
        self._token_keys, self._callback_keys = KeyRing(), KeyRing()
        self._postman = Postman(self._world, self._callback_keys)
        self._sign_in = SignIn(self._world, self._token_keys)

    # -- all of it

    def reset(self) -> None:
        """Everything forgotten but the keys; requests that hang are let go."""
        self._faults.clear()
        self._hangs.release()
        self._timers.clear()
        self._world.reset(replace(self._first_settings))
        self._sign_in.forget_certificates()
        self._log.clear()
        self._postman.clear()

    def settings(self, **changes: Any) -> Json:
        merged = {**asdict(self._world.settings), **changes}
        self._world.settings = build(Settings, merged)
        return asdict(self._world.settings)

    # -- calls

    def calls(self) -> list[Json]:
        return [self._world.view(call) for call in list(self._world.calls.values())]

    def call(self, call_id: str) -> Json:
        return self._world.view(self._world.call(call_id))

    def add_call(self, *, notify: bool = False, **facts: Any) -> Json:
        call = build(Call, facts)
        self._world.calls[call.call_id] = call
        if notify:
            self.notify(call.call_id, kind="created")
        return self._world.view(call)

    def change_call(self, call_id: str, *, notify: bool = False, **facts: Any) -> Json:
        with self._world.lock:
            old = self._world.call(call_id)
            call = build(Call, {**asdict(old), **facts, "call_id": call_id})
            self._world.calls[call_id] = call
        if notify:
            self.notify(call_id, kind="updated")
        return self._world.view(call)

    def end_call(
        self, call_id: str, *, code: int = 200, subcode: int = 7000, message: str = "", notify: bool = False
    ) -> Json:
        result = {"code": code, "subcode": subcode, "message": message}
        ended = self.change_call(call_id, state="terminated", result=result)
        if notify:
            self.notify(call_id, kind="deleted")
        return ended

    def remove_call(self, call_id: str) -> None:
        """As if it had never been: no notification tells of it."""
        with self._world.lock:
            self._world.call(call_id)
            del self._world.calls[call_id]

    # -- operations

    def operations(self, call_id: str | None = None) -> list[Json]:
        with self._world.lock:
            every = self._world.operations.values()
            return [asdict(each) for each in every if call_id in (None, each.call_id)]

    def complete_operation(
        self, operation_id: str, *, status: str = "completed", result: Json | None = None, notify: bool = True
    ) -> Json:
        operation = self._world.settle(operation_id, status, result)
        if notify and operation.call_id in self._world.calls:
            self.notify(operation.call_id, kind="operation", operation_id=operation_id)
        return self._world.view(operation)

    def settle_later(self, operation: Operation, behaviour: Behaviour) -> None:
        def settle() -> None:
            if operation.operation_id in self._world.operations:
                self.complete_operation(
                    operation.operation_id,
                    status=behaviour.then or "completed",
                    result=behaviour.result(),
                    notify=behaviour.notify,
                )

        self._timers.after(behaviour.after, settle)

    # -- what goes wrong

    def fault(self, do: str, **options: Any) -> Json:
        fault = build(Fault, {"do": do, **options})
        build(Behaviour, fault.operation)
        self._faults.add(fault)
        return asdict(fault)

    def faults(self) -> list[Json]:
        return [asdict(fault) for fault in self._faults.waiting()]

    def clear_faults(self) -> None:
        self._faults.clear()

    def release(self) -> int:
        """Lets every hanging request go on; how many there were."""
        return self._hangs.release()

    # -- notifications

    def notify(self, call_id: str, **options: Any) -> Json:
        """Sends a notification about a call; what is sent is fixed now, even when it leaves later."""
        order = build(Notice, options)
        call = self._world.call(call_id)
        url = self._world.settings.callback_url
        if url is None:
            return {"message_id": None, "sent": False}
        message_id = None if order.without_message_id else order.message_id
        body = notices.envelope([self._notice(call, order)])
        for _ in range(order.copies):
            delivery = Delivery(call_id, order.kind, message_id)
            parcel = Parcel(url, body, headers(call, message_id), call.tenant_id, delivery, order.token, order.claims)
            self._send(parcel, order.after)
        return {"message_id": message_id, "sent": True}

    def deliveries(self) -> list[Json]:
        return self._postman.deliveries()

    def callback_token(self, tenant_id: str = TENANT_ID, **claims: Any) -> str:
        """A token as notifications bear it; a claim given replaces the usual one, None leaves it out."""
        return self._postman.token(tenant_id, **claims)

    def _send(self, parcel: Parcel, after: float) -> None:
        if after:
            self._timers.after(after, lambda: self._postman.post(parcel))
        else:
            self._postman.post(parcel)

    def _notice(self, call: Call, order: Notice) -> Json:
        pascal = order.pascal_case or self._world.settings.pascal_case
        state = cased(order.state or call.state, pascal_case=pascal) or ""
        match order.kind:
            case "created":
                made = notices.created(call, state)
            case "updated":
                made = notices.updated(call, state)
            case "deleted":
                made = notices.deleted(call, state)
            case "operation":
                operation = self._world.operation(order.operation_id or "")
                named = not order.without_operation_id
                made = notices.operation_settled(operation, pascal_case=pascal, named=named)
            case "roster":
                made = notices.roster_changed(call)
            case _:
                made = notices.content_shared(call)
        return {**made, "changeType": cased(made["changeType"], pascal_case=pascal)}

    # -- keys

    def rotate_keys(self, *, which: str = "callbacks", keep_old: bool = True) -> None:
        rings = {"callbacks": self._callback_keys, "tokens": self._token_keys}
        if which not in rings:
            raise RefusedError("The keys are those of 'callbacks' or of 'tokens'.")
        rings[which].rotate(keep_old=keep_old)

    def trust_certificate(self, pem: str) -> None:
        """From now on an assertion signed with this certificate's key opens the door, too."""
        self._sign_in.trust_certificate(pem)

    # -- what was seen

    def log(self) -> list[Json]:
        return self._log.entries()

    def state(self) -> Json:
        return {"calls": len(self._world.calls), "hanging": len(self._hangs), "faults": self.faults()}

    def wait_for_requests(self, count: int, seconds: float = 10.0) -> bool:
        return self._log.wait_for(count, seconds)

    def wait_for_hanging(self, count: int = 1, seconds: float = 10.0) -> bool:
        return self._hangs.wait_for(count, seconds)

    def wait_for_deliveries(self, seconds: float = 10.0) -> bool:
        """True once every notification sent so far has been taken or given up."""
        return self._postman.wait_until_idle(seconds)


def called(controls: Controls, method: str, arguments: Json) -> Any:
    """One of the methods above with arguments from outside; what does not fit is refused in words."""
    function = getattr(controls, method)
    try:
        bound = inspect.signature(function).bind(**arguments)
    except TypeError as error:
        raise RefusedError(f"{method}: {error}.") from error
    return function(*bound.args, **bound.kwargs)
