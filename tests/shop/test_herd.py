"""A hundred units, two thousand buyers at one instant: a hundred are sold, and everybody knows where they stand.

    LONJAK_HERDS=20 pytest tests/shop/test_herd.py

repeats it as often as that, with and without the waiting room.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import count

import pytest

from reference_shop.protections import PROTECTIONS
from tests.shop.buyer import Answer, Buyer
from tests.shop.operator import begin_sale, book, stock_of
from tests.shop.processes import Program, Workshop, listen
from tests.shop.shopper import ADDRESS, truth

UNITS, BUYERS = 100, 2000
PRODUCTS = count(700)
HERDS = int(os.environ.get("LONJAK_HERDS", "1"))
WITHIN_S = 120.0
WITHOUT = {"with the waiting room": (), "without the waiting room": ("waiting-room",)}


class Fate:
    """How it ended for a buyer, in the shop's own words."""

    def __init__(self) -> None:
        self.ends: Counter[str] = Counter()
        self.over_limit = 0


async def try_to_buy(buyer: Buyer, product_id: int, fate: Fate, *, greedy: bool) -> None:
    """Go on until the order is paid or the shop says that nothing is left."""
    answer = await persist(lambda: buyer.add(product_id))
    while answer.location.startswith("/waiting-room"):
        answer = await wait_for_turn(buyer, answer.location)
        if answer.status == 303:
            answer = await persist(lambda: buyer.add(product_id))
    if answer.status != 303:
        fate.ends[answer.fact("error") or answer.fact("sale-state")] += 1
        return
    if greedy:
        again = await persist(lambda: buyer.add(product_id))
        fate.over_limit += again.fact("error") != "sale_limit" and again.fact("error") != "out_of_stock"
    await persist(lambda: buyer.post("/checkout", dict(ADDRESS)))
    form = await persist(lambda: buyer.get("/checkout/payment"))
    paid = await persist(lambda: buyer.pay(form))
    fate.ends["paid" if paid.status == 303 else paid.fact("error")] += 1


async def wait_for_turn(buyer: Buyer, address: str) -> Answer:
    """Stay in the waiting room until let in (303) or told that it is sold out."""
    while True:
        answer = await persist(lambda: buyer.get(address))
        if answer.status == 303 or answer.fact("sale-state") != "waiting":
            return answer
        await asyncio.sleep(float(answer.headers["refresh"]))


async def persist(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask again when the shop says that it is too busy, no sooner than it says."""
    while True:
        answer = await ask()
        if answer.status != 503:
            return answer
        await asyncio.sleep(float(answer.headers["retry-after"]))


async def herd(url: str, product_id: int) -> Fate:
    """Let all of them in at once."""
    fate = Fate()
    buyers = [Buyer(url) for _ in range(BUYERS)]
    async with asyncio.timeout(WITHIN_S):
        await asyncio.gather(
            *(try_to_buy(buyer, product_id, fate, greedy=number % 10 == 0) for number, buyer in enumerate(buyers))
        )
    for buyer in buyers:
        buyer.close()
    return fate


@pytest.fixture(scope="module", params=WITHOUT.values(), ids=WITHOUT.keys())
def crowded(request: pytest.FixtureRequest, workshop: Workshop, provider: Program) -> Program:
    """Two workers on one socket."""
    listener = listen()
    on = [name for name in PROTECTIONS if name not in request.param]
    first = workshop.web(provider.url, listener.dup(), protections=on)
    workshop.web(provider.url, listener, protections=on)
    return first


@pytest.mark.parametrize("number", range(HERDS))
def test_exactly_what_there_is_is_sold_and_every_loser_is_told(crowded: Program, number: int) -> None:
    product_id = next(PRODUCTS)
    sale_id = begin_sale(crowded.url, product_id, UNITS, reservation_s=300)
    time.sleep(0.6)  # one worker knows of it; the other one reads the sales four times a second, too
    began = time.monotonic()
    fate = asyncio.run(herd(crowded.url, product_id))
    print(f"{time.monotonic() - began:.1f} s: {dict(fate.ends)}")
    assert fate.ends["paid"] == UNITS
    assert fate.ends["out_of_stock"] + fate.ends["sold_out"] == BUYERS - UNITS
    assert fate.over_limit == 0
    assert stock_of(crowded.url, product_id) == (0, 0, UNITS, 0)
    assert book(crowded.url, "sale", sale_id=sale_id)["sold_count"] == UNITS
    units = [fact["units"] for fact in truth(crowded.url) if fact["type"] == "customer" and fact["sale_id"] == sale_id]
    assert units == [1] * UNITS
