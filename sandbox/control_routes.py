"""The control endpoint: the methods of Controls as JSON over HTTP, for this machine only."""

from collections.abc import Callable

from sandbox.controls import Controls, called
from sandbox.exchange import Handler, Route, route
from sandbox.messages import Answer, Json, RefusedError, Request

# method, path, method of Controls; names in the path become arguments beside those in the body
TABLE = (
    ("POST", "/control/reset", "reset"),
    ("GET", "/control/state", "state"),
    ("GET", "/control/log", "log"),
    ("GET", "/control/settings", "settings"),
    ("POST", "/control/settings", "settings"),
    ("GET", "/control/calls", "calls"),
    ("POST", "/control/calls", "add_call"),
    ("GET", "/control/calls/{call_id}", "call"),
    ("PATCH", "/control/calls/{call_id}", "change_call"),
    ("DELETE", "/control/calls/{call_id}", "remove_call"),
    ("POST", "/control/calls/{call_id}/end", "end_call"),
    ("POST", "/control/calls/{call_id}/notify", "notify"),
    ("GET", "/control/calls/{call_id}/operations", "operations"),
    ("GET", "/control/operations", "operations"),
    ("POST", "/control/operations/{operation_id}/complete", "complete_operation"),
    ("GET", "/control/faults", "faults"),
    ("POST", "/control/faults", "fault"),
    ("DELETE", "/control/faults", "clear_faults"),
    ("POST", "/control/release", "release"),
    ("GET", "/control/deliveries", "deliveries"),
    ("POST", "/control/keys/rotate", "rotate_keys"),
    ("POST", "/control/certificates", "trust_certificate"),
)


def control_routes(controls: Controls) -> list[Route]:
    return [route(verb, path, f"control:{name}", handler(controls, name)) for verb, path, name in TABLE]


def handler(controls: Controls, name: str) -> Handler:
    def handle(request: Request, names: dict[str, str]) -> Answer:
        return guarded(lambda: called(controls, name, {**arguments(request), **names}))

    return handle


def guarded(act: Callable[[], object]) -> Answer:
    try:
        return Answer.of(200, act())
    except RefusedError as error:
        return Answer.of(error.status, {"error": str(error)})


def arguments(request: Request) -> Json:
    if not request.body:
        return {}
    try:
        given = request.json()
    except ValueError as error:
        raise RefusedError(f"The body is not JSON: {error}.") from error
    if not isinstance(given, dict):
        raise RefusedError("The body is not a JSON object.")
    return given
