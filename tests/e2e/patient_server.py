"""A small shop whose pages take as long as a seeded clock says: waiting, not work, which a busy machine changes little.

`python patient_server.py SEED` prints its port and serves until its standard input ends. Delays are log-normal around
the path's median, and all of a second share a part that goes on into the next one.
"""

import asyncio
import math
import random
import sys
import time

MEDIANS_S = {"/": 0.03, "/product": 0.06, "/search": 0.12}
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello"
_CARRIED_RATIO, _SECOND_SD, _REQUEST_SD = 0.6, 0.05, 0.3


class Delays:
    """How long the next answer to a path takes."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._second, self._slow = int(time.monotonic()), 0.0

    def of(self, path: str) -> float:
        while self._second < int(time.monotonic()):
            self._second += 1
            fresh = self._random.gauss(0, _SECOND_SD * math.sqrt(1 - _CARRIED_RATIO**2))
            self._slow = _CARRIED_RATIO * self._slow + fresh
        return MEDIANS_S.get(path, 0.03) * math.exp(self._slow + self._random.gauss(0, _REQUEST_SD))


async def _serve(delays: Delays) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(delays.of(head.split(b" ", 2)[1].decode().partition("?")[0]))
                writer.write(_ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(Delays(int(sys.argv[1]))))
