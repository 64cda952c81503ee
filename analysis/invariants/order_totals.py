"""Every order costs what its lines, its discount and its gift card say, and what its shopper agreed to."""

from analysis.facts import TruthOrder
from analysis.invariants.attempts import Attempt
from analysis.invariants.evidence import Evidence
from analysis.invariants.finding import Finding, Notebook

_OTHERWISE = "with an amount that differs between shopper, shop and payment provider"


def check(evidence: Evidence) -> Finding:
    """Total = lines - discount; charge = total - gift; neither part is negative or more than what it is taken from.

    And the total is the one that the shopper agreed to (the amount of the acknowledged attempt). In the manner of
    Jepsen's bank checker: money may move between the parts of an order, and none may appear or vanish. ACIDRain
    (Warszawski and Bailis, SIGMOD 2017) broke it by changing a cart while it was being paid for.

    It cannot see a wrong price that shopper and shop agree on, nor what a shop that names no discount adds to a total.
    Without the provider's books, the shop's own payments must be of the order's amount.
    """
    notes = Notebook("order_totals", "order")
    summed = [order for order in evidence.truth.orders if order.discount_idr is not None]
    for order in summed:
        for what in _wrong_sums(order):
            notes.violated(order.name, what)
    told = [order for attempt, order in evidence.found if order is not None and _names_amount(attempt)]
    otherwise = amounts_that_differ(evidence)
    for name in otherwise:
        notes.violated(name, _OTHERWISE)
    if not evidence.truth.charges_known:
        for name in payments_that_differ(evidence):
            if name not in otherwise:
                notes.violated(name, _OTHERWISE)
    checked = {order.order_id for order in (*summed, *told)}
    return notes.finding(len(checked), "" if summed or not checked else "lines and discounts not told: amounts only")


def amounts_that_differ(evidence: Evidence) -> dict[str, None]:
    """Orders by name, in order, whose acknowledged amount is not the total in the books."""
    return {
        attempt.name: None
        for attempt, order in evidence.found
        if order is not None and _names_amount(attempt) and attempt.amount_idr != order.total_idr
    }


def payments_that_differ(evidence: Evidence) -> list[str]:
    """Paid orders whose captured payment, in the shop's own books, is of another amount."""
    captured = [payment for payment in evidence.truth.payments if payment.state == "captured"]
    amounts: dict[str | int | None, int] = {
        payment.order_id if payment.idempotency_key is None else payment.idempotency_key: payment.amount_idr
        for payment in captured
    }
    return [
        order.name
        for order in evidence.paid
        if amounts.get(order.idempotency_key or order.order_id, order.due_idr) != order.due_idr
    ]


def _wrong_sums(order: TruthOrder) -> list[str]:
    lines_idr = sum(line.quantity * line.price_idr for line in order.lines or ())
    discount_idr, gift_idr = order.discount_idr or 0, order.gift_idr or 0
    wrong = []
    if order.total_idr != lines_idr - discount_idr:
        wrong.append("whose total is not that of the lines less the discount")
    if order.due_idr != order.total_idr - gift_idr:
        wrong.append("whose charge is not the total less what a gift card pays")
    if not 0 <= discount_idr <= lines_idr or not 0 <= gift_idr <= order.total_idr:
        wrong.append("with a discount or a gift card's part that is negative or too large")
    return wrong


def _names_amount(attempt: Attempt) -> bool:
    return attempt.outcome == "ok" and attempt.amount_idr is not None
