"""The three journeys, browse, search and buy: what a shopper does in each state of a mix, and how it ended.

Between the mix's table (which step comes next) and the storefront (which requests a step makes). A step chooses from
what the shopper remembers: mostly among the links of the last pages, the upper ones more often (Zipf's law).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType

from scenarios.mix import Step
from scenarios.outcomes import Outcome
from scenarios.people import AccountBook, invent_account, invent_address, invent_card
from scenarios.queries import intended_query, typed_query
from scenarios.storefront import Account, Page, Product, ProductLink, Storefront
from scenarios.zipf import Zipf

_RETURNING_RATIO = 0.8  # share of sign-ins with an account made before, where there is one; ours
_REMEMBERED_NAMES = 50


@dataclass(slots=True)
class Memory:
    """What a shopper remembers of the visit so far."""

    links: tuple[ProductLink, ...] = ()
    categories: tuple[str, ...] = ()
    next_page: str | None = None
    names: tuple[str, ...] = ()
    opened: set[int] = field(default_factory=set)
    product: Product | None = None
    page_kind: str = ""
    intended: str = ""
    payment_form: Page | None = None
    account: Account | None = None


@dataclass(slots=True)
class Visit:
    """One shopper in one shop."""

    storefront: Storefront
    accounts: AccountBook
    rng: Random
    zipf_exponent: float
    memory: Memory = field(default_factory=Memory)

    def take(self, step: Step) -> Outcome:
        """Does what the step says."""
        return _STEPS[step](self)

    def leave(self) -> None:
        """The account, if the shopper has one, may be used by a later shopper."""
        if self.memory.account is not None:
            self.accounts.put_back(self.memory.account)

    def look_at(self, page: Page) -> Outcome:
        """Takes in a page, and says how it was."""
        memory = self.memory
        memory.page_kind = page.kind
        if page.products:
            memory.links = page.products
            memory.names = (tuple(link.name for link in page.products) + memory.names)[:_REMEMBERED_NAMES]
        if page.kind == "category":
            memory.next_page = page.next_page
        memory.categories = page.categories or memory.categories
        if page.product is not None:
            memory.opened.add(page.product.product_id)
            memory.product = page.product if page.product.stock > 0 else None
        return page.outcome

    def pick(self, count: int) -> int:
        """A position 0..count-1, the first ones more often."""
        return Zipf(count, self.zipf_exponent).draw(self.rng) - 1


# browse


def _home(visit: Visit) -> Outcome:
    return visit.look_at(visit.storefront.home())


def _category(visit: Visit, sort: str | None = None) -> Outcome:
    if not visit.memory.categories and (outcome := _home(visit)) is not Outcome.OK:
        return outcome
    categories = visit.memory.categories
    if not categories:
        return Outcome.FAILED
    return visit.look_at(visit.storefront.category(categories[visit.pick(len(categories))], sort=sort))


def _next_page(visit: Visit) -> Outcome:
    following = visit.memory.next_page
    return _category(visit) if following is None else visit.look_at(visit.storefront.category(following))


def _product(visit: Visit) -> Outcome:
    fresh = [link for link in visit.memory.links if link.product_id not in visit.memory.opened]
    if not fresh:
        return _landing(visit)
    return visit.look_at(visit.storefront.product(fresh[visit.pick(len(fresh))].product_id))


def _landing(visit: Visit) -> Outcome:
    """Comes to a product from outside, the most wanted ones more often; by the front page while its size is unknown."""
    if visit.storefront.product_count is None and (outcome := _home(visit)) is not Outcome.OK:
        return outcome
    count = visit.storefront.product_count
    if count is None:
        links = visit.memory.links
        return visit.look_at(visit.storefront.product(links[visit.pick(len(links))].product_id))
    return visit.look_at(visit.storefront.product(visit.pick(count) + 1))


def _sign_in(visit: Visit) -> Outcome:
    if visit.memory.account is not None:
        return visit.look_at(visit.storefront.account())
    known = visit.accounts.take() if visit.rng.random() < _RETURNING_RATIO else None
    account = known or invent_account()
    page = visit.storefront.log_in(account) if known else visit.storefront.register(account)
    if page.ok:
        visit.memory.account = account
    return visit.look_at(page)


def _account(visit: Visit) -> Outcome:
    return _sign_in(visit) if visit.memory.account is None else visit.look_at(visit.storefront.account())


def _orders(visit: Visit) -> Outcome:
    if visit.memory.account is None and (outcome := _sign_in(visit)) is not Outcome.OK:
        return outcome
    return visit.look_at(visit.storefront.orders())


# search


def _search_form(visit: Visit) -> Outcome:
    return visit.look_at(visit.storefront.search_form())


def _search(visit: Visit) -> Outcome:
    visit.memory.intended = intended_query(visit.memory.names, visit.rng, visit.zipf_exponent)
    return _reformulate(visit)


def _reformulate(visit: Visit) -> Outcome:
    """Types the same intention again: a word less, and with a new chance of being spelt well."""
    query = typed_query(visit.memory.intended, visit.rng)
    visit.memory.intended = visit.memory.intended.rpartition(" ")[0] or visit.memory.intended
    return visit.look_at(visit.storefront.search(query))


# buy


def _add_to_cart(visit: Visit) -> Outcome:
    wanted = visit.memory.product
    if visit.storefront.basket_count and (wanted is None or visit.memory.page_kind != "product"):
        return _show_cart(visit)
    if wanted is None:
        outcome = _product(visit)
        wanted = visit.memory.product
        if wanted is None:
            return outcome
    quantity = min(visit.rng.choice((1, 1, 1, 1, 1, 1, 1, 1, 2, 3)), wanted.stock)
    visit.memory.payment_form = None
    return visit.look_at(visit.storefront.add_to_cart(wanted, quantity))


def _show_cart(visit: Visit) -> Outcome:
    return visit.look_at(visit.storefront.cart())


def _checkout(visit: Visit) -> Outcome:
    if not visit.storefront.basket_count:
        return _show_cart(visit)
    return visit.look_at(visit.storefront.checkout())


def _address(visit: Visit) -> Outcome:
    if not visit.storefront.basket_count:
        return _show_cart(visit)
    if visit.memory.page_kind != "checkout" and (outcome := _checkout(visit)) is not Outcome.OK:
        return outcome
    page = visit.storefront.send_address(invent_address(visit.rng))
    visit.memory.payment_form = page if page.ok else None
    return visit.look_at(page)


def _pay(visit: Visit) -> Outcome:
    if not visit.storefront.basket_count:
        return _show_cart(visit)
    form = visit.memory.payment_form or visit.storefront.payment_form()
    if not form.ok:
        return visit.look_at(form)
    visit.memory.payment_form = None  # its key has been used: the next attempt asks for a new form
    return visit.look_at(visit.storefront.pay(form, card=invent_card(visit.rng)))


_STEPS: Mapping[Step, Callable[[Visit], Outcome]] = MappingProxyType(
    {
        Step.HOME: _home,
        Step.CATEGORY: _category,
        Step.POPULAR: lambda visit: _category(visit, "popular"),
        Step.NEWEST: lambda visit: _category(visit, "newest"),
        Step.NEXT_PAGE: _next_page,
        Step.PRODUCT: _product,
        Step.LANDING: _landing,
        Step.SIGN_IN: _sign_in,
        Step.ACCOUNT: _account,
        Step.ORDERS: _orders,
        Step.SEARCH_FORM: _search_form,
        Step.SEARCH: _search,
        Step.REFORMULATE: _reformulate,
        Step.ADD_TO_CART: _add_to_cart,
        Step.SHOW_CART: _show_cart,
        Step.CHECKOUT: _checkout,
        Step.ADDRESS: _address,
        Step.PAY: _pay,
        Step.PASS: lambda _visit: Outcome.OK,
    }
)
