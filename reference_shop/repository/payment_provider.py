"""The shop's client of its payment provider: what is asked, and what the answers mean.

A provider that is silent, broken or gone is an answer (`UNKNOWN`), never an exception: the caller must then find
out what happened. How long it is worth waiting is for `protections.payment_timeout` to say; the limits here only see
to it that nothing is left for ever.
"""

import asyncio
import json
from urllib.parse import urlsplit
from uuid import UUID

import httptools

from reference_shop.domain.payments import ChargeRequest, ChargeState, KeyReused, ProviderCharge
from reference_shop.metrics import PaymentCall
from reference_shop.repository.provider_connections import Answer, ProviderConnections
from reference_shop.request_id import current_request_id

_SAFETY_LIMIT_S = 120.0
_MAX_ANSWER_BYTES = 65536
_FAILURES = (OSError, TimeoutError, EOFError, ValueError, httptools.HttpParserError)


class HttpPaymentProvider:
    """Implements `domain.payments.PaymentProvider` over HTTP/1.1."""

    def __init__(self, url: str) -> None:
        """Take the provider's base URL (`http://host:port`); connects on the first call."""
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None:
            raise ValueError(f"payment_url {url!r} must be http://HOST:PORT")
        self._authority = parts.netloc
        self._connections = ProviderConnections(parts.hostname, parts.port or 80)

    async def charge(self, request: ChargeRequest) -> ChargeState:
        """Take the money, once per key; raises KeyReused."""
        body = {"amount_idr": request.amount_idr, "card_token": request.card_token, "order_id": request.order_id}
        status, state = await self._ask("charge", "POST", "/charges", request.key, json.dumps(body).encode())
        if status == 422:
            raise KeyReused
        return state

    async def look_up(self, key: UUID) -> ChargeState:
        """Return how the charge with this key ended."""
        _, state = await self._ask("look_up", "GET", f"/charges/{key}", key)
        return state

    async def void(self, key: UUID) -> ChargeState:
        """Forbid the charge if it has not happened; return how it ended."""
        _, state = await self._ask("void", "POST", f"/charges/{key}/void", key)
        return state

    async def refund(self, key: UUID) -> ChargeState:
        """Give a captured charge back; `UNKNOWN` also for a charge that the provider never captured."""
        _, state = await self._ask("refund", "POST", f"/charges/{key}/refund", key)
        return state if state is ChargeState.REFUNDED else ChargeState.UNKNOWN

    async def charges_since(self, since: float) -> list[ProviderCharge] | None:
        """Return what was decided or refunded since an instant (epoch seconds); None if that was not told whole."""
        books = _Books()
        try:
            status = await self._exchange(f"GET /charges?since={since:.6f} HTTP/1.1\r\n", b"", books)
        except _FAILURES:
            return None
        return books.charges if status == 200 and books.are_whole else None

    def available(self) -> bool:
        """Return True: every charge is passed on."""
        return True

    def close(self) -> None:
        """Close the idle connections."""
        self._connections.close()

    async def _ask(
        self, operation: str, method: str, path: str, key: UUID, body: bytes = b""
    ) -> tuple[int, ChargeState]:
        with PaymentCall(operation) as call:
            status, state = await self._answer_to(method, path, key, body)
            call.outcome = state
        return status, state

    async def _answer_to(self, method: str, path: str, key: UUID, body: bytes) -> tuple[int, ChargeState]:
        verdict = _Verdict()
        head = f"{method} {path} HTTP/1.1\r\nIdempotency-Key: {key}\r\nContent-Type: application/json\r\n"
        try:
            status = await self._exchange(head, body, verdict)
            state = verdict.state if status in {200, 409} else ChargeState.UNKNOWN
        except _FAILURES:
            return 0, ChargeState.UNKNOWN
        return status, state

    async def _exchange(self, head: str, body: bytes, answer: Answer) -> int:
        if request_id := current_request_id.get():
            head += f"X-Request-ID: {request_id}\r\n"
        head += f"Host: {self._authority}\r\nContent-Length: {len(body)}\r\n\r\n"
        async with asyncio.timeout(_SAFETY_LIMIT_S):
            return await self._connections.exchange(head.encode() + body, answer)


class _Verdict:
    """The answer about one charge."""

    def __init__(self) -> None:
        self._body = bytearray()

    def on_body(self, chunk: bytes) -> None:
        self._body += chunk
        if len(self._body) > _MAX_ANSWER_BYTES:
            raise ValueError("the provider's answer is too long")

    @property
    def state(self) -> ChargeState:
        document = json.loads(self._body)
        said = document.get("state") if isinstance(document, dict) else None
        return ChargeState.UNKNOWN if said is None else ChargeState(said)


class _Books:
    """The answer about many charges: JSON lines, read as they come, for they may be long."""

    def __init__(self) -> None:
        self.charges: list[ProviderCharge] = []
        self.are_whole = False
        self._torn = b""

    def on_body(self, chunk: bytes) -> None:
        *lines, self._torn = (self._torn + chunk).split(b"\n")
        if len(self._torn) > _MAX_ANSWER_BYTES:
            raise ValueError("a line of the provider's books is too long")
        for line in lines:
            self._read(json.loads(line))

    def _read(self, document: object) -> None:
        match document:
            case {"type": "charge", "idempotency_key": str(key), "order_id": int(order_id),
                  "amount_idr": int(amount_idr), "state": str(state), "at": int() | float() as at}:  # fmt: skip
                self.charges.append(ProviderCharge(UUID(key), order_id, amount_idr, ChargeState(state), float(at)))
            case {"type": "end", "lines": int(lines)}:
                self.are_whole = lines == len(self.charges)
            case _:
                raise ValueError("a line of the provider's books makes no sense")
