"""A payment provider that is silent, dies or is slow: what becomes of shoppers without a protection, and with it.

Each test starts the same shop twice, without the protection and with it, and does the same to both.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.shop import database
from tests.shop.buyer import Answer, Buyer
from tests.shop.processes import Program, Workshop, listen, wait_until
from tests.shop.protected import (
    PLENTY,
    Ask,
    Crowd,
    all_at_once,
    at_both,
    frozen,
    seeded,
    told,
    twice,
    until_told,
    verdicts,
)
from tests.shop.shopper import Shopper

SCHEMA = "shop_protected_payments"
PLACES = 10
PAGE = f"/product/{PLENTY}"
# A charge is given up after 2 s, the question after it after one more.
GIVEN_UP_S = 2.0


@pytest.fixture(scope="module")
def opened(workshop: Workshop) -> Workshop:
    return seeded(workshop, SCHEMA)


@pytest.fixture
def site(opened: Workshop) -> Iterator[Workshop]:
    yield opened
    opened.close()


# ---- payment-timeout


@dataclass
class Silence:
    """How it goes on in a shop all of whose places wait for a provider that says nothing."""

    payers: Counter[str]
    page: int
    cart: int
    places_taken: float


async def pay_into_silence(shop: Crowd) -> Silence:
    paying = [asyncio.ensure_future(pay()) for pay in await shop.at_the_till(PLACES)]
    await until_told(PLACES, lambda: shop.figure("shop_places_in_use"))
    page, put_into_cart = await asyncio.gather(shop.one().get(PAGE), shop.one().add(PLENTY))
    done, waiting = await asyncio.wait(paying, timeout=GIVEN_UP_S)
    silence = Silence(
        verdicts(task.result() for task in done) + Counter(waits=len(waiting)),
        page.status,
        put_into_cart.status,
        await shop.figure("shop_places_in_use"),
    )
    for task in waiting:
        task.cancel()
    return silence


def test_a_silent_provider_takes_the_shop_for_seconds_with_a_timeout_and_for_minutes_without(site: Workshop) -> None:
    provider = site.payment()
    shops = twice(site, provider, "payment-timeout", concurrency=PLACES)
    with frozen(provider):
        without, guarded = at_both(shops, pay_into_silence)
    assert without == Silence(payers=Counter(waits=PLACES), page=503, cart=503, places_taken=PLACES)
    assert guarded == Silence(payers=Counter(payment_unresolved=PLACES), page=200, cart=303, places_taken=0)


# ---- payment-retries


async def pay_at_once(shop: Crowd) -> Counter[str]:
    # Fewer than the ten retries that the budget begins with.
    return verdicts(await all_at_once(await shop.at_the_till(8)))


def test_payments_that_a_dying_provider_cuts_off_are_asked_again_and_paid_once(site: Workshop) -> None:
    door = listen()
    dying = site.payment(latency_ms=60_000, listener=door.dup())
    shops = twice(site, dying, "payment-retries")
    with ThreadPoolExecutor(1) as crowds:
        buying = crowds.submit(at_both, shops, pay_at_once)
        wait_until(lambda: told(dying, "payment_requests_in_progress", kind="charge") == 2 * 8, "sixteen charges")
        dying.kill()
        # Who connects meanwhile waits at the door.
        successor = site.payment(listener=door)
        without, guarded = buying.result()
    assert without == Counter(payment_unresolved=8)
    assert guarded == Counter(paid=8)
    assert told(successor, "payment_charges_total", state="captured") == 8


# ---- circuit-breaker


@dataclass
class Outage:
    """What a provider's silence costs: those who find out, and those who come after them."""

    first: Counter[str]
    others: Counter[str]
    others_waited: bool
    orders: float
    charges_asked: float


async def buy_during_an_outage(shop: Crowd) -> Outage:
    pays = await shop.at_the_till(5 + 10)
    first = await all_at_once(pays[:5])
    began_at = time.monotonic()
    others = await all_at_once(pays[5:])
    return Outage(
        verdicts(first),
        verdicts(others),
        time.monotonic() - began_at >= GIVEN_UP_S,
        await shop.figure("shop_orders_total", state="pending"),
        await shop.figure("shop_payment_call_duration_seconds_count", operation="charge"),
    )


async def buy_after_an_outage(shop: Crowd) -> Counter[str]:
    await until_told(0, lambda: shop.figure("shop_breaker_state", state="open"))
    probe, *pays = await shop.at_the_till(6)
    return verdicts([await probe(), *await all_at_once(pays)])


def test_a_breaker_spares_all_but_a_few_the_wait_for_a_dead_provider_and_sells_when_it_is_back(site: Workshop) -> None:
    provider = site.payment()
    shops = twice(site, provider, "circuit-breaker", "payment-timeout")
    with frozen(provider):
        without, guarded = at_both(shops, buy_during_an_outage)
    first, others = Counter(payment_unresolved=5), Counter(payment_unresolved=10)
    assert without == Outage(first, others, others_waited=True, orders=15, charges_asked=15)
    others = Counter(payments_unavailable=10)
    assert guarded == Outage(first, others, others_waited=False, orders=5, charges_asked=5)
    assert at_both(shops, buy_after_an_outage) == (Counter(paid=6), Counter(paid=6))
    assert told(shops[1], "shop_breaker_state", state="closed") == 1


# ---- checkout-bulkhead


VISITORS = 3


@dataclass
class Queue:
    """A crowd at the till of a slow provider, and how many pages visitors saw before the first of it had paid."""

    payers: Counter[str]
    pages: int


async def look_around_while_others_pay(shop: Crowd) -> Queue:
    has_paid = asyncio.Event()

    async def pay(ask: Ask) -> Answer:
        answer = await ask()
        if answer.status == 303:
            has_paid.set()
        return answer

    async def have_come() -> float:
        refused = await shop.figure("shop_refusals_total", protection="checkout-bulkhead")
        return refused + await shop.figure("shop_places_in_use")

    async def look_around(visitor: Buyer) -> int:
        pages = 0
        while not has_paid.is_set():
            pages += (await visitor.get(PAGE)).status == 200
            await asyncio.sleep(0.02)
        return pages

    paying = asyncio.gather(*map(pay, await shop.at_the_till(PLACES)))
    await until_told(PLACES, have_come)
    pages = await asyncio.gather(*(look_around(shop.one()) for _ in range(VISITORS)))
    return Queue(verdicts(await paying), sum(pages))


def test_a_crowd_that_waits_for_a_slow_provider_leaves_the_catalogue_its_places(site: Workshop) -> None:
    shops = twice(site, site.payment(latency_ms=3000), "checkout-bulkhead", concurrency=PLACES)
    without, guarded = at_both(shops, look_around_while_others_pay)
    assert without.payers == Counter(paid=PLACES)
    assert guarded.payers == Counter(paid=PLACES // 5, overloaded=PLACES - PLACES // 5)
    # Those who stood in line are served when the first has paid.
    assert without.pages <= VISITORS
    assert guarded.pages >= 10 * VISITORS


# ---- graceful-drain


@dataclass
class Stop:
    """What a shopper hears whose worker is stopped in the middle of the payment, and how the order ends."""

    exit_status: int
    heard: str | int
    order: object


def stop_in_mid_payment(site: Workshop, worker: Program) -> Stop:
    with Shopper(worker.url) as shopper, ThreadPoolExecutor(1) as paying:
        key = shopper.prepare(PLENTY)
        payment = paying.submit(shopper.pay, key)
        wait_until(lambda: state_of(site, key) == "pending", "placing the order")
        exit_status = worker.stop()
        error = payment.exception()
        heard = type(error).__name__ if error else payment.result().status_code
    wait_until(lambda: state_of(site, key) != "pending", "settling the order")
    return Stop(exit_status, heard, state_of(site, key))


def state_of(site: Workshop, key: str) -> object:
    query = "SELECT state FROM orders WHERE idempotency_key::text = $1"
    return database.ask(site.database_url, query, key, schema=SCHEMA)


def test_a_worker_that_is_stopped_finishes_a_payment_with_a_drain_and_leaves_it_to_its_sibling_without(
    site: Workshop,
) -> None:
    provider = site.payment(latency_ms=2000)
    shops = twice(site, provider, "graceful-drain", pending_after_s=0.5)
    site.web(provider.url)
    without, guarded = (stop_in_mid_payment(site, worker) for worker in shops)
    assert without == Stop(exit_status=0, heard="ConnectionError", order="paid")
    assert guarded == Stop(exit_status=0, heard=303, order="paid")
