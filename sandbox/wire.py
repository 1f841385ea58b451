"""Sockets: reads a request, writes its answer, or cuts it where a fault says so."""

import contextlib
import socket
import ssl
import sys
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from sandbox.defaults import HANDSHAKE_TIMEOUT, HOST, IDLE_TIMEOUT, MAX_BODY
from sandbox.exchange import Exchange
from sandbox.messages import Answer, Request, now


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, exchange: Exchange, context: ssl.SSLContext | None) -> None:
        self.exchange = exchange
        self._open: set[socket.socket] = set()
        self._closed = threading.Condition()
        super().__init__((HOST, port), Wire)
        if context:
            # Without this the handshake of one slow peer would hold up every other one at accept().
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._closed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._closed:
            self._open.discard(request)
            self._closed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that goes away is everyday life here; anything else is a bug and shows its trace."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def hang_up(self, seconds: float = 5.0) -> None:
        """Ends every connection and waits until its thread has closed it."""
        with self._closed:
            for connection in self._open:
                end(connection)
            self._closed.wait_for(lambda: not self._open, seconds)


def end(connection: socket.socket) -> None:
    try:
        # SSLSocket.shutdown() forgets its TLS state while another thread reads from it; the plain one does not.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        return


class Wire(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Sandbox"
    sys_version = ""
    timeout = IDLE_TIMEOUT
    disable_nagle_algorithm = True
    _clock = 0.0  # how far the Date of the answer under way is ahead
    wbufsize = -1  # head and body leave together, as they do from any grown-up server

    def setup(self) -> None:
        if isinstance(self.request, ssl.SSLSocket):
            self.request.settimeout(HANDSHAKE_TIMEOUT)
            self.request.do_handshake()
        super().setup()

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_DELETE = do_PUT = do_GET  # noqa: N815  http.server looks for these names

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            return
        request = Request(self.command, self.path, lower_case(self.headers.items()), body)
        answer, entry = cast(Server, self.server).exchange.answer(request)
        try:
            self._write(request, answer)
        except OSError:
            self.close_connection = True
            if entry and not entry.cut:
                entry.cut = "client gone"

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length") or "0"
        if self.headers.get("Transfer-Encoding") or not length.isdecimal():
            self.send_error(411)
        elif int(length) > MAX_BODY:
            self.send_error(413)
        else:
            return self.rfile.read(int(length))
        self.close_connection = True
        self._drain()
        return None

    def _drain(self) -> None:
        """Take what is on its way: closing over unread bytes resets the connection, and the answer is lost with it."""
        self.wfile.flush()
        self.connection.settimeout(0.2)
        with contextlib.suppress(OSError):
            for _ in range(64):
                if not self.rfile.read1(65_536):
                    return

    def _write(self, request: Request, answer: Answer) -> None:
        if answer.cut == "closed":
            self.close_connection = True
            return
        self._clock = answer.clock
        self.send_response(answer.status)
        for name, value in {**answer.headers, **ids(request)}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self._write_body(answer)
        self.wfile.flush()

    def _write_body(self, answer: Answer) -> None:
        if answer.cut == "half":
            self.wfile.write(answer.body[: len(answer.body) // 2])
            self.close_connection = True
        elif answer.cut == "drip":
            self._drip(answer)
        else:
            self.wfile.write(answer.body)

    def _drip(self, answer: Answer) -> None:
        stopping = cast(Server, self.server).exchange.stopping
        for byte in answer.body:
            if stopping.wait(answer.pace):
                self.close_connection = True
                return
            self.wfile.write(bytes([byte]))
            self.wfile.flush()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(now().timestamp() + self._clock if timestamp is None else timestamp)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed: the log is at /control/log, and it holds no token."""


def lower_case(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


def ids(request: Request) -> dict[str, str]:
    mine = {"request-id": request.request_id}
    return {**mine, "client-request-id": request.client_request_id} if request.client_request_id else mine
