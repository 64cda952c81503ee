"""Buys in a shop as a browser would: `python -m lonjak.bench.shop_buyer JSON`, the fields of `Buying`.

Each order takes a new cart, one product, an address, the payment form and the payment. Prints one line, the fields of
`Bought`.
"""

import asyncio
import json
import random
import re
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from statistics import median

import uvloop

from lonjak.bench.shop_connection import Answer, Connection, open_connections
from lonjak.bench.shop_reader import draw_product
from lonjak.bench.shop_stack import cpu_s

_ADDRESS = {
    "recipient": "Sari Wulandari",
    "phone": "081234567890",
    "street": "Jalan Melati 12",
    "city": "Bandung",
    "province": "Jawa Barat",
    "postcode": "40115",
}
_HIDDEN = re.compile(r'<input type="hidden" name="(idempotency_key|total_idr)" value="([^"]*)">')
_TRIES = 50
_SETTLED = {303, 402}  # paid; declined by the provider, which costs the shop the same work


@dataclass(frozen=True, slots=True)
class Buying:
    """What to do: as many orders as `shoppers` place in `seconds` without pausing, after `warmup_s` of the same."""

    port: int
    product_count: int
    shoppers: int
    warmup_s: float
    seconds: float
    seed: int
    worker_pid: int
    database_pid: int


@dataclass(frozen=True, slots=True)
class Bought:
    """Orders placed after the warm-up, and what they cost worker and database; `wall_ms` is one order's, the median."""

    seconds: float
    order_count: int
    failed_count: int
    worker_cpu_s: float
    database_cpu_s: float
    wall_ms: float

    @property
    def cpu_ms_per_order(self) -> float:
        """Processor time of worker and database."""
        return (self.worker_cpu_s + self.database_cpu_s) * 1000 / max(1, self.order_count)


class Refused(Exception):
    """The shop did not do what a shopper may expect."""


async def place_order(connection: Connection, draw: Callable[[], int]) -> None:
    """Go from an empty cart to a settled order; Refused when the shop does not let us. `draw` chooses a product."""
    cookie = await _fill_cart(connection, draw)
    _expect(await connection.post("/checkout", _ADDRESS, cookie), {303})
    form = _expect(await connection.get("/checkout/payment", cookie), {200})
    hidden = dict(_HIDDEN.findall(form.body.decode()))
    _expect(await connection.post("/checkout/payment", hidden | {"card_token": "tok_approved"}, cookie), _SETTLED)


async def _fill_cart(connection: Connection, draw: Callable[[], int]) -> str:
    """Put one unit of something into a new cart; return the cart's cookie."""
    for _ in range(_TRIES):
        answer = await connection.post("/cart/items", {"product_id": str(draw()), "quantity": "1"})
        if answer.status == 303:
            return answer.header("set-cookie").partition(";")[0]
        _expect(answer, {409})  # out of stock: a shopper takes something else
    raise Refused(f"{_TRIES} products in a row were out of stock")


def _expect(answer: Answer, statuses: set[int]) -> Answer:
    if answer.status not in statuses:
        raise Refused(f"a page of kind {answer.header('x-page-kind')} came with status {answer.status}")
    return answer


async def buy(buying: Buying) -> Bought:
    """Do it; ConnectionError when the shop hangs up."""
    rng = random.Random(buying.seed)
    book = _Book()
    ends_s = time.perf_counter() + buying.seconds

    async def shop(connection: Connection) -> None:
        while (began_s := time.perf_counter()) < ends_s:
            try:
                await place_order(connection, lambda: draw_product(buying.product_count, rng))
            except Refused:
                book.failed_count += 1
            else:
                book.wall_s.append(time.perf_counter() - began_s)

    async with open_connections(buying.shoppers, buying.port) as connections:
        load = asyncio.gather(*map(shop, connections))
        await asyncio.sleep(buying.warmup_s)
        book.open()
        began_s = time.perf_counter()
        worker_s, database_s = cpu_s(buying.worker_pid), cpu_s(buying.database_pid)
        await load
        return Bought(
            time.perf_counter() - began_s,
            len(book.wall_s),
            book.failed_count,
            cpu_s(buying.worker_pid) - worker_s,
            cpu_s(buying.database_pid) - database_s,
            median(book.wall_s or [0.0]) * 1000,
        )


@dataclass(slots=True)
class _Book:
    """Orders since it was opened for the last time."""

    wall_s: list[float] = field(default_factory=list)
    failed_count: int = 0

    def open(self) -> None:
        """Forget what was before."""
        self.wall_s.clear()
        self.failed_count = 0


def main() -> None:
    """Read the order from the command line, and print what came of it."""
    print(json.dumps(asdict(uvloop.run(buy(Buying(**json.loads(sys.argv[1])))))))  # noqa: T201


if __name__ == "__main__":
    main()
