"""Post to the hooks as machines do, and see what became of it."""

import io
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.http import HttpResponse
from django.test import Client

from recordings.models import Call, Delivery, LedgerEntry, StatusChange
from sandbox import notices
from sandbox.messages import Json
from sandbox.server import Sandbox

GRAPH = "/hooks/graph/"
RECORDER = "/hooks/recorder/"


class Machine:
    """Somebody with a token. Whatever goes wrong comes back as an answer, as it would over a network."""

    def __init__(self, url: str, token: str = "") -> None:
        self._client = Client(raise_request_exception=False)
        self._url = url
        self._token = token

    def post(self, body: object, *, authorization: str | None = None, headers: Json | None = None) -> HttpResponse:
        """Post `body`: bytes as they are, anything else as JSON. An empty authorization leaves the header out."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        bearer = f"Bearer {self._token}" if authorization is None else authorization
        sent = {**({"Authorization": bearer} if bearer else {}), **(headers or {})}
        return self._client.generic("POST", self._url, data, content_type="application/json", headers=sent)  # type: ignore[return-value]

    def post_without_length(self, body: bytes) -> HttpResponse:
        """As a chunked request arrives from a server that marks where the body ends."""
        environ: Json = {
            "CONTENT_LENGTH": "",
            "HTTP_AUTHORIZATION": f"Bearer {self._token}",
            "HTTP_TRANSFER_ENCODING": "chunked",
            "wsgi.input": io.BytesIO(body),
            "wsgi.input_terminated": True,
        }
        return self._client.generic("POST", self._url, content_type="application/json", **environ)  # type: ignore[return-value]

    def get(self) -> HttpResponse:
        return self._client.get(self._url)  # type: ignore[return-value]


class Graph(Machine):
    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(GRAPH, sandbox.callback_token())

    def tell(self, *said: Json, message_id: str | None = "") -> HttpResponse:
        """One post of these notifications; None leaves the message id out, an empty one means a new one."""
        named = str(uuid.uuid4()) if message_id == "" else message_id
        headers = {"X-Microsoft-Skype-Message-ID": named} if named else {}
        return self.post(notices.envelope(said), headers=headers)


def error_of(answer: HttpResponse) -> str:
    """The one sentence of a refusal."""
    said: dict[str, Any] = json.loads(answer.content)
    assert list(said) == ["error"]
    return str(said["error"])


def stored() -> dict[str, int]:
    """How many rows there are of all that a message could leave."""
    return {model.__name__: model._base_manager.count() for model in (Call, StatusChange, Delivery, LedgerEntry)}


def facts(call: Call) -> dict[str, Any]:
    """All that is known of a call, without the moments of the last signs of life."""
    moving = ("last_signal_at", "graph_seen_at", "heard", "due_after", "probe_after")
    return {name: value for name, value in Call.objects.filter(pk=call.pk).values().get().items() if name not in moving}


def changes(call_id: str) -> list[tuple[str, str, str]]:
    rows = StatusChange.objects.filter(call__graph_id=call_id).order_by("id")
    return [(row.field, row.old, row.new) for row in rows]


@contextmanager
def broken_database() -> Iterator[None]:
    """The ledger cannot be written; it is the last table that a step touches."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE recordings_ledgerentry RENAME TO recordings_ledgerentry_away")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE recordings_ledgerentry_away RENAME TO recordings_ledgerentry")
