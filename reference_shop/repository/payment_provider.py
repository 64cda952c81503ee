"""The shop's HTTP client of its payment provider: one connection per call in flight, kept for the next call.

A provider that is silent, broken or gone is an answer (`UNKNOWN`), never an exception: the caller must then find
out what happened.
"""

import asyncio
import json
from dataclasses import dataclass
from time import monotonic
from urllib.parse import urlsplit
from uuid import UUID

import httptools

from reference_shop.domain.payments import ChargeRequest, ChargeState, KeyReused

# The provider keeps idle connections for longer than this, so that a reused one is alive.
_IDLE_LIMIT_S = 30.0
_MAX_ANSWER_BYTES = 65536


@dataclass(frozen=True, slots=True)
class ProviderTimeouts:
    """How long to wait for an answer, connecting included."""

    charge_s: float = 5.0
    question_s: float = 2.0


class HttpPaymentProvider:
    """Implements `domain.payments.PaymentProvider` over HTTP/1.1."""

    def __init__(self, url: str, timeouts: ProviderTimeouts | None = None) -> None:
        """Take the provider's base URL (`http://host:port`); connects on the first call."""
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None:
            raise ValueError(f"payment_url {url!r} must be http://HOST:PORT")
        self._host, self._port = parts.hostname, parts.port or 80
        self._timeouts = timeouts or ProviderTimeouts()
        self._idle: list[_Channel] = []

    async def charge(self, request: ChargeRequest) -> ChargeState:
        """Take the money, once per key; raises KeyReused."""
        body = json.dumps({"amount_idr": request.amount_idr, "card_token": request.card_token}).encode()
        status, state = await self._ask("POST", "/charges", request.key, body, self._timeouts.charge_s)
        if status == 422:
            raise KeyReused
        return state

    async def look_up(self, key: UUID) -> ChargeState:
        """Return how the charge with this key ended."""
        _, state = await self._ask("GET", f"/charges/{key}", key, b"", self._timeouts.question_s)
        return state

    async def void(self, key: UUID) -> ChargeState:
        """Forbid the charge if it has not happened; return how it ended."""
        _, state = await self._ask("POST", f"/charges/{key}/void", key, b"", self._timeouts.question_s)
        return state

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    async def _ask(self, method: str, path: str, key: UUID, body: bytes, timeout_s: float) -> tuple[int, ChargeState]:
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nIdempotency-Key: {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            async with asyncio.timeout(timeout_s):
                status, answer = await self._exchange(head.encode() + body)
            return status, _state_in(status, answer)
        except (OSError, TimeoutError, EOFError, ValueError, httptools.HttpParserError):
            return 0, ChargeState.UNKNOWN

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        channel = self._take_idle() or await _Channel.open(self._host, self._port)
        try:
            answer = await channel.exchange(request)
        except BaseException:
            channel.close()
            raise
        self._idle.append(channel)
        return answer

    def _take_idle(self) -> "_Channel | None":
        while self._idle:
            channel = self._idle.pop()
            if channel.is_fresh():
                return channel
            channel.close()
        return None


def _state_in(status: int, answer: bytes) -> ChargeState:
    if status not in {200, 409}:
        return ChargeState.UNKNOWN
    document = json.loads(answer)
    return ChargeState(document["state"]) if isinstance(document, dict) and "state" in document else ChargeState.UNKNOWN


class _Channel:
    """One connection, used by one call at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._used_at = monotonic()

    @classmethod
    async def open(cls, host: str, port: int) -> "_Channel":
        return cls(*await asyncio.open_connection(host, port))

    def is_fresh(self) -> bool:
        return monotonic() - self._used_at < _IDLE_LIMIT_S and not self._reader.at_eof()

    async def exchange(self, request: bytes) -> tuple[int, bytes]:
        self._writer.write(request)
        answer = _Answer()
        parser = httptools.HttpResponseParser(answer)
        while not answer.complete:
            chunk = await self._reader.read(_MAX_ANSWER_BYTES)
            if not chunk or len(answer.body) > _MAX_ANSWER_BYTES:
                raise EOFError("the provider's answer broke off or is too long")
            parser.feed_data(chunk)
        self._used_at = monotonic()
        return parser.get_status_code(), bytes(answer.body)

    def close(self) -> None:
        self._writer.close()


class _Answer:
    """Collects what the parser finds."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.complete = False

    def on_body(self, chunk: bytes) -> None:
        self.body += chunk

    def on_message_complete(self) -> None:
        self.complete = True
