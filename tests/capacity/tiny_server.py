"""A shop in a process of its own that holds what it is told to: so many requests at once, each for so many seconds.

With n at once and s seconds each it answers n/s requests per second and no more; who comes meanwhile waits in a queue.
When a request will be done is computed as it comes, from when the n are free (Kiefer and Wolfowitz 1955), and waited
for: a timer that is late is late once, and no later request pays for it. Nothing is taken from whoever sends the load.
"""

import asyncio
import heapq
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_PAGE = b"hello"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(_PAGE), _PAGE)


@contextmanager
def tiny_server(at_once: int, service_s: float, law: str = "constant", seed: int = 1) -> Iterator[str]:
    """The address of a running server; `law` of the service times is constant or exponential."""
    command = [sys.executable, __file__, str(at_once), str(service_s), law, str(seed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.communicate()  # it ends with its standard input


class _Queue:
    """First come, first served, by several servers."""

    def __init__(self, at_once: int, service_s: float, law: str, seed: int) -> None:
        self._free_at = [0.0] * at_once
        self._service_s, self._exponential = service_s, law == "exponential"
        self._random = random.Random(seed)

    def done_at(self, now: float) -> float:
        """When a request that comes now is done."""
        service_s = self._random.expovariate(1 / self._service_s) if self._exponential else self._service_s
        done = max(now, self._free_at[0]) + service_s
        heapq.heapreplace(self._free_at, done)
        return done


class _Connection(asyncio.Protocol):
    """One connection, on which a client sends requests without a body, one at a time."""

    def __init__(self, queue: _Queue) -> None:
        self._queue, self._received = queue, b""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *heads, self._received = (self._received + data).split(b"\r\n\r\n")
        for _ in heads:
            self._loop.call_at(self._queue.done_at(self._loop.time()), self._answer)

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(_ANSWER)


async def _serve(queue: _Queue) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(queue), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # whoever started it holds the other end


if __name__ == "__main__":
    asyncio.run(_serve(_Queue(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], int(sys.argv[4]))))
