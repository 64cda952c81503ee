"""A web server whose capacity theory knows: `servers` workers behind one line, in a process of its own.

    with QueueingServer(Workers(6, 0.008, exponential=True, seed=1)) as server:
        ... server.url ...

Every GET, on whatever path, is given to the worker that is free first, takes its drawn time there, and is answered at
that instant, which is computed as it comes in (Kiefer and Wolfowitz): nothing burns processor time, and what a busy
machine does to one answer is not added to those behind it. HTTP/1.1 with keep-alive, one request at a time on each
connection. `python tests/capacity/queueing_server.py SERVERS SERVICE_S exponential|constant SEED` prints its port and
serves until its standard input is closed.
"""

import asyncio
import heapq
import random
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
_END = b"\r\n\r\n"
# The event loop wakes up to a millisecond late: half of it is taken off, so that it is right in the mean.
_EARLY_S = 0.0005


@dataclass(frozen=True, slots=True)
class Workers:
    """What serves: how many, and how long each takes, exponentially distributed or constant."""

    servers: int
    service_s: float
    exponential: bool
    seed: int

    @property
    def arguments(self) -> list[str]:
        kind = "exponential" if self.exponential else "constant"
        return [str(self.servers), repr(self.service_s), kind, str(self.seed)]

    @classmethod
    def parse(cls, arguments: Iterable[str]) -> Self:
        servers, service_s, kind, seed = arguments
        return cls(int(servers), float(service_s), kind == "exponential", int(seed))


class QueueingServer:
    """The running server, as a test sees it; gone at the end of the block."""

    def __init__(self, workers: Workers) -> None:
        command = [sys.executable, str(Path(__file__)), *workers.arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


class Line:
    """One line before all workers: who is given to whom, and until when."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._random = random.Random(workers.seed)
        self._free_s = [0.0] * workers.servers

    def done_s(self, now_s: float) -> float:
        """When a request that comes now is answered."""
        mean_s = self._workers.service_s
        service_s = self._random.expovariate(1 / mean_s) if self._workers.exponential else mean_s
        done_s = max(now_s, self._free_s[0]) + service_s
        heapq.heapreplace(self._free_s, done_s)
        return done_s


class Connection(asyncio.Protocol):
    """Answers each request head that comes; requests have no bodies."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *heads, self._rest = (self._rest + data).split(_END)
        for _ in heads:
            self._loop.call_at(self._line.done_s(self._loop.time()) - _EARLY_S, self._answer)

    def _answer(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_ANSWER)


async def serve(workers: Workers) -> None:
    """Serve until standard input is closed."""
    loop, line = asyncio.get_running_loop(), Line(workers)
    server = await loop.create_server(lambda: Connection(line), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(Workers.parse(sys.argv[1:])))
