"""Shop workers, payment provider and database are killed at random instants while shoppers pay: the books stay right.

    LONJAK_KILLS=30 pytest tests/shop/test_survival.py

kills as often as that.
"""

import asyncio
import os
import random
import shutil
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest
import requests

from analysis.audit import audit
from analysis.truth import parse_truth
from loadgen.records import LedgerLine, Outcome
from tests.shop.buyer import LOST, Answer, Buyer
from tests.shop.operator import offer
from tests.shop.processes import (
    RUN_AS,
    Postgres,
    Program,
    Workshop,
    group,
    listen,
    new_postgres,
    port_of,
    seed_shop,
    wait_until,
)
from tests.shop.shopper import truth

KILLS = int(os.environ.get("LONJAK_KILLS", "8"))
BUYERS, PRODUCTS = 8, 30
CARDS = ("tok_approved",) * 9 + ("tok_declined",)
VICTIMS = ("shop", "shop", "payment", "database")


@dataclass
class Site:
    """Two workers on one socket, a provider on another, a database of their own; each can be killed and comes back."""

    postgres: Postgres
    workshop: Workshop
    shop: socket.socket
    payment: socket.socket
    workers: list[Program] = field(default_factory=list)
    provider: Program | None = None

    def open(self) -> None:
        self._start_provider()
        self.workers = [self._start_worker(), self._start_worker()]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{port_of(self.shop)}"

    def kill(self, victim: str, rng: random.Random) -> None:
        """Kill one of a kind, and start it again a moment later."""
        if victim == "shop":
            gone = rng.randrange(2)
            self.workers[gone].kill()
            self.workers[gone] = self._start_worker()
        elif victim == "payment":
            assert self.provider is not None
            self.provider.kill()
            self._start_provider()
        else:
            self.postgres.kill()
            self.postgres.start()

    def _start_worker(self) -> Program:
        return self.workshop.web(f"http://127.0.0.1:{port_of(self.payment)}", self.shop.dup(), pending_after_s=2.0)

    def _start_provider(self) -> None:
        self.provider = self.workshop.payment(latency_ms=60, listener=self.payment.dup())


@pytest.fixture(scope="module")
def site(shop_folder: Path, images: Path) -> Iterator[Site]:
    postgres = new_postgres(shop_folder, "mortal")
    postgres.start()
    seed_shop(postgres.url, images, products=PRODUCTS)
    folder = shop_folder / "survival"
    folder.mkdir()
    if RUN_AS:
        shutil.chown(folder, RUN_AS, group())
    workshop = Workshop(folder, postgres.url, images)
    site = Site(postgres, workshop, listen(), listen())
    site.open()
    yield site
    workshop.close()
    postgres.stop()
    site.shop.close()
    site.payment.close()


async def shop_for_ever(url: str, number: int, ledger: list[LedgerLine]) -> None:
    """Buy again and again; a lost answer is asked for once more with the same key, as shoppers reload a page."""
    rng = random.Random(number)
    while True:
        buyer = Buyer(url)
        with suppress(*LOST, AssertionError):
            await buy(buyer, rng, ledger)
        buyer.close()
        await asyncio.sleep(0.01)


async def buy(buyer: Buyer, rng: random.Random, ledger: list[LedgerLine]) -> None:
    items = tuple(
        (product_id, rng.randint(1, 2)) for product_id in rng.sample(range(1, PRODUCTS + 1), rng.randint(1, 3))
    )
    for product_id, quantity in items:
        if (await buyer.add(product_id, quantity)).status != 303:
            return
    form = await buyer.form()
    if rng.random() < 0.5:
        await buyer.post("/checkout/voucher", {"coupon": "PAYDAY", "gift_card": rng.choice(("", "KADO"))})
        form = await buyer.get("/checkout/payment")
    key, total = form.field("idempotency_key"), int(form.field("total_idr"))
    card = rng.choice(CARDS)
    for _ in range(2):
        line = LedgerLine(time.time(), "place_order", "unknown", 0, key, None, total, items, "no answer")
        try:
            line = told(line, await buyer.pay(form, card))
        except LOST:
            continue
        finally:
            ledger.append(line)
        if line.order_id and rng.random() < 0.2:
            await buyer.post(f"/orders/{line.order_id}/return", {})
        return


def told(line: LedgerLine, answer: Answer) -> LedgerLine:
    """What the answer means: only a redirect acknowledges, only a refusal says that nothing happened."""
    outcome: Outcome = "ok" if answer.status == 303 else "fail" if 400 <= answer.status < 500 else "unknown"
    order_id = int(answer.location.split("/")[2]) if outcome == "ok" else None
    return LedgerLine(line.at, line.action, outcome, 0, line.idempotency_key, order_id, line.amount_idr, line.items)


async def shop_until(enough: Event, url: str) -> list[LedgerLine]:
    ledger: list[LedgerLine] = []
    shoppers = [asyncio.create_task(shop_for_ever(url, number, ledger)) for number in range(BUYERS)]
    while not enough.is_set():
        await asyncio.sleep(0.1)
    for shopper in shoppers:
        shopper.cancel()
    await asyncio.gather(*shoppers, return_exceptions=True)
    return ledger


def shop_while_things_die(site: Site, rng: random.Random) -> list[LedgerLine]:
    """What the shoppers were told. Kills from the main thread: what a thread starts is ended with that thread."""
    enough = Event()
    with ThreadPoolExecutor(1) as shopping:
        ledger = shopping.submit(asyncio.run, shop_until(enough, site.url))
        try:
            for _ in range(KILLS):
                time.sleep(rng.uniform(0.2, 0.8))
                site.kill(rng.choice(VICTIMS), rng)
            time.sleep(1)
        finally:
            enough.set()
        return ledger.result()


def settled(url: str) -> bool:
    with suppress(requests.RequestException, AssertionError):
        return truth(url)[-1]["pending_count"] == 0
    return False


def test_every_invariant_holds_after_reconciliation(site: Site) -> None:
    offers = {
        "coupons": [{"code": "PAYDAY", "amount_idr": 2000, "uses": 40}],
        "gift_cards": [{"code": "KADO", "balance_idr": 2_000_000}],
    }
    began = time.time()
    assert offer(site.url, offers).status_code == 200
    ledger = shop_while_things_die(site, random.Random(KILLS))
    wait_until(lambda: settled(site.url), "the end of reconciliation")
    found = audit(ledger, parse_truth(truth(site.url, began)))
    outcomes = {outcome: sum(line.outcome == outcome for line in ledger) for outcome in ("ok", "fail", "unknown")}
    print(outcomes, found)
    assert outcomes["ok"] > KILLS
    assert outcomes["unknown"] > 0
    assert found.violations == ()
    assert found.outcome == "pass"
