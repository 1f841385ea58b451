"""The stand-in as one thing that can be started and stopped."""

import threading
from pathlib import Path
from typing import Self

from sandbox.certificates import tls_context
from sandbox.control_routes import control_routes
from sandbox.controls import Controls
from sandbox.defaults import CLIENT_ID, CLIENT_SECRET, OTHER_TENANT_ID, TENANT_ID
from sandbox.exchange import Exchange, Route, route
from sandbox.graph import Graph
from sandbox.messages import Answer, Request
from sandbox.state import Settings
from sandbox.wire import Server

CALL = "/v1.0/communications/calls/{call_id}"
# A stand-in serves whatever audience its callers name: their scope may be that of the real Graph.
GRAPH_ROOTS = ("https://graph.microsoft.com", "https://graph.microsoft.us", "https://dod-graph.microsoft.us")


class Sandbox(Controls):
    tenant_id, other_tenant_id = TENANT_ID, OTHER_TENANT_ID
    client_id, client_secret = CLIENT_ID, CLIENT_SECRET

    def __init__(
        self,
        directory: Path,
        *,
        port: int = 0,
        http: bool = False,
        callback_url: str | None = None,
        list_operations: bool = False,
    ) -> None:
        super().__init__(Settings(callback_url=callback_url, list_operations=list_operations))
        self.ca_file = directory / "ca.pem"
        self._graph = Graph(self._world, self._token_keys, self._faults, self.settle_later)
        routes = [*self._sign_in_routes(), *self._graph_routes(), *control_routes(self)]
        self._exchange = Exchange(routes, self._faults, self._hangs, self._log)
        self._server = Server(port, self._exchange, None if http else tls_context(self.ca_file))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._name_addresses("http" if http else "https")

    def start(self) -> Self:
        self._timers.start()
        self._postman.start()
        self._thread.start()
        return self

    def stop(self) -> None:
        self._exchange.stopping.set()
        self._hangs.close()
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()
        self._timers.stop()
        self._postman.stop()

    def wait(self) -> None:
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _name_addresses(self, scheme: str) -> None:
        self.port = self._server.server_address[1]
        self.base_url = f"{scheme}://localhost:{self.port}"
        self.graph_url = f"{self.base_url}/v1.0"
        self.issuer = f"{self.base_url}/{TENANT_ID}/v2.0"
        self.callback_metadata_url = f"{self.base_url}/v1/.well-known/OpenIdConfiguration"
        self.callback_jwks_url = f"{self.base_url}/v1/.well-known/keys"
        self._sign_in.base_url = self.base_url
        self._graph.root = self.graph_url
        self._graph.audiences = (self.base_url, f"{scheme}://127.0.0.1:{self.port}", *GRAPH_ROOTS)

    def _sign_in_routes(self) -> list[Route]:
        sign_in = self._sign_in
        return [
            route("GET", "/{tenant}/v2.0/.well-known/openid-configuration", "configuration", sign_in.configuration),
            route("GET", "/{tenant}/discovery/v2.0/keys", "keys", sign_in.keys),
            route("POST", "/{tenant}/oauth2/v2.0/token", "token", sign_in.token),
            route("GET", "/v1/.well-known/OpenIdConfiguration", "callback-configuration", self._callback_metadata),
            route("GET", "/v1/.well-known/keys", "callback-keys", self._published_callback_keys),
        ]

    def _graph_routes(self) -> list[Route]:
        graph = self._graph
        update = "updateRecordingStatus"
        return [
            route("GET", CALL, "getCall", graph.get_call, logged=True),
            route("POST", f"{CALL}/{update}", update, graph.update_recording_status, logged=True),
            route("POST", f"{CALL}/microsoft.graph.{update}", update, graph.update_recording_status, logged=True),
            route("GET", f"{CALL}/operations/{{operation_id}}", "getOperation", graph.operation, logged=True),
            route("GET", f"{CALL}/operations", "listOperations", graph.operations, logged=True),
            route("GET", f"{CALL}/participants", "listParticipants", graph.participants, logged=True),
        ]

    def _callback_metadata(self, request: Request, names: dict[str, str]) -> Answer:
        content = {
            "issuer": "https://api.botframework.com",
            "jwks_uri": self.callback_jwks_url,
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return Answer.of(200, content)

    def _published_callback_keys(self, request: Request, names: dict[str, str]) -> Answer:
        return Answer.of(200, self._callback_keys.published())
