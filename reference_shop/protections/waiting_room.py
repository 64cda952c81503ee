"""The waiting room of a flash sale: shoppers get numbers in the order in which they come, and are let in steadily.

Number N is admitted once `burst + rate x (seconds since the start) >= N`: every worker reckons that by itself, from a
cookie that none but the shop can have made. What it protects is the one row that everybody wants, and the checkout
behind it: nobody who is told to wait touches either.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reference_shop import metrics
from reference_shop.domain.catalogue import MAX_PRODUCT_ID
from reference_shop.domain.errors import NotFound
from reference_shop.domain.sales import FlashSale, SaleState
from reference_shop.repository import sales
from reference_shop.repository.database import Database
from reference_shop.services.sales import CurrentSales

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

COOKIE = "lonjak_ticket"
ADMITTED_PER_S = 100.0
BURST = 100
_REFRESH_S = 2
_PRIVATE = {"cache-control": "private, no-store"}


@dataclass(frozen=True, slots=True)
class Ticket:
    """A number in one sale's waiting room."""

    sale_id: int
    number: int


class Tickets:
    """Makes and reads the cookie: `sale.number.signature`."""

    def __init__(self, secret: str) -> None:
        """Sign with a key made from a secret that all workers of the stack share."""
        self._key = hashlib.sha256(f"waiting room {secret}".encode()).digest()

    def write(self, ticket: Ticket) -> str:
        """Return the cookie's value."""
        text = f"{ticket.sale_id}.{ticket.number}"
        return f"{text}.{self._signature(text)}"

    def read(self, cookie: str) -> Ticket | None:
        """Return the ticket, None for anything that we did not sign."""
        text, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(text).encode()):
            return None
        sale_id, _, number = text.partition(".")
        return Ticket(int(sale_id), int(number))

    def _signature(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:32]


class WaitingRoom:
    """Stands before the cart; `draw` makes the room's page from request, product_id, position, state, starts_at."""

    def __init__(self, database: Database, current: CurrentSales, secret: str, draw: Callable[..., Response]) -> None:
        """Let `ADMITTED_PER_S` shoppers in a second, all workers of a stack together, after the first `BURST`."""
        self._database = database
        self._current = current
        self._tickets = Tickets(secret)
        self._draw = draw

    def guard(self, handler: Handler, product_of: Callable[[Request], Awaitable[int]]) -> Handler:
        """Return a handler that lets those pass who want no product of an open sale, or whose turn it is."""

        async def guarded(request: Request) -> Response:
            sale = self._current.of(await product_of(request))
            if sale is None or _seconds_open(sale) < 0 or self._admitted(request, sale):
                return await handler(request)
            metrics.refusals.add("waiting-room")
            return _see_other(f"/waiting-room?product_id={sale.product_id}")

        return guarded

    async def show(self, request: Request) -> Response:
        """Answer `/waiting-room?product_id=N`: the place in the queue, or the way to the product if it is the turn."""
        text = request.query_params.get("product_id", "")
        product_id = int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else 0
        if not 0 < product_id <= MAX_PRODUCT_ID:
            raise NotFound("Produk ini tidak ada.")
        sale = self._current.of(product_id)
        if sale is None:
            return self._page(request, product_id, 0, SaleState.OVER, None)
        ticket = self._ticket_of(request, sale)
        fresh = ticket is None
        if ticket is None:
            ticket = await self._take_ticket(sale)
        if (ahead := _ahead(ticket, sale)) <= 0:
            response: Response = _see_other(f"/product/{product_id}")
        elif await self._sold_out(product_id):
            response = self._page(request, product_id, ahead, SaleState.SOLD_OUT, None)
        else:
            upcoming = sale.starts_at if _seconds_open(sale) < 0 else None
            response = self._page(request, product_id, ahead, "waiting", upcoming)
            response.headers["refresh"] = str(_REFRESH_S)
        if fresh:
            response.set_cookie(COOKIE, self._tickets.write(ticket), httponly=True, samesite="lax")
        return response

    def _admitted(self, request: Request, sale: FlashSale) -> bool:
        ticket = self._ticket_of(request, sale)
        return ticket is not None and _ahead(ticket, sale) <= 0

    def _ticket_of(self, request: Request, sale: FlashSale) -> Ticket | None:
        ticket = self._tickets.read(request.cookies.get(COOKIE, ""))
        return ticket if ticket and ticket.sale_id == sale.sale_id else None

    async def _take_ticket(self, sale: FlashSale) -> Ticket:
        async with self._database.connection() as connection:
            return Ticket(sale.sale_id, await sales.take_ticket(connection, sale.sale_id))

    async def _sold_out(self, product_id: int) -> bool:
        async with self._database.connection() as connection:
            return not await sales.on_hand(connection, product_id)

    def _page(
        self, request: Request, product_id: int, position: int, state: str, starts_at: datetime | None
    ) -> Response:
        return self._draw(request, product_id=product_id, position=position, state=state, starts_at=starts_at)


def _seconds_open(sale: FlashSale) -> float:
    return (datetime.now(UTC) - sale.starts_at).total_seconds()


def _ahead(ticket: Ticket, sale: FlashSale) -> int:
    """How many numbers must still be let in before this one; 0 or less when it is admitted."""
    return ticket.number - BURST - int(max(0.0, _seconds_open(sale)) * ADMITTED_PER_S)


def _see_other(address: str) -> Response:
    return RedirectResponse(address, 303, headers=_PRIVATE)
