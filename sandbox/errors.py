"""The two envelopes in which Graph wraps a refusal, and the codes of the calling platform."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.messages import Answer, Json, Request, stamp


@dataclass(frozen=True)
class Known:
    status: int
    message: str


# The HTTP status of 8506 is nowhere documented; 403 is the stand-in's guess.
KNOWN: Mapping[str, Known] = {
    "7503": Known(403, "Application is not registered in our store."),
    "7504": Known(403, "Insufficient enterprise tenant permissions, cannot access this API."),
    "7505": Known(403, "Request authorization tenant mismatch."),
    "8506": Known(403, "The API is not allowed for a call that is not a compliance recording call."),
    "8522": Known(404, "Call not found."),
    "InvalidAuthenticationToken": Known(401, "Access token validation failure."),
    "BadRequest": Known(400, "Invalid request."),
    "NotFound": Known(404, "Resource not found."),
    "Conflict": Known(409, "The operation conflicts with another one."),
    "TooManyRequests": Known(429, "Too many requests."),
    "InternalServerError": Known(500, "An internal server error occurred."),
    "ServiceUnavailable": Known(503, "Service unavailable."),
    "GatewayTimeout": Known(504, "The gateway did not receive an answer in time."),
}
CODES_BY_STATUS = {known.status: code for code, known in KNOWN.items() if not code.isdigit()}


def standard(request: Request, code: str, message: str) -> Json:
    inner = {"date": stamp(request.arrived_at), "request-id": request.request_id}
    if request.client_request_id:
        inner["client-request-id"] = request.client_request_id
    return {"error": {"code": code, "message": message, "innerError": inner}}


def raw(code: str, message: str) -> Json:
    return {"errorCode": code, "message": message, "instanceAnnotations": []}


def refusal(request: Request, code: str, message: str = "", status: int | None = None) -> Answer:
    known = KNOWN.get(code, Known(400, "The request was refused."))
    return Answer.of(status or known.status, standard(request, code, message or known.message))


def wrapped(envelope: str, request: Request, code: str, message: str) -> tuple[bytes, str]:
    """A refusal's body and its content type, in the envelope asked for."""
    match envelope:
        case "standard":
            return json.dumps(standard(request, code, message)).encode(), "application/json"
        case "raw":
            return json.dumps(raw(code, message)).encode(), "application/json"
        case "html":
            return f"<html><body><h1>{message}</h1></body></html>".encode(), "text/html"
        case _:
            return b"", "application/json"
