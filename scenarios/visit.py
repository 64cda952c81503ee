"""One shopper in one shop: what they remember of the visit so far, and what they make of each page.

The steps they take stand in `journeys` and `sale_journey`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from scenarios.chase import Chase
from scenarios.deals import Deals
from scenarios.outcomes import Outcome
from scenarios.people import AccountBook
from scenarios.storefront import Account, Page, Product, ProductLink, SaleState, Storefront
from scenarios.zipf import Zipf

_REMEMBERED_NAMES = 50
_SEEN = {
    SaleState.UPCOMING: Outcome.SALE_NOT_OPEN,
    SaleState.OPEN: Outcome.SALE_OPEN,
    SaleState.SOLD_OUT: Outcome.OUT_OF_STOCK,
    SaleState.OVER: Outcome.OK,  # an ordinary product again
}


@dataclass(slots=True)
class Memory:
    """What a shopper remembers of the visit so far."""

    links: tuple[ProductLink, ...] = ()
    categories: tuple[str, ...] = ()
    next_page: str | None = None
    names: tuple[str, ...] = ()
    opened: set[int] = field(default_factory=set)
    product: Product | None = None  # one that can be bought
    deal: Product | None = None  # the flash sale's, as it was seen last
    page_kind: str = ""
    intended: str = ""
    payment_form: Page | None = None
    account: Account | None = None
    told_to_wait_s: float | None = None
    was_refused_more: bool = False  # by the limit of the flash sale
    was_refused_one: bool = False  # although a single unit was asked for: some must be there already
    regretted: list[int] = field(default_factory=list)  # orders to be sent back


@dataclass(slots=True)
class Visit:
    """One shopper in one shop; `now` tells seconds since the epoch."""

    storefront: Storefront
    accounts: AccountBook
    rng: Random
    zipf_exponent: float
    deals: Deals = field(default_factory=Deals)
    now: Callable[[], float] = time.time
    memory: Memory = field(default_factory=Memory)
    chase: Chase | None = None

    def leave(self) -> None:
        """The account, if the shopper has one, may be used by a later shopper."""
        if self.memory.account is not None:
            self.accounts.put_back(self.memory.account)

    def look_at(self, page: Page) -> Outcome:
        """Takes in a page, and says how it was."""
        memory = self.memory
        memory.page_kind = page.kind
        memory.told_to_wait_s = page.wait_s
        if page.products:
            memory.links = page.products
            memory.names = (tuple(link.name for link in page.products) + memory.names)[:_REMEMBERED_NAMES]
        if page.kind == "category":
            memory.next_page = page.next_page
        memory.categories = page.categories or memory.categories
        if page.product is None:
            return page.outcome
        return self._consider(page.product, page.outcome)

    def _consider(self, product: Product, outcome: Outcome) -> Outcome:
        memory, sale = self.memory, product.sale
        memory.opened.add(product.product_id)
        can_be_bought = product.stock > 0 and (sale is None or sale.state is not SaleState.UPCOMING)
        memory.product = product if can_be_bought else None
        if sale is not None or product.product_id == self.deals.product_id:
            memory.deal = product
        return _SEEN[sale.state] if sale is not None and outcome is Outcome.OK else outcome

    def pick(self, count: int) -> int:
        """A position 0..count-1, the first ones more often."""
        return Zipf(count, self.zipf_exponent).draw(self.rng) - 1

    @property
    def until_s(self) -> float | None:
        """Seconds until the flash sale begins that the shopper waits for; None when there is nothing to wait for."""
        sale = self.memory.deal.sale if self.memory.deal else None
        if sale is None or sale.state is not SaleState.UPCOMING:
            return None
        return max(0.0, sale.starts_at - self.now())

    def told(self, outcome: Outcome, product_id: int | None) -> Outcome:
        """Notes an outcome that concerns the flash sale's product, for who is after it; returns it as it is."""
        if self.chase is not None and self.chase.product_id == product_id:
            self.chase.told(outcome)
        return outcome
