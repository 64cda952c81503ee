"""An origin of the tests' own: answers by recipe, counts and remembers what it was asked, can die and come back."""

import itertools
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace

from reference_shop.stack import ports

_PATIENCE_S = 30.0


@dataclass
class Recipe:
    """How a path is answered, `delay_s` later; with `echoes`, the body is that header of the request.

    Where there is a `meeting`, nobody is answered before so many have asked; where a `gate`, before it is open.
    """

    headers: str
    status: str = "200 OK"
    delay_s: float = 0.0
    body: str = "x" * 2000
    echoes: str = ""
    meeting: threading.Barrier | None = None
    gate: threading.Event | None = None


@dataclass(frozen=True)
class Question:
    """What arrived, header names in lower case, several of a name joined."""

    method: str
    path: str
    headers: dict[str, str]
    at: float


@dataclass
class TestOrigin:
    """`recipes` by path and query; an unknown path is a private 404. /readyz is 200."""

    __test__ = False
    port: int = 0
    recipes: dict[str, Recipe] = field(default_factory=dict)
    asked: list[Question] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    _listener: socket.socket | None = None
    _connections: set[socket.socket] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def page(self, caching: str = "public, s-maxage=60", name: str = "/product/{}", **recipe: object) -> str:
        """A page at an address that no other test asks for; its caching header is the first of its headers."""
        path = name.format(next(self._numbers))
        further = recipe.pop("headers", "")
        headers = f"Content-Type: text/html\r\nX-Page-Kind: product\r\nX-Request-ID: origin\r\nCache-Control: {caching}"
        self.recipes[path] = Recipe(f"{headers}\r\n{further}".strip(), **recipe)  # type: ignore[arg-type]
        return path

    def questions(self, path: str, method: str = "GET") -> list[Question]:
        return [asked for asked in self.asked if (asked.path, asked.method) == (path, method)]

    def count(self, path: str, method: str = "GET") -> int:
        return len(self.questions(path, method))

    @property
    def is_open(self) -> bool:
        return self._listener is not None

    def open(self) -> None:
        self._listener = ports.listen(self.port)
        self.port = ports.number_of(self._listener)
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def die(self) -> None:
        """Refuse connections from now on, and break those that are there."""
        listener, self._listener = self._listener, None
        if listener:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)
        with connection, suppress(OSError, threading.BrokenBarrierError):
            while question := _read(connection):
                if question.path == "/readyz":
                    connection.sendall(_bytes(Recipe("Content-Type: text/plain", body="ok"), question))
                    return  # a probe waits for the end
                self.asked.append(question)
                recipe = self.recipes.get(question.path, Recipe("Cache-Control: private, no-store", "404 Not Found"))
                _hold(recipe)
                connection.sendall(_bytes(recipe, question))
        with self._lock:
            self._connections.discard(connection)


def _hold(recipe: Recipe) -> None:
    if recipe.meeting:
        recipe.meeting.wait(_PATIENCE_S)
    if recipe.gate:
        recipe.gate.wait(_PATIENCE_S)
    time.sleep(recipe.delay_s)


def _read(connection: socket.socket) -> Question | None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (part := connection.recv(65536)):
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        known = headers.get(name.lower())
        headers[name.lower()] = value.strip() if known is None else f"{known}, {value.strip()}"
    missing = int(headers.get("content-length", "0")) - len(body)
    while missing > 0 and (part := connection.recv(65536)):
        missing -= len(part)
    method, path, _ = first.split(" ", 2)
    return Question(method, path, headers, time.time())


def _bytes(recipe: Recipe, question: Question) -> bytes:
    if recipe.echoes:
        recipe = replace(recipe, body=f"for {question.headers.get(recipe.echoes, 'nobody')}")
    tag = f'"{len(recipe.body)}-{recipe.body[:20]}"'
    headers = f"{recipe.headers}\r\nX-Generated-At: {time.time():.3f}"
    if "ETag: yes" in headers:
        headers = headers.replace("ETag: yes", f"ETag: {tag}")
        if question.headers.get("if-none-match", "").removeprefix("W/") == tag:
            return f"HTTP/1.1 304 Not Modified\r\n{headers}\r\n\r\n".encode()
    body = "" if question.method == "HEAD" else recipe.body
    return f"HTTP/1.1 {recipe.status}\r\nContent-Length: {len(recipe.body)}\r\n{headers}\r\n\r\n{body}".encode()
