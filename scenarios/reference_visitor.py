"""One shopper at the bundled shop: asks for a page, judges how it came, and holds it against what the shopper knows.

Under `reference_checkout` and `reference_storefront`, which know the addresses.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from loadgen.session import Session
from scenarios import reference_personal as personal
from scenarios import reference_replies as replies
from scenarios.answers import Answer
from scenarios.attempts import Attempt
from scenarios.basket import Basket
from scenarios.browser import Browser
from scenarios.outcomes import Outcome
from scenarios.storefront import Lines, Page

Read = TypeVar("Read")
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class SaleTerms:
    """What the scenario says of its flash sale: the product, and how long its units are kept for a cart."""

    product_id: int
    reservation_s: float


@dataclass(frozen=True, slots=True)
class Bought:
    """An order that was acknowledged: what of it is known here, and who was logged in (NOBODY for a guest)."""

    amount_idr: int | None
    lines: Lines | None
    owner: str | None
    recipient: str | None


class ReferenceVisitor:
    """One shopper in the bundled shop.

    A page that took longer than `patience_s` seconds, redirects on the way included, is TOO_SLOW however it ended.
    """

    def __init__(
        self,
        session: Session,
        browser: Browser,
        patience_s: float,
        *,
        sale: SaleTerms | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self._session = session
        self._browser = browser
        self._patience_s = patience_s
        self._sale = sale
        self._clock = clock
        self._basket = Basket()
        self._owner: str | None = personal.NOBODY  # the name that is logged in; None when nobody here knows
        self._recipient: str | None = None
        self._bought: dict[int, Bought] = {}
        self._all_orders_known = True  # whether the history can hold no order but those of this visit

    @property
    def basket_count(self) -> int:
        """Units put into the cart and not yet paid for."""
        return self._basket.count

    def units_of(self, product_id: int) -> int:
        """Those of one product."""
        return self._basket.units_of(product_id)

    def _show(self, kind: str, url: str, reader: Callable[[Answer], Page], *, redirected: bool = False) -> Page:
        """The page at an address; `redirected` adds the time that the form before it took."""
        waited_s = self._browser.last.elapsed_s if redirected else 0.0
        page = self._judged(kind, self._browser.open(kind, url, reader), waited_s)
        if page.outcome not in {Outcome.FAILED, Outcome.TOO_SLOW} and self._browser.last.status in {200, 304}:
            self._look_at_header()
        return page

    def _show_content(self, kind: str, url: str, reader: Callable[[Answer], Page], *, redirected: bool = False) -> Page:
        """A page that lists what is in the cart, which is learnt from it."""
        gone = Page(kind, Outcome.RESERVATION_EXPIRED)
        page = self._show(kind, url, self._unless_gone(reader, gone), redirected=redirected)
        if page.ok:
            self._basket.learn(page.lines)
        return page

    def _look_at_header(self) -> None:
        reader = personal.read_fragment(self._counts, self._owner)
        self._browser.fetch_fragment("fragment", "/fragment/header", reader)

    def _holds(self, units: Mapping[int, int]) -> bool:
        return self._basket.agrees(units, self._clock())

    def _counts(self, units: int) -> bool:
        return self._basket.agrees_with_count(units, self._clock())

    def _unless_gone(self, reader: Callable[[Answer], Read], gone: Read) -> Callable[[Answer], Read]:
        """The reader, but for a shop that finds nothing to buy when all that was kept may have gone back by now."""

        def read(answer: Answer) -> Read:
            if self._basket.may_be_empty(self._clock()) and replies.finds_nothing_to_buy(answer):
                self._basket.clear()
                return gone
            return reader(answer)

        return read

    def _conclude(self, made: Attempt, sent: replies.Sent | None) -> bool:
        """Enter into the ledger how a form ended; whether it was taken."""
        last = self._browser.last
        if sent is None:
            if overload := replies.overload_in(last.status, last.refusal):
                made.refused(overload)
            else:
                made.unclear(last.status)
        elif sent.outcome is not Outcome.OK:
            made.refused(sent.outcome.value)
        else:
            made.succeeded(sent.order_id)
        return made.outcome == "ok"

    def _not_taken(self, kind: str, sent: replies.Sent | None) -> Page:
        return self._judged(kind, Page(kind, sent.outcome) if sent is not None else None)

    def _judged(self, kind: str, page: Page | None, waited_s: float = 0.0) -> Page:
        """The page, or a failed one in its place; too slow if it took longer than the shopper waits."""
        last = self._browser.last
        judged = page if page is not None else Page(kind, Outcome.FAILED)
        if page is None and replies.overload_in(last.status, last.refusal):
            judged = Page(kind, Outcome.OVERLOADED, wait_s=last.wait_s)
        too_slow = waited_s + last.elapsed_s > self._patience_s
        return replace(judged, outcome=Outcome.TOO_SLOW, wait_s=None) if too_slow else judged

    def _reached(self, step: str, page: Page, there: bool) -> Page:
        if there:
            self._session.reached(step)
        return page
