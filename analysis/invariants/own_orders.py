"""Shoppers got what they had in the cart, under a number of their own."""

from collections import Counter
from collections.abc import Iterator

from analysis.facts import TruthOrder
from analysis.invariants.attempts import Attempt, units
from analysis.invariants.evidence import Evidence
from analysis.invariants.finding import Finding, Notebook


def check(evidence: Evidence) -> Finding:
    """An acknowledged order holds the units that its shopper put in, under the number that the shopper was given.

    No number was given to two shoppers, and no attempt became two orders: Jepsen's unique-ids checker with order
    numbers for identifiers. Lines that change while they are paid for are ACIDRain's cart attack (Warszawski and
    Bailis, SIGMOD 2017).

    What went into the cart without an answer may be in the order; what an earlier order without an answer held, and
    what a flash sale reserved for a while, may be missing. It cannot see a swap of carts with the same content, nor
    orders of locustfiles whose ledger names no items.
    """
    notes = Notebook("own_orders", "order")
    told = [attempt for attempt in evidence.attempts if attempt.outcome == "ok"]
    matched = [(attempt, order) for attempt in told if (order := evidence.order_for(attempt)) is not None]
    passing = frozenset(sale.product_id for sale in evidence.truth.sales)
    compared = 0
    for attempt, order in matched:
        if attempt.order_id not in (None, order.order_id):
            notes.violated(attempt.name, "booked under another number than the shopper was given")
        if order.lines is not None and attempt.items:
            compared += 1
            if not _holds(order, attempt, passing):
                notes.violated(order.name, "with other goods than its shopper had in the cart")
    for name in _shared(told):
        notes.violated(name, "given as their own to more than one shopper")
    for name in _doubled(evidence):
        notes.violated(name, "booked more than once for one attempt")
    return notes.finding(len(matched), "" if compared else "goods not told: numbers only")


def _holds(order: TruthOrder, attempt: Attempt, passing: frozenset[int]) -> bool:
    """Whether an order holds what was in the cart, as far as the shopper could know."""
    ordered = units((line.product_id, line.quantity) for line in order.lines or ())
    if ordered == attempt.items:
        return True
    for product_id in {*ordered, *attempt.items}:
        put_in = attempt.items.get(product_id, 0)
        least = 0 if product_id in passing else max(0, put_in - attempt.maybe_fewer.get(product_id, 0))
        if not least <= ordered.get(product_id, 0) <= put_in + attempt.maybe_more.get(product_id, 0):
            return False
    return True


def _shared(told: list[Attempt]) -> Iterator[str]:
    """Numbers given to attempts under different keys, or, without keys, in different sessions."""
    owners: dict[int, set[str | int]] = {}
    for attempt in told:
        if attempt.order_id is not None:
            owners.setdefault(attempt.order_id, set()).add(attempt.session if attempt.key is None else attempt.key)
    return (f"order {order_id}" for order_id, keys in owners.items() if len(keys) > 1)


def _doubled(evidence: Evidence) -> list[str]:
    """Keys of shoppers under which the books hold several orders that stand."""
    standing = Counter(
        order.idempotency_key
        for order in evidence.truth.orders
        if order.state != "cancelled" and order.idempotency_key in evidence.known_keys
    )
    return [f"key {key}" for key, count in standing.items() if count > 1]
