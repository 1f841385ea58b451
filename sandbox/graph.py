"""The calls API of Microsoft Graph, as far as a recording status needs it."""

from collections.abc import Callable, Collection
from typing import Any

import jwt

from sandbox.defaults import BOT_CALLBACK_URI, MAX_CLIENT_CONTEXT
from sandbox.errors import refusal
from sandbox.faults import Faults
from sandbox.messages import Answer, Json, Request
from sandbox.resources import call_resource, operation_resource, roster
from sandbox.state import Behaviour, Call, Operation, World, build
from sandbox.tokens import KeyRing

STATUSES = ("recording", "notRecording", "failed")
type Later = Callable[[Operation, Behaviour], None]


class Graph:
    def __init__(self, world: World, keys: KeyRing, faults: Faults, later: Later) -> None:
        self._world = world
        self._keys = keys
        self._faults = faults
        self._later = later
        self.root = ""
        self.audiences: Collection[str] = ()

    def get_call(self, request: Request, names: dict[str, str]) -> Answer:
        call = self._permitted(request, names)
        if isinstance(call, Answer):
            return call
        content = call_resource(call, self._world.settings.callback_url or BOT_CALLBACK_URI)
        return Answer.of(200, {"@odata.context": f"{self.root}/$metadata#communications/calls/$entity", **content})

    def participants(self, request: Request, names: dict[str, str]) -> Answer:
        call = self._permitted(request, names)
        return call if isinstance(call, Answer) else Answer.of(200, {"value": roster(call)})

    def operation(self, request: Request, names: dict[str, str]) -> Answer:
        call = self._permitted(request, names)
        if isinstance(call, Answer):
            return call
        operation = self._world.operations.get(names["operation_id"])
        if operation is None or operation.call_id != call.call_id:
            return refusal(request, "NotFound", "Operation not found.")
        return Answer.of(200, self._shown(operation))

    def operations(self, request: Request, names: dict[str, str]) -> Answer:
        """Nobody has shown that the real Graph lists operations, so neither does this one unless told to."""
        call = self._permitted(request, names)
        if isinstance(call, Answer):
            return call
        if not self._world.settings.list_operations:
            return refusal(request, "NotFound", "Resource not found for the segment 'operations'.")
        return Answer.of(200, {"value": [self._shown(each) for each in self._world.operations_of(call.call_id)]})

    def update_recording_status(self, request: Request, names: dict[str, str]) -> Answer:
        call = self._permitted(request, names)
        if isinstance(call, Answer):
            return call
        try:
            status, client_context = wish(request)
        except ValueError as error:
            return refusal(request, "BadRequest", str(error))
        if not call.policy:
            return refusal(request, "8506")
        return self._tell(call, status, client_context)

    def _tell(self, call: Call, status: str, client_context: str | None) -> Answer:
        fault = self._faults.take("updateRecordingStatus", "POST", call.call_id, operations=True)
        behaviour = build(Behaviour, fault.operation if fault else call.operations)
        operation = self._world.tell(call, status, client_context, behaviour)
        if behaviour.then:
            self._later(operation, behaviour)
        where = f"{self.root}/communications/calls/{call.call_id}/operations/{operation.operation_id}"
        return Answer.of(200, self._shown(operation), {"Location": where}, acted=True)

    def _shown(self, operation: Operation) -> Json:
        return operation_resource(operation, pascal_case=self._world.settings.pascal_case)

    def _permitted(self, request: Request, names: dict[str, str]) -> Call | Answer:
        """The live call that this token may touch, or why not."""
        try:
            claims = self._claims(request)
        except jwt.InvalidTokenError as error:
            return refusal(request, "InvalidAuthenticationToken", f"Access token validation failure. {error}")
        call = self._world.calls.get(names["call_id"])
        if call is None or call.ended:
            return refusal(request, "8522")
        return call if claims["tid"] == call.tenant_id else refusal(request, "7505")

    def _claims(self, request: Request) -> Json:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise jwt.InvalidTokenError("Access token is empty.")
        return self._keys.read(token, self.audiences)


def wish(request: Request) -> tuple[str, str | None]:
    """Status and client context out of a body, or a ValueError in words."""
    try:
        body: Any = request.json()
    except ValueError:
        raise ValueError("Unable to read JSON request payload.") from None
    if not isinstance(body, dict):
        raise ValueError("Unable to read JSON request payload: it is not an object.")
    status, client_context = body.get("status"), body.get("clientContext")
    # `unknown` is in Microsoft's enumeration, but no page offers it for sending.
    if status not in STATUSES:
        raise ValueError(f"The value of parameter status is not one of {', '.join(STATUSES)}.")
    if client_context is not None and not isinstance(client_context, str):
        raise ValueError("The value of parameter clientContext is not a string.")
    if client_context is not None and len(client_context) > MAX_CLIENT_CONTEXT:
        raise ValueError(f"The value of parameter clientContext has more than {MAX_CLIENT_CONTEXT} characters.")
    return status, client_context
