"""The journey of a flash sale: gather at its product, rush it into the cart, wait where the shop holds one back.

Between the mix's table and the storefront, as `journeys`, whose steps lead on from the cart.
"""

from __future__ import annotations

from scenarios.chase import Chase
from scenarios.outcomes import Outcome
from scenarios.storefront import Product
from scenarios.visit import Visit

_GREEDY_RATIO = 0.05  # of shoppers, who want more than the sale allows until they are told; ours


def look_at_deal(visit: Visit) -> Outcome:
    """Opens the sale's product: the one that the shopper was at, else the scenario's, else the most wanted one."""
    product_id = _deal_id(visit)
    if visit.chase is None:
        visit.chase = Chase(product_id)
    return visit.told(visit.look_at(visit.storefront.product(product_id)), product_id)


def rush(visit: Visit) -> Outcome:
    """Puts the sale's product into the cart without looking again; who has not seen it yet looks first.

    Whoever has it in the cart already, or is told so, looks there: the page after the form may not have come.
    """
    deal = visit.memory.deal
    if deal is None:
        return look_at_deal(visit)
    if visit.storefront.units_of(deal.product_id) or visit.memory.was_refused_one:
        return _look_into_cart(visit, deal.product_id)
    return put_in_cart(visit, deal, sale_quantity(visit, deal))


def _look_into_cart(visit: Visit, product_id: int) -> Outcome:
    outcome = visit.look_at(visit.storefront.cart())
    if outcome is Outcome.OK and not visit.storefront.units_of(product_id):
        outcome = Outcome.SALE_LIMIT  # bought before, or by another cart of the same account
    return visit.told(outcome, product_id)


def wait(visit: Visit) -> Outcome:
    """Looks how the queue before the sale's product stands; who is let in sees the product."""
    if visit.memory.deal is None:
        return look_at_deal(visit)
    product_id = _deal_id(visit)
    return visit.told(visit.look_at(visit.storefront.wait(product_id)), product_id)


def put_in_cart(visit: Visit, product: Product, quantity: int) -> Outcome:
    """Puts units into the cart; whoever does so with a sale's product is after it."""
    if visit.chase is None and (product.sale is not None or product.product_id == visit.deals.product_id):
        visit.chase = Chase(product.product_id)
    visit.memory.payment_form = None
    outcome = visit.look_at(visit.storefront.add_to_cart(product, quantity))
    if outcome is Outcome.SALE_LIMIT:
        visit.memory.was_refused_more = True
        visit.memory.was_refused_one = quantity == 1
    return visit.told(outcome, product.product_id)


def sale_quantity(visit: Visit, product: Product) -> int:
    """How many units of a sale's product a shopper asks for."""
    limit = product.sale.limit if product.sale else 1
    if visit.memory.was_refused_more:
        return 1
    if visit.rng.random() < _GREEDY_RATIO:
        return limit + 1
    return visit.rng.randint(1, limit)


def _deal_id(visit: Visit) -> int:
    if visit.memory.deal is not None:
        return visit.memory.deal.product_id
    return visit.deals.product_id or 1
