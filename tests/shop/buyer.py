"""A buyer among thousands: one connection, a browser's cookies, one event loop for all of them."""

import asyncio
import re
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from tests.shop.shopper import ADDRESS

LOST = (OSError, EOFError, TimeoutError)
_ANSWER_S = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    def fact(self, name: str) -> str:
        """A data attribute of the page's body, empty when it is not there."""
        found = re.search(rf'<body [^>]*data-{name}="([^"]*)"', self.text)
        return found[1] if found else ""

    def field(self, name: str) -> str:
        """A hidden field's value."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        assert found, f"{self.status}: no field {name}"
        return found[1]


@dataclass
class Buyer:
    """Connects anew when its connection is gone; never sends anything twice by itself."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> Answer:
        return await self._ask("GET", path, "")

    async def post(self, path: str, form: dict[str, object]) -> Answer:
        return await self._ask("POST", path, urlencode(form))

    async def add(self, product_id: int, quantity: int = 1) -> Answer:
        return await self.post("/cart/items", {"product_id": product_id, "quantity": quantity})

    async def form(self) -> Answer:
        """Give the address and come to the payment form."""
        await self.post("/checkout", dict(ADDRESS))
        return await self.get("/checkout/payment")

    async def pay(self, form: Answer, card: str = "tok_approved") -> Answer:
        fields = {name: form.field(name) for name in ("idempotency_key", "total_idr")}
        return await self.post("/checkout/payment", {**fields, "card_token": card})

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
            self._streams = None

    async def _ask(self, method: str, path: str, body: str) -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: shop\r\nCookie: {cookies}\r\nContent-Length: {len(body)}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        )
        try:
            async with asyncio.timeout(_ANSWER_S):
                reader, writer = self._streams or await self._connect()
                writer.write((head + body).encode())
                return await self._read(reader)
        except BaseException:
            self.close()
            raise

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        parts = urlsplit(self.url)
        self._streams = await asyncio.open_connection(parts.hostname, parts.port)
        return self._streams

    async def _read(self, reader: asyncio.StreamReader) -> Answer:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for line in filter(None, lines):
            name, _, value = line.partition(": ")
            if name.lower() == "set-cookie":
                cookie, _, token = value.partition(";")[0].partition("=")
                self.cookies[cookie] = token
            headers[name.lower()] = value
        text = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection") == "close":
            self.close()
        return Answer(int(first.split()[1]), headers, text.decode())
