"""One connection to the shop that stays open, for programs of the bench that ask the shop itself."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlencode

import httptools

from reference_shop.stack.ports import HOST


@dataclass(slots=True)
class Answer:
    """What came back."""

    status: int = 0
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str:
        """The value of the first header with this name (small letters); empty when there is none."""
        return next((value.decode("latin-1") for key, value in self.fields if key.lower() == name.encode()), "")


class Connection(asyncio.Protocol):
    """Asks one question at a time; ConnectionError once the shop has hung up."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer = Answer()
        self._parts: list[bytes] = []
        self._waiting: asyncio.Future[Answer] | None = None

    async def get(self, path: str, cookie: str = "") -> Answer:
        """Fetch a page."""
        return await self._ask(f"GET {path}", {"Cookie": cookie} if cookie else {})

    async def post(self, path: str, form: Mapping[str, str], cookie: str = "") -> Answer:
        """Send a form."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"} | ({"Cookie": cookie} if cookie else {})
        return await self._ask(f"POST {path}", headers, urlencode(form).encode())

    async def _ask(self, what: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        if self._transport is None or self._transport.is_closing():
            raise ConnectionError("the shop has hung up")
        fields = headers | ({"Content-Length": str(len(body))} if body else {})
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._answer, self._parts = Answer(), []
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(f"{what} HTTP/1.1\r\nHost: {HOST}\r\n{lines}\r\n".encode() + body)
        return await self._waiting

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # of a stream; uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_exception(ConnectionError(f"the shop hung up before its answer was whole: {error}"))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answer.fields.append((name, value))

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)

    def on_message_complete(self) -> None:
        self._answer.status = self._parser.get_status_code()
        self._answer.body = b"".join(self._parts)
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(self._answer)


@asynccontextmanager
async def open_connections(count: int, port: int) -> AsyncIterator[list[Connection]]:
    """So many connections to this machine's `port`; closed at the end of the block."""
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        connections = []
        for _ in range(count):
            transport, connection = await loop.create_connection(Connection, HOST, port)
            stack.callback(transport.close)
            connections.append(connection)
        yield connections
