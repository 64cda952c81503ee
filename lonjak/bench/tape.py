"""A shop on tape: `python -m lonjak.bench.tape PORT SESSIONS UPSTREAM_PORT` records sessions, and plays them faster
than any shop could answer, so that what is measured is who asks.

It listens on one loopback address for each session (`session_address`). At first it hands every request on to the shop
upstream and keeps its answer; after SIGUSR1 it answers from what it kept, in the same order over each connection. A
request that was not recorded there is answered 404, and is a failed sample.
"""

import asyncio
import signal
import sys
from collections import defaultdict
from functools import partial
from typing import cast

import httptools
import uvloop

from loadgen.bench.meter import session_address

HOST = "127.0.0.1"
_STRAY = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
_READ_BYTES = 65536
Tape = list[tuple[bytes, bytes]]  # request line, answer


class Whole:
    """Tells when a message is whole; what httptools calls."""

    def __init__(self) -> None:
        self.whole = False

    def on_message_complete(self) -> None:
        """The last byte was fed."""
        self.whole = True


class Recording:
    """One connection that is handed on to the shop."""

    def __init__(self, tape: Tape, upstream_port: int) -> None:
        self._tape = tape
        self._upstream_port = upstream_port

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand on one request after the other until the client leaves."""
        shop_reader, shop_writer = await asyncio.open_connection(HOST, self._upstream_port)
        while request := await _message(reader, httptools.HttpRequestParser):
            shop_writer.write(request)
            answer = await _message(shop_reader, httptools.HttpResponseParser)
            self._tape.append((_request_line(request), answer))
            writer.write(answer)
        shop_writer.close()
        writer.close()


class Playing(asyncio.Protocol):
    """One connection that is answered from the tape, in its order."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._at = 0
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody came."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer a request as soon as it is whole."""
        data = self._rest + data if self._rest else data
        if not _is_whole(data):
            self._rest = data
            return
        self._rest = b""
        self._transport.write(self._answer(_request_line(data)))

    def _answer(self, line: bytes) -> bytes:
        following = (self._at, *range(self._at + 1, len(self._tape)), *range(self._at))
        at = next((at for at in following if at < len(self._tape) and self._tape[at][0] == line), None)
        if at is None:
            return _STRAY
        self._at = at + 1
        answer: bytes = self._tape[at][1]
        return answer


async def main(port: int, sessions: int, upstream_port: int) -> None:
    """Serve until somebody ends the process."""
    loop = asyncio.get_running_loop()
    playing = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, playing.set)
    tapes: dict[int, Tape] = defaultdict(list)
    recorders = [
        await asyncio.start_server(Recording(tapes[session], upstream_port).serve, session_address(session), port)
        for session in range(sessions)
    ]
    await playing.wait()
    for recorder in recorders:
        recorder.close()
    for session in range(sessions):
        await loop.create_server(partial(Playing, tapes[session]), session_address(session), port)
    while True:
        await asyncio.sleep(0)  # wide awake: to wake a sleeping server costs whoever asks as much as the request itself


async def _message(
    reader: asyncio.StreamReader, kind: type[httptools.HttpRequestParser] | type[httptools.HttpResponseParser]
) -> bytes:
    """The next whole message, nothing when the other end has left."""
    whole = Whole()
    parser, pieces = kind(whole), list[bytes]()
    while not whole.whole and (data := await reader.read(_READ_BYTES)):
        pieces.append(data)
        parser.feed_data(data)
    return b"".join(pieces)


def _request_line(request: bytes) -> bytes:
    return request.partition(b"\r\n")[0]


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    if not end:
        return False
    at = head.lower().find(b"\ncontent-length:")
    return at < 0 or len(body) >= int(head[at + 16 :].partition(b"\r")[0])


if __name__ == "__main__":
    uvloop.run(main(*map(int, sys.argv[1:])))
