"""A client of the stand-in and a receiver of its notifications, both over real sockets."""

import json
import queue
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import requests

from sandbox.server import Sandbox

TIMEOUT = (3, 5)


class Browser:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(sandbox.ca_file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(
            method, self.sandbox.base_url + path, timeout=options.pop("timeout", TIMEOUT), **options
        )

    def ask_for_token(self, tenant: str | None = None, **changes: str) -> requests.Response:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.sandbox.client_id,
            "client_secret": self.sandbox.client_secret,
            "scope": f"{self.sandbox.base_url}/.default",
            **changes,
        }
        return self.send("POST", f"/{tenant or self.sandbox.tenant_id}/oauth2/v2.0/token", data=form)

    def sign_in(self, tenant: str | None = None) -> None:
        token = self.ask_for_token(tenant).json()["access_token"]
        self.session.headers["Authorization"] = f"Bearer {token}"

    def graph(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.send(method, f"/v1.0/communications/calls/{path}", **options)

    def tell(self, call_id: str, status: Any = "recording", context: Any = "onrecord:1", **options: Any) -> Any:
        body = {"status": status, "clientContext": context}
        return self.graph("POST", f"{call_id}/updateRecordingStatus", json=body, **options)


@dataclass
class Received:
    headers: dict[str, str]
    body: Any

    @property
    def first(self) -> Any:
        return self.body["value"][0]


class Receiver:
    """Answers with the next status of `statuses`, then 202."""

    def __init__(self) -> None:
        self.posts: queue.Queue[Received] = queue.Queue()
        self.statuses: list[int] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hooks/"

    def next(self, seconds: float = 10) -> Received:
        return self.posts.get(timeout=seconds)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.posts.put(Received(dict(self.headers.items()), body))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        return Handler
