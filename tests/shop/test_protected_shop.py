"""More shoppers than the shop can serve: what becomes of them without a protection, and with it.

Each test starts the same shop twice, without the protection and with it, and does the same to both.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

import pytest

from reference_shop.protections.waiting_room import ADMITTED_PER_S, BURST, COOKIE
from tests.shop import database
from tests.shop.buyer import Answer, Buyer
from tests.shop.operator import begin_sale
from tests.shop.processes import Postgres, Program, Workshop
from tests.shop.protected import PLENTY, Crowd, at_both, patiently, payment_form, seeded, twice, visit
from tests.shop.shopper import Shopper, on_body

SCHEMA = "shop_protected"
PAGE = f"/product/{PLENTY}"


@pytest.fixture(scope="module")
def opened(workshop: Workshop) -> Workshop:
    return seeded(workshop, SCHEMA)


@pytest.fixture
def site(opened: Workshop) -> Iterator[Workshop]:
    yield opened
    opened.close()


# ---- load-shedding

FLOOD_S, REQUESTS_PER_S = 6.5, 150
CHECKS_OUT_AFTER_S = 2.5


@dataclass
class Flood:
    """How a flood of visitors fares, and one who checks out in the middle of it and tries again when he is told to.

    wait_s: the median wait for a page of those who came in the second half and saw it.
    """

    wait_s: float
    refusals: set[tuple[int, str]]
    checkout_s: float


async def flood(shop: Crowd) -> Flood:
    waits_s: list[float] = []
    refused: list[Answer] = []
    idle: list[Buyer] = []
    buyer = shop.one()
    await patiently(lambda: buyer.add(PLENTY))
    began_at = time.monotonic()

    async def look(came_after_s: float) -> None:
        visitor = idle.pop() if idle else shop.one()
        answer = await visitor.get(PAGE)
        idle.append(visitor)
        if answer.status != 200:
            refused.append(answer)
        elif came_after_s >= FLOOD_S / 2:
            waits_s.append(time.monotonic() - began_at - came_after_s)

    async def check_out() -> float:
        await asyncio.sleep(CHECKS_OUT_AFTER_S)
        form = await payment_form(buyer)
        paid = await patiently(lambda: buyer.pay(form))
        assert paid.status == 303
        return time.monotonic() - began_at - CHECKS_OUT_AFTER_S

    async with asyncio.TaskGroup() as visits:
        checkout = visits.create_task(check_out())
        for number in range(int(FLOOD_S * REQUESTS_PER_S)):
            comes_after_s = number / REQUESTS_PER_S
            await asyncio.sleep(began_at + comes_after_s - time.monotonic())
            visits.create_task(look(comes_after_s))
    assert {answer.headers["retry-after"] for answer in refused} <= {"1", "2", "3"}
    refusals = {(answer.status, answer.fact("error")) for answer in refused}
    return Flood(median(waits_s), refusals, checkout.result())


def test_a_shop_that_sheds_load_serves_soon_whom_it_serves_and_lets_checkout_through(
    site: Workshop, postgres: Postgres
) -> None:
    # Fifty pages a second at most, by these numbers and not by this machine's speed.
    slow_database = f"postgresql://lonjak@127.0.0.1:{site.slow_way(postgres.port, delay_ms=20)}/postgres"
    numbers = {"database_url": slow_database, "max_connections": 1, "concurrency": 60}
    shops = twice(site, site.payment(), "load-shedding", **numbers)
    without, guarded = at_both(shops, flood)
    print(without, guarded)
    assert without.wait_s > 2
    assert guarded.wait_s < without.wait_s / 3
    assert guarded.refusals == {(503, "overloaded")}
    assert guarded.checkout_s < without.checkout_s / 1.5


# ---- waiting-room

HERD = 300
# Sooner than the page asks for, as the impatient do.
RELOAD_S = 0.5


@dataclass
class Herd:
    """Where a herd's first requests led, how many of it had reached the stock by then, and how many did in the end."""

    led_to: Counter[str]
    reached: float
    reached_in_the_end: float


@dataclass(frozen=True)
class Turn:
    """What somebody with a number was told who asked for his turn."""

    number: int
    asked_at: float
    told_at: float
    is_admitted: bool


class Stampede:
    """A herd that waits for the first instant of a sale."""

    def __init__(self, product_id: int, starts_at: float) -> None:
        self.product_id = product_id
        self.starts_at = starts_at
        self.turns: list[Turn] = []

    def due_by(self, instant: float) -> float:
        """How many a waiting room may have let in by then."""
        return BURST + ADMITTED_PER_S * (instant - self.starts_at)

    async def run(self, shop: Crowd) -> Herd:
        buyers = [shop.one() for _ in range(HERD)]
        await asyncio.gather(*(buyer.get("/healthz") for buyer in buyers))
        before = await reached_the_stock(shop)  # who puts a product on offer moves its stock
        await asyncio.sleep(self.starts_at - time.time())
        firsts = await asyncio.gather(*map(self._add, buyers))
        reached = await reached_the_stock(shop) - before
        await asyncio.gather(*map(self._go_on, buyers, firsts))
        led_to = Counter(answer.location.partition("?")[0] for answer in firsts)
        return Herd(led_to, reached, await reached_the_stock(shop) - before)

    async def _add(self, buyer: Buyer) -> Answer:
        return await patiently(lambda: buyer.add(self.product_id))

    async def _go_on(self, buyer: Buyer, answer: Answer) -> None:
        while answer.location.startswith("/waiting-room"):
            await self._wait_for_turn(buyer, answer.location)
            answer = await self._add(buyer)
        assert answer.location == "/cart"

    async def _wait_for_turn(self, buyer: Buyer, room: str) -> None:
        while True:
            asked_at = time.time()
            answer = await patiently(lambda: buyer.get(room))
            number = int(buyer.cookies[COOKIE].split(".")[1])
            self.turns.append(Turn(number, asked_at, time.time(), is_admitted=answer.status == 303))
            if answer.status == 303:
                return
            await asyncio.sleep(RELOAD_S)


async def reached_the_stock(shop: Crowd) -> float:
    return await shop.figure("shop_lock_wait_seconds_count", lock="stock")


def stampede(shop: Program, product_id: int) -> tuple[Herd, Stampede]:
    herd = Stampede(product_id, starts_at=time.time() + 2)
    begin_sale(shop.url, product_id, HERD, starts_at=herd.starts_at)
    return asyncio.run(visit(shop, herd.run)), herd


def test_a_waiting_room_leads_a_herd_to_the_stock_steadily_and_by_number(site: Workshop) -> None:
    bare, guarded = twice(site, site.payment(), "waiting-room", concurrency=HERD)
    without, _ = stampede(bare, product_id=2)
    with_it, herd = stampede(guarded, product_id=3)
    assert without == Herd(Counter({"/cart": HERD}), reached=HERD, reached_in_the_end=HERD)
    assert with_it == Herd(Counter({"/waiting-room": HERD}), reached=0, reached_in_the_end=HERD)
    assert {turn.number for turn in herd.turns} == set(range(1, HERD + 1))
    assert overtakings(herd.turns) == []
    assert all(turn.number <= herd.due_by(turn.told_at) for turn in herd.turns if turn.is_admitted)
    reached_at = reservations(site, product_id=3)
    assert len(reached_at) == HERD
    assert all(count <= herd.due_by(instant) for count, instant in enumerate(reached_at, 1))


def overtakings(turns: list[Turn]) -> list[tuple[Turn, Turn]]:
    """Those who had to wait, each with one who bore a higher number and had been let in before the first one asked."""
    admitted = [turn for turn in turns if turn.is_admitted]
    return [
        (waiting, other)
        for waiting in turns
        if not waiting.is_admitted
        for other in admitted
        if other.number > waiting.number and other.told_at < waiting.asked_at
    ]


def reservations(site: Workshop, product_id: int) -> list[float]:
    """When each was made."""
    query = """SELECT array_agg(extract(epoch FROM at)::float8 ORDER BY at) FROM ledger
               WHERE subject = 'reservation' AND change = 'held' AND product_id = $1"""
    instants: list[float] = database.ask(site.database_url, query, product_id, schema=SCHEMA)
    return instants


# ---- catalogue-cache

VISITORS = 50
SHOWN_WITHIN_S = 5.0


@dataclass
class Rush:
    """What a rush to one product's page costs, and whether the page follows the price."""

    pages: Counter[int]
    reads: int
    shows_new_price: bool


def rush(site: Workshop, postgres: Postgres, shop: Program) -> Rush:
    before = product_reads(postgres)
    pages = asyncio.run(visit(shop, look_all_at_once))
    reads = product_reads(postgres) - before
    query = "UPDATE products SET list_price_idr = list_price_idr + 100, price_idr = price_idr + 100"
    price = database.ask(site.database_url, f"{query} WHERE product_id = $1 RETURNING price_idr", PLENTY, schema=SCHEMA)
    return Rush(pages, reads, comes_to_show(shop, price))


async def look_all_at_once(shop: Crowd) -> Counter[int]:
    visitors = [shop.one() for _ in range(VISITORS)]
    await asyncio.gather(*(visitor.get("/healthz") for visitor in visitors))
    answers = await asyncio.gather(*(visitor.get(PAGE) for visitor in visitors))
    return Counter(answer.status for answer in answers)


def product_reads(postgres: Postgres) -> int:
    """How often the database was asked for a product's page, by those whose statements it logs."""
    log = postgres.data.parent / postgres.log_name
    return log.read_text().count("WITH this AS (SELECT * FROM products")


def comes_to_show(shop: Program, price_idr: int) -> bool:
    ends_at = time.monotonic() + SHOWN_WITHIN_S
    with Shopper(shop.url) as shopper:
        while on_body(shopper.get(PAGE), "price-idr") != str(price_idr):
            if time.monotonic() > ends_at:
                return False
            time.sleep(0.05)
    return True


def test_a_rush_to_one_product_costs_one_read_with_a_cache_and_one_each_without(
    site: Workshop, postgres: Postgres
) -> None:
    shops = twice(site, site.payment(), "catalogue-cache", database_url=f"{postgres.url}?log_statement=all")
    without, guarded = (rush(site, postgres, shop) for shop in shops)
    assert without == Rush(Counter({200: VISITORS}), reads=VISITORS, shows_new_price=True)
    assert guarded == Rush(Counter({200: VISITORS}), reads=1, shows_new_price=True)
