"""Holds what went over the wire against an OpenAPI description."""

import json
from copy import copy
from typing import Any

import requests
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
from openapi_core.exceptions import OpenAPIError


class Description:
    def __init__(self, openapi: OpenAPI) -> None:
        self._openapi = openapi

    def complaint_about_answer(self, answer: requests.Response) -> str | None:
        """What is wrong with an answer, or None."""
        try:
            self._openapi.validate_response(RequestsOpenAPIRequest(answer.request), RequestsOpenAPIResponse(answer))
        except OpenAPIError as error:
            return in_words(error)
        return None

    def complaint_about_request(self, answer: requests.Response) -> str | None:
        """What is wrong with the request that got this answer, or None."""
        try:
            self._openapi.validate_request(RequestsOpenAPIRequest(answer.request))
        except OpenAPIError as error:
            return in_words(error)
        return None


def with_nulls(node: Any) -> Any:
    """The description with `nullable` beside `allOf` meaning what its author meant.

    Read to the letter, OpenAPI 3.0.3 gives `nullable` no force where no `type` stands beside it; then
    Microsoft's own example, whose resultInfo is null, would be refused.
    """
    if isinstance(node, list):
        return [with_nulls(each) for each in node]
    if not isinstance(node, dict):
        return node
    inner = {name: with_nulls(value) for name, value in node.items()}
    if inner.get("nullable") is True and "allOf" in inner and "type" not in inner:
        return {"anyOf": [{"allOf": inner["allOf"]}, {"type": "object", "nullable": True, "enum": [None]}]}
    return inner


def in_words(error: OpenAPIError) -> str:
    causes = getattr(error.__cause__, "schema_errors", ())
    details = "; ".join(str(cause.message) for cause in causes)
    return f"{type(error).__name__}: {error}. {error.__cause__ or ''} {details}"


def with_body(answer: requests.Response, content: Any) -> requests.Response:
    """The same answer, but with another body: a forgery to prove that forgeries are found."""
    forged = copy(answer)
    forged._content = json.dumps(content).encode()
    return forged
