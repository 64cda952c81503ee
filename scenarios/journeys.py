"""The three journeys, browse, search and buy: what a shopper does in each state of a mix, and how it ended.

Between the mix's table (which step comes next) and the storefront (which requests a step makes). A step chooses from
what the shopper remembers: mostly among the links of the last pages, the upper ones more often (Zipf's law).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from scenarios.deals import happens, picked
from scenarios.mix import Step
from scenarios.outcomes import Outcome
from scenarios.people import invent_account, invent_address, invent_card
from scenarios.queries import intended_query, typed_query
from scenarios.sale_journey import look_at_deal, put_in_cart, rush, sale_quantity, wait
from scenarios.search_terms import popular_query
from scenarios.storefront import Page
from scenarios.visit import Visit

_RETURNING_RATIO = 0.8  # share of sign-ins with an account made before, where there is one; ours
_UNANSWERED = frozenset({Outcome.FAILED, Outcome.TOO_SLOW})


def take(visit: Visit, step: Step) -> Outcome:
    """Does what the step says."""
    return _STEPS[step](visit)


def send_back(visit: Visit) -> Outcome:
    """Returns an order that the shopper regrets, the latest first."""
    return visit.look_at(visit.storefront.send_back(visit.memory.regretted.pop()))


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


def _arrive(visit: Visit) -> Outcome:
    """Comes to a product from outside: for some, the flash sale's."""
    return look_at_deal(visit) if happens(visit.deals.deal_ratio, visit.rng) else _landing(visit)


def _landing(visit: Visit) -> Outcome:
    """Opens a product, the most wanted ones more often; by the front page while the catalogue's size is unknown."""
    if visit.storefront.product_count is None and (outcome := _home(visit)) is not Outcome.OK:
        return outcome
    count = visit.storefront.product_count
    if count is None:
        links = visit.memory.links
        return visit.look_at(visit.storefront.product(links[visit.pick(len(links))].product_id))
    return visit.look_at(visit.storefront.product(visit.pick(count) + 1))


def _most_wanted(visit: Visit) -> Outcome:
    """Opens the product that is wanted most."""
    return visit.look_at(visit.storefront.product(1))


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


def _popular_search(visit: Visit) -> Outcome:
    """Types what everybody searches for, whatever the pages before showed."""
    return visit.look_at(visit.storefront.search(popular_query(visit.rng, visit.zipf_exponent)))


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
    if wanted.sale is not None:
        return put_in_cart(visit, wanted, sale_quantity(visit, wanted))
    return put_in_cart(visit, wanted, min(visit.rng.choice((1, 1, 1, 1, 1, 1, 1, 1, 2, 3)), wanted.stock))


def _show_cart(visit: Visit) -> Outcome:
    return visit.look_at(visit.storefront.cart())


def _checkout(visit: Visit) -> Outcome:
    if not visit.storefront.basket_count:
        return _show_cart(visit)
    return _told(visit, visit.look_at(visit.storefront.checkout()))


def _address(visit: Visit) -> Outcome:
    if not visit.storefront.basket_count:
        return _show_cart(visit)
    if visit.memory.page_kind != "checkout" and (outcome := _checkout(visit)) is not Outcome.OK:
        return outcome
    page = visit.storefront.send_address(invent_address(visit.rng))
    if page.ok:
        page = _with_vouchers(visit, page)
    visit.memory.payment_form = page if page.ok else None
    return _told(visit, visit.look_at(page))


def _with_vouchers(visit: Visit, form: Page) -> Page:
    """The payment form with a coupon or a gift card, for who tries one."""
    deals, rng = visit.deals, visit.rng
    coupon = picked(deals.coupon_ratio, deals.coupons, rng)
    gift_card = picked(deals.gift_card_ratio, deals.gift_cards, rng)
    return visit.storefront.use_vouchers(coupon, gift_card) if coupon or gift_card else form


def _pay(visit: Visit) -> Outcome:
    if not visit.storefront.basket_count:
        return _show_cart(visit)
    form = visit.memory.payment_form or visit.storefront.payment_form()
    if not form.ok:
        return _told(visit, visit.look_at(form))
    visit.memory.payment_form = None  # its key has been used: the next attempt asks for a new form
    return _pay_with(visit, form)


def _pay_with(visit: Visit, form: Page) -> Outcome:
    chase = visit.chase
    units = visit.storefront.units_of(chase.product_id) if chase else 0
    if chase and units:
        chase.paying = True
    page = visit.storefront.pay(form, card=invent_card(visit.rng))
    if page.order_id is not None and happens(visit.deals.return_ratio, visit.rng):
        visit.memory.regretted.append(page.order_id)
    if chase and units:
        chase.paying = page.order_id is None and page.outcome in _UNANSWERED
        if page.order_id is not None:
            chase.win(page.order_id, units)
        chase.told(page.outcome)
    return visit.look_at(page)


def _told(visit: Visit, outcome: Outcome) -> Outcome:
    """Notes how a step of the checkout went for who is after the flash sale and has it in the cart, or had it."""
    chase = visit.chase
    if chase and (outcome is Outcome.RESERVATION_EXPIRED or visit.storefront.units_of(chase.product_id)):
        chase.told(outcome)
    return outcome


_STEPS: Mapping[Step, Callable[[Visit], Outcome]] = MappingProxyType(
    {
        Step.HOME: _home,
        Step.CATEGORY: _category,
        Step.POPULAR: lambda visit: _category(visit, "popular"),
        Step.NEWEST: lambda visit: _category(visit, "newest"),
        Step.NEXT_PAGE: _next_page,
        Step.PRODUCT: _product,
        Step.LANDING: _arrive,
        Step.MOST_WANTED: _most_wanted,
        Step.DEAL: look_at_deal,
        Step.RUSH: rush,
        Step.WAIT: wait,
        Step.SIGN_IN: _sign_in,
        Step.ACCOUNT: _account,
        Step.ORDERS: _orders,
        Step.SEARCH_FORM: _search_form,
        Step.SEARCH: _search,
        Step.REFORMULATE: _reformulate,
        Step.POPULAR_SEARCH: _popular_search,
        Step.ADD_TO_CART: _add_to_cart,
        Step.SHOW_CART: _show_cart,
        Step.CHECKOUT: _checkout,
        Step.ADDRESS: _address,
        Step.PAY: _pay,
        Step.PASS: lambda _visit: Outcome.OK,
    }
)
