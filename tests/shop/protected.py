"""The same shop twice, without a protection and with it; and what becomes of those who come to both."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from prometheus_client.parser import text_string_to_metric_families

from tests.shop import database
from tests.shop.buyer import Answer, Buyer
from tests.shop.processes import WITHIN_S, Program, Workshop, ready, seed_shop
from tests.shop.shopper import ADDRESS

PLENTY, MANY_UNITS = 1, 100_000
"""The product that everybody buys, and how much there is of it."""
NEVER_S = 3600.0

Fate = TypeVar("Fate")
Ask = Callable[[], Awaitable[Answer]]


def seeded(workshop: Workshop, schema: str) -> Workshop:
    """A small shop of its own: a worker of another test would settle its orders with another provider."""
    seed_shop(workshop.database_url, workshop.images, schema, 100)
    database.put_on_shelf(workshop.database_url, PLENTY, MANY_UNITS, schema)
    return Workshop(workshop.folder, workshop.database_url, workshop.images, schema)


def twice(site: Workshop, provider: Program, protection: str, *beside: str, **settings: Any) -> tuple[Program, Program]:
    """A worker without a protection and one with it; both have those `beside`, and leave open orders alone."""
    settings = {"pending_after_s": NEVER_S} | settings
    bare = site.starting_web(provider.url, protections=beside, **settings)
    guarded = site.starting_web(provider.url, protections=(*beside, protection), **settings)
    return ready(bare), ready(guarded)


async def visit(shop: Program, tell: Callable[["Crowd"], Awaitable[Fate]]) -> Fate:
    """Come in a crowd; what became of it."""
    with Crowd(shop.url) as crowd:
        return await tell(crowd)


def at_both(shops: Iterable[Program], tell: Callable[["Crowd"], Awaitable[Fate]]) -> tuple[Fate, Fate]:
    """Do the same at both shops at once; what became of it without the protection, and with it."""

    async def run() -> tuple[Fate, Fate]:
        bare, guarded = await asyncio.gather(*(visit(shop, tell) for shop in shops))
        return bare, guarded

    return asyncio.run(run())


@contextmanager
def frozen(program: Program) -> Iterator[None]:
    """It lives, takes connections, and says nothing."""
    os.kill(program.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(program.process.pid, signal.SIGCONT)


class Crowd:
    """Shoppers of one shop, who have all left at the end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._buyers: list[Buyer] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for buyer in self._buyers:
            buyer.close()

    def one(self) -> Buyer:
        """A shopper who has just come."""
        self._buyers.append(Buyer(self.url))
        return self._buyers[-1]

    async def at_the_till(self, count: int) -> list[Ask]:
        """So many with a payment form before them; each pays when it is called."""
        return [await self._come_to_the_till(self.one()) for _ in range(count)]

    async def _come_to_the_till(self, buyer: Buyer) -> Ask:
        await patiently(lambda: buyer.add(PLENTY))
        form = await payment_form(buyer)
        return lambda: buyer.pay(form)

    async def figure(self, name: str, **labels: str) -> float:
        """What the shop has counted."""
        return await figure(self.url, name, **labels)


async def patiently(ask: Ask) -> Answer:
    """Ask again when the shop says that it is too busy, no sooner than it says, until `WITHIN_S` are over."""
    ends_at = time.monotonic() + WITHIN_S
    while (answer := await ask()).status == 503 and time.monotonic() < ends_at:
        await asyncio.sleep(float(answer.headers["retry-after"]))
    return answer


async def payment_form(buyer: Buyer) -> Answer:
    """Give the address and come to the payment form."""
    await patiently(lambda: buyer.post("/checkout", dict(ADDRESS)))
    return await patiently(lambda: buyer.get("/checkout/payment"))


async def all_at_once(asks: Iterable[Ask]) -> list[Answer]:
    return await asyncio.gather(*(ask() for ask in asks))


def verdicts(answers: Iterable[Answer]) -> Counter[str]:
    """How many heard what: `paid`, or the error in the shop's own word, or the bare status."""
    return Counter(
        "paid" if answer.location.endswith("/confirmation") else answer.fact("error") or str(answer.status)
        for answer in answers
    )


async def figure(url: str, name: str, **labels: str) -> float:
    """What a program has counted under a name, summed up over all labels but these."""
    operator = Buyer(url)
    try:
        page = await operator.get("/metrics")
    finally:
        operator.close()
    return sum(
        sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def told(program: Program, name: str, **labels: str) -> float:
    """The same, for who does not wait."""
    return asyncio.run(figure(program.url, name, **labels))


async def until_told(wanted: float, ask: Callable[[], Awaitable[float]]) -> None:
    """Wait until somebody's figure is what it should be."""
    ends_at = time.monotonic() + WITHIN_S
    while (figure := await ask()) != wanted:
        assert time.monotonic() < ends_at, f"still {figure} and not {wanted} after {WITHIN_S} s"
        await asyncio.sleep(0.05)
