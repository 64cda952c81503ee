"""A server whose every byte a test decides, and a shopper to send to it: the oracle for what goes over the wire."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import gevent
from gevent import socket, ssl
from gevent.event import Event as Flag
from locust.event import EventHook

from loadgen.failures import failure_class
from loadgen.http.client import ShopperClient

Sample = dict[str, Any]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Peer:
    """The server's end of one connection; `number` counts them from 0."""

    def __init__(self, server: "RawServer", connection: Any, number: int) -> None:
        self.socket = connection
        self.number = number
        self._server = server
        self._waiting = b""

    def request(self) -> bytes:
        """The next whole request (with a body of its Content-Length), noted down; none when the client has closed."""
        while b"\r\n\r\n" not in self._waiting:
            if not (data := self.socket.recv(65536)):
                return b""
            self._waiting += data
        head = self._waiting.partition(b"\r\n\r\n")[0]
        size = len(head) + 4 + int(field(head, "content-length") or 0)
        pieces, got = [self._waiting], len(self._waiting)
        while got < size:
            if not (data := self.socket.recv(65536)):
                return b""
            pieces.append(data)
            got += len(data)
        whole = b"".join(pieces)
        self._waiting = whole[size:]
        self._server.requests.append(whole[:size])
        return whole[:size]

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)


Script = Callable[[Peer], None]


class RawServer:
    """`requests` came in this order, on `connection_count` connections; `script_errors` are the test's own."""

    def __init__(self, script: Script, address: str, tls: Any, receive_buffer_bytes: int | None) -> None:
        self.requests: list[bytes] = []
        self.connection_count = 0
        self.open_count = 0
        self.script_errors: list[Exception] = []
        self._script = script
        self._tls = tls
        self._listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer_bytes is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self._listener.bind((address, 0))
        self._listener.listen()
        self.port = self._listener.getsockname()[1]
        shown = f"[{address}]" if ":" in address else address
        self.url = f"http{'s' if tls else ''}://{shown}:{self.port}"
        self._jobs = [gevent.spawn(self._accept)]

    def stop(self) -> None:
        for job in list(self._jobs):
            job.kill()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            self._jobs.append(gevent.spawn(self._serve, connection, self.connection_count))
            self.connection_count += 1

    def _serve(self, connection: Any, number: int) -> None:
        self.open_count += 1
        try:
            with suppress(OSError):
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                    connection.do_handshake()
                self._script(Peer(self, connection, number))
        except Exception as error:
            self.script_errors.append(error)
        finally:
            self.open_count -= 1
            connection.close()


def answering(*answers: bytes) -> Script:
    """Every request gets the next answer, on whichever connection; later ones the last again. They stay open."""
    left = list(answers)

    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(left.pop(0) if len(left) > 1 else left[0])

    return script


def closing(*answers: bytes) -> Script:
    """The same, and each connection is closed after one answer."""
    left = list(answers)

    def script(peer: Peer) -> None:
        if peer.request():
            peer.send(left.pop(0) if len(left) > 1 else left[0])

    return script


class Gate:
    """A server's script that answers only once it is opened, and notes who came until then."""

    def __init__(self) -> None:
        self.opened = Flag()
        self.arrived: list[str] = []

    def __call__(self, peer: Peer) -> None:
        while request := peer.request():
            self.arrived.append(line(request))
            self.opened.wait()
            peer.send(OK)


@contextmanager
def raw_server(
    script: Script | bytes = OK,
    *,
    address: str = "127.0.0.1",
    tls: Any = None,
    receive_buffer_bytes: int | None = None,
) -> Iterator[RawServer]:
    """A server that does as the script says with each connection, or answers everything with the same bytes."""
    running = RawServer(answering(script) if isinstance(script, bytes) else script, address, tls, receive_buffer_bytes)
    try:
        yield running
    finally:
        running.stop()
    assert running.script_errors == []


@contextmanager
def shopper(url: str, **how: Any) -> Iterator[tuple[ShopperClient, list[Sample]]]:
    """A client and the samples that listeners to its event hear; what it still holds is closed afterwards."""
    samples: list[Sample] = []
    event = EventHook()  # type: ignore[no-untyped-call]
    event.add_listener(lambda **sample: samples.append(sample))  # type: ignore[no-untyped-call]
    client = ShopperClient(url, event, **how)
    try:
        yield client, samples
    finally:
        client.close()


@contextmanager
def full_backlog() -> Iterator[str]:
    """The URL of a socket that listens, and whose queue is full: the kernel lets further connections wait."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        queued = []
        for _ in range(3):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
            queued.append(waiting)
        gevent.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for waiting in queued:
                waiting.close()


def classes(samples: list[Sample]) -> list[str | None]:
    """Why each sample failed, as the recorder would count it; None for a success."""
    return [
        sample["exception"] and failure_class(sample["exception"], sample["response"].status_code or 0)
        for sample in samples
    ]


def line(request: bytes) -> str:
    """The request line: method and target."""
    return request.partition(b" HTTP/1.1\r\n")[0].decode("latin-1")


def fields(request: bytes, name: str) -> list[str]:
    """All values of a header field of a request."""
    lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    parted = [each.partition(":") for each in lines]
    return [value.strip() for key, _, value in parted if key.lower() == name]


def field(request: bytes, name: str) -> str:
    """The one value of a header field of a request; empty when it has none."""
    return ", ".join(fields(request, name))


def body(request: bytes) -> bytes:
    return request.partition(b"\r\n\r\n")[2]


def server_context(certificate: str, key: str) -> Any:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
