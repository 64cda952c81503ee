"""A server in a process of its own that plays the scripts of hostile_answers, and counts how often each was asked for.

`/case/<number>` plays one, `/good/<number>` answers as a good server does; the doors that hear no request know the
case by the address of its client. A port for the test alone tells the counts as JSON.
"""

import asyncio
import json
import socket
import ssl
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import requests

from tests.engine.certificates import certificates_in
from tests.engine.hostile_answers import corpus
from tests.engine.hostile_cases import Case, Door, End, Endless, Piece, answer, number_of

ROOT = Path(__file__).parents[2]
_CERTIFICATES = {
    Door.HTTPS: "good",
    Door.SELF_SIGNED: "self_signed",
    Door.WRONG_NAME: "for_another_name",
    Door.EXPIRED: "expired",
}  # by their names in the folder


class HostileServer:
    """The running server, as a test sees it, with certificates in a folder."""

    def __init__(self, folder: Path) -> None:
        self.certificates = certificates_in(folder)
        command = [sys.executable, "-m", "tests.engine.hostile_server", str(folder)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._ports: dict[str, int] = json.loads(self._process.stdout.readline())

    def url(self, door: Door) -> str:
        scheme = "http" if door in (Door.HTTP, Door.EARLY) else "https"
        return f"{scheme}://127.0.0.1:{self._ports[door.value]}"

    def visits(self) -> Counter[int]:
        """How often each case was asked for until now, by its number."""
        return Counter({int(number): count for number, count in self._ask("visits").items()})

    def ended_count(self, number: int) -> int:
        """How often a case was played to its end."""
        count: int = self._ask(f"ended/{number}")
        return count

    def _ask(self, question: str) -> Any:
        return requests.get(f"http://127.0.0.1:{self._ports['counts']}/{question}", timeout=10).json()

    def stop(self) -> None:
        self._process.communicate()  # it ends with its standard input


@contextmanager
def hostile_server(folder: Path) -> Iterator[HostileServer]:
    server = HostileServer(folder)
    try:
        yield server
    finally:
        server.stop()


# What follows runs in the server's process.


class PlainWire:
    """A connection as it is."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.reader = reader

    async def read(self) -> bytes:
        return await self.reader.read(65_536)

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def seal(self, data: bytes) -> bytes:
        return data

    def farewell(self) -> bytes:
        return b""


class TlsWire(PlainWire):
    """The server's end of TLS, so that a test can cut what it would send."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext) -> None:
        super().__init__(reader, writer)
        self._inbound, self._outbound = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._inbound, self._outbound, server_side=True)

    async def first_flight(self) -> bytes:
        """The answer to the client's first words."""
        self._inbound.write(await super().read())
        with suppress(ssl.SSLWantReadError):
            self._tls.do_handshake()
        return self._outbound.read()

    async def shake_hands(self) -> None:
        await self._until_done(self._tls.do_handshake)
        await self.write(self._outbound.read())

    async def read(self) -> bytes:
        data: bytes = await self._until_done(partial(self._tls.read, 65_536))
        return data

    def seal(self, data: bytes) -> bytes:
        self._tls.write(data)
        return self._outbound.read()

    def farewell(self) -> bytes:
        with suppress(ssl.SSLError):  # the client has not said goodbye yet
            self._tls.unwrap()
        return self._outbound.read()

    async def _until_done(self, act: Callable[[], Any]) -> Any:
        while True:
            try:
                return act()
            except ssl.SSLWantReadError:
                await self.write(self._outbound.read())
            data = await super().read()
            if data:
                self._inbound.write(data)
            else:
                self._inbound.write_eof()


class Stage:
    """Plays the cases, and counts."""

    def __init__(self, cases: tuple[Case, ...], folder: Path) -> None:
        self.visits: Counter[int] = Counter()
        self.ended: Counter[int] = Counter()
        self._cases = cases
        self._contexts = {door: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for door in Door}
        for door, name in _CERTIFICATES.items():
            self._contexts[door].load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")

    async def receive(self, door: Door, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; a client that goes away ends no other."""
        with suppress(OSError, ssl.SSLError):
            match door:
                case Door.HTTP:
                    await self._hear(PlainWire(reader, writer))
                case Door.EARLY:
                    await _play(self._known_by_address(writer), PlainWire(reader, writer))
                case Door.HANDSHAKE:
                    await self._break_handshake(TlsWire(reader, writer, self._contexts[Door.HTTPS]))
                case _:
                    if door is not Door.HTTPS:
                        self._known_by_address(writer)
                    wire = TlsWire(reader, writer, self._contexts[door])
                    await wire.shake_hands()
                    await self._hear(wire)
        writer.close()

    async def _hear(self, wire: PlainWire) -> None:
        """Read one request after another, without bodies, and play what their paths ask for."""
        heard = b""
        while True:
            while b"\r\n\r\n" not in heard:
                data = await wire.read()
                if not data:
                    return
                heard += data
            head, _, heard = heard.partition(b"\r\n\r\n")
            kind, _, number = head.split(b" ")[1].partition(b"?")[0].strip(b"/").partition(b"/")
            if kind == b"case":
                self.visits[int(number)] += 1
                try:
                    await _play(self._cases[int(number)], wire)
                finally:
                    self.ended[int(number)] += 1
            else:
                await wire.write(wire.seal(answer(b"good " + number)))

    def _known_by_address(self, writer: asyncio.StreamWriter) -> Case:
        number = number_of(writer.get_extra_info("peername")[0])
        self.visits[number] += 1
        return self._cases[number]

    async def _break_handshake(self, wire: TlsWire) -> None:
        case = self._known_by_address(wire.writer)
        flight = await wire.first_flight()
        await wire.write(flight[: case.cut_at or 0])
        await _play(replace(case, cut_at=None), PlainWire(wire.reader, wire.writer))


async def _play(case: Case, wire: PlainWire) -> None:
    for together in _bytes_joined(case, wire):
        match together:
            case float():
                await asyncio.sleep(together)
            case bytes():
                await wire.write(together)
            case Endless(data, pause_s):
                while True:
                    await wire.write(wire.seal(data))
                    await asyncio.sleep(pause_s)
    await _end(case, wire)


def _bytes_joined(case: Case, wire: PlainWire) -> Iterator[Piece]:
    """The pieces; bytes in a row go out at once, though over TLS as a record each."""
    waiting = b""
    for piece in case.pieces:
        if isinstance(piece, bytes):
            waiting += wire.seal(piece)
            continue
        yield waiting
        waiting = b""
        yield piece
    yield waiting[: case.cut_at]


async def _end(case: Case, wire: PlainWire) -> None:
    """Returns when another request may come, else raises ConnectionError."""
    if case.end is End.KEEP:
        return
    if case.cut_at is None:
        await wire.write(wire.farewell() if case.end in (End.CLOSE, End.HALF_CLOSE) else b"")
    if case.end is End.RESET:
        plug = wire.writer.get_extra_info("socket")
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wire.writer.transport.abort()
    elif case.end is End.CLOSE:
        wire.writer.close()
    elif case.end is End.HALF_CLOSE:
        wire.writer.write_eof()
    while case.end in (End.HALF_CLOSE, End.HOLD) and await wire.reader.read(65_536):
        pass  # what the client still says
    raise ConnectionAbortedError


async def _tell(stage: Stage, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
    _, question, *number = path.split("/")
    told = stage.visits if question == "visits" else stage.ended[int(*number)]
    writer.write(answer(json.dumps(told).encode(), b"Connection: close"))
    writer.close()


async def _serve(folder: Path) -> None:
    stage = Stage(corpus(), folder)
    answering = {door.value: partial(stage.receive, door) for door in Door}
    ports = {}
    for name, answered_by in (*answering.items(), ("counts", partial(_tell, stage))):
        door = await asyncio.start_server(answered_by, "127.0.0.1", 0, backlog=4096)
        ports[name] = door.sockets[0].getsockname()[1]
    print(json.dumps(ports), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # whoever started it holds the other end


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
