"""A shop in a process of its own that counts exactly what it answered: the oracle for "nothing is lost".

`/slow/<seconds>` is answered after that time, anything else at once. An answer counts when it has been handed to a
connection that the client had not closed; one whose client went away first counts as given up. A second port, for the
test alone, tells the counts as JSON.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import requests

PAGE = b"hello"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(PAGE), PAGE)


@dataclass(frozen=True, slots=True)
class Served:
    """What the server answered until now: by path, at which instants (seconds since the epoch), and on how many
    connections; `given_up_count` requests came to it and lost their client before the answer."""

    by_path: Counter[str]
    answered_at: tuple[float, ...]
    given_up_count: int
    connection_count: int

    @property
    def count(self) -> int:
        return self.by_path.total()

    def between(self, start_at: float, end_at: float) -> int:
        return sum(start_at <= at <= end_at for at in self.answered_at)


class CountingServer:
    """The running server, as a test sees it."""

    def __init__(self) -> None:
        command = [sys.executable, __file__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        port, self._admin_port = map(int, self._process.stdout.readline().split())
        self.url = f"http://127.0.0.1:{port}"

    def served(self) -> Served:
        told = requests.get(f"http://127.0.0.1:{self._admin_port}", timeout=10).json()
        return Served(Counter(told["by_path"]), tuple(told["at"]), told["given_up"], told["connections"])

    def stop(self) -> None:
        self._process.communicate()  # it ends with its standard input


@contextmanager
def counting_server() -> Iterator[CountingServer]:
    server = CountingServer()
    try:
        yield server
    finally:
        server.stop()


class _Counts:
    def __init__(self) -> None:
        self.by_path: Counter[str] = Counter()
        self.answered_at: list[float] = []
        self.given_up = 0
        self.connections = 0

    def as_json(self) -> bytes:
        told = {
            "by_path": self.by_path,
            "at": self.answered_at,
            "given_up": self.given_up,
            "connections": self.connections,
        }
        return json.dumps(told).encode()


class _Shop(asyncio.Protocol):
    """One connection, on which a client sends requests without a body, one at a time."""

    def __init__(self, counts: _Counts) -> None:
        self._counts = counts
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._counts.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        *heads, self._received = (self._received + data).split(b"\r\n\r\n")
        for head in heads:
            path = head.split(b" ", 2)[1].decode()
            if path.startswith("/slow/"):
                asyncio.get_running_loop().call_later(float(path.split("/")[2]), self._answer, path)
            else:
                self._answer(path)

    def _answer(self, path: str) -> None:
        if self._transport is None or self._transport.is_closing():
            self._counts.given_up += 1
            return
        self._transport.write(_ANSWER)
        self._counts.by_path[path] += 1
        self._counts.answered_at.append(time.time())


class _Admin(asyncio.Protocol):
    def __init__(self, counts: _Counts) -> None:
        self._counts = counts

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:  # any request is the one question
        body = self._counts.as_json()
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        self._transport.write(head + body)
        self._transport.close()


async def _serve() -> None:
    counts, loop = _Counts(), asyncio.get_running_loop()
    shop = await loop.create_server(partial(_Shop, counts), "127.0.0.1", 0, backlog=4096)
    admin = await loop.create_server(partial(_Admin, counts), "127.0.0.1", 0)
    print(*(server.sockets[0].getsockname()[1] for server in (shop, admin)), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # whoever started it holds the other end


if __name__ == "__main__":
    asyncio.run(_serve())
