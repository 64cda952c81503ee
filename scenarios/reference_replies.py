"""Readers of the bundled shop's answers to forms: a redirect takes the form, some refusals steer the shopper. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from scenarios.answers import Answer, ContentMismatch, require
from scenarios.outcomes import Outcome
from scenarios.reference_facts import error_in

_CONFIRMATION = re.compile(r"/orders/([1-9]\d*)/confirmation")
_REFUSALS = {
    (402, "payment_declined"): Outcome.PAYMENT_DECLINED,
    (409, "out_of_stock"): Outcome.OUT_OF_STOCK,
    (409, "price_changed"): Outcome.PRICE_CHANGED,
    (400, "voucher_refused"): Outcome.VOUCHER_REFUSED,
    (409, "voucher_refused"): Outcome.VOUCHER_REFUSED,
    (409, "sale_not_open"): Outcome.SALE_NOT_OPEN,
    (409, "sale_limit"): Outcome.SALE_LIMIT,
    (409, "reservation_expired"): Outcome.RESERVATION_EXPIRED,
    (409, "not_returnable"): Outcome.NOT_RETURNABLE,
}
_OVERLOADS = frozenset({"overloaded", "payments_unavailable"})


@dataclass(frozen=True, slots=True)
class Sent:
    """How a form that was sent ended: taken (OK), or refused for a reason that steers the shopper."""

    outcome: Outcome
    order_id: int | None = None


def read_sent(goal: str) -> Callable[[Answer], Sent]:
    """A reader for a form that leads to `goal` when it is taken."""

    def read(answer: Answer) -> Sent:
        if answer.status == 303:
            require(answer.location == goal, f"the form led elsewhere than to {goal}")
            return Sent(Outcome.OK)
        return _refused(answer)

    return read


def read_put(product_id: int) -> Callable[[Answer], Sent]:
    """A reader for a product that is put into the cart; HELD_BACK leads to the waiting room of its sale."""

    def read(answer: Answer) -> Sent:
        if answer.status == 303 and answer.location == waiting_room(product_id):
            return Sent(Outcome.HELD_BACK)
        return read_sent("/cart")(answer)

    return read


def read_payment(answer: Answer) -> Sent:
    """The answer to a payment: a redirect to the confirmation is the acknowledgement, and names the order."""
    if answer.status == 303:
        confirmation = _CONFIRMATION.fullmatch(answer.location)
        if confirmation is None:
            raise ContentMismatch("the payment led elsewhere than to a confirmation")
        return Sent(Outcome.OK, int(confirmation[1]))
    return _refused(answer)


def waiting_room(product_id: int) -> str:
    """The address at which a product's sale holds shoppers back."""
    return f"/waiting-room?product_id={product_id}"


def overload_in(status: int, html: str) -> str:
    """By which name the shop says that it is too busy and has done nothing; empty when it does not say so."""
    error = error_in(html) if status == 503 else ""
    return error if error in _OVERLOADS else ""


def finds_nothing_to_buy(answer: Answer) -> bool:
    """Whether the checkout says that the cart is empty."""
    if answer.status == 303:
        return answer.location in {"/cart", "/checkout"}
    return answer.status == 400 and error_in(answer.html) == "checkout_expired"


def _refused(answer: Answer) -> Sent:
    outcome = _REFUSALS.get((answer.status, error_in(answer.html)))
    if outcome is None:
        raise ContentMismatch(f"the form was not taken: status {answer.status}")
    return Sent(outcome)
