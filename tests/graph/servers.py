"""Servers for what no HTTP library would do: bytes at will over TLS, and a proxy."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from sandbox.certificates import tls_context

Behaviour = Callable[[socket.socket, threading.Event], None]


class Listener:
    """Accepts connections, each in a thread of its own, until closed."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self.connections = 0

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for each in (self._socket, *self._open):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for each in (self._socket, *self._open):
            each.close()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._guarded, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _guarded(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self.serve(connection)

    def serve(self, connection: socket.socket) -> None:
        raise NotImplementedError


class RawServer(Listener):
    """TLS; reads one request, remembers it, and leaves the answer to `behaviour`."""

    def __init__(self, ca_file: Path) -> None:
        super().__init__()
        self._context = tls_context(ca_file)
        self.ca_file = ca_file
        self.url = f"https://127.0.0.1:{self.port}"
        self.requests: list[bytes] = []
        self.behaviour: Behaviour = saying(b"HTTP/1.1 204 No Content\r\n\r\n")

    def serve(self, connection: socket.socket) -> None:
        with self._context.wrap_socket(connection, server_side=True) as tls:
            self._open.append(tls)
            self.requests.append(read_request(tls))
            self.behaviour(tls, self.stopping)


class HangUp(Listener):
    """Takes the first bytes of a TLS handshake and ends the connection, as a load balancer that restarts does."""

    def __init__(self) -> None:
        super().__init__()
        self.url = f"https://127.0.0.1:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        connection.recv(65536)
        connection.close()


class Proxy(Listener):
    """Answers CONNECT with `refusal`, or tunnels where there is none."""

    def __init__(self, refusal: bytes | None = None) -> None:
        super().__init__()
        self._refusal = refusal
        self.url = f"http://127.0.0.1:{self.port}"
        self.asked: list[bytes] = []

    def serve(self, connection: socket.socket) -> None:
        request = read_request(connection)
        self.asked.append(request.partition(b"\r\n")[0])
        if self._refusal is not None:
            connection.sendall(self._refusal)
            connection.close()
            return
        host, _, port = request.split()[1].decode().rpartition(":")
        with socket.create_connection((host, int(port)), 5) as target:
            self._open.append(target)
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=(target, connection), daemon=True)
            self._threads.append(back)
            back.start()
            pump(connection, target)


def pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while some := source.recv(65536):
            target.sendall(some)
        target.shutdown(socket.SHUT_WR)


def read_request(connection: socket.socket) -> bytes:
    request = b""
    while b"\r\n\r\n" not in request:
        some = connection.recv(65536)
        if not some:
            return request
        request += some
    head, _, body = request.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length:" in line), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def saying(answer: bytes) -> Behaviour:
    def behave(connection: socket.socket, _: threading.Event) -> None:
        connection.sendall(answer)

    return behave


def trickling(answer: bytes) -> Behaviour:
    """A byte every 20 ms, for ever after the first."""

    def behave(connection: socket.socket, stopping: threading.Event) -> None:
        connection.sendall(answer)
        while not stopping.wait(0.02):
            connection.sendall(b"x")

    return behave


def resetting(connection: socket.socket, _: threading.Event) -> None:
    """A TCP reset instead of an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def silent(_: socket.socket, stopping: threading.Event) -> None:
    stopping.wait(30)
