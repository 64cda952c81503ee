"""Readers of the bundled shop's answers to forms: a redirect takes the form, some refusals steer the shopper. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from scenarios.answers import Answer, ContentMismatch, require
from scenarios.outcomes import Outcome

_CONFIRMATION = re.compile(r"/orders/([1-9]\d*)/confirmation")
_ERROR = re.compile(r'<body\b[^>]*\bdata-error="([a-z_]+)"')
_REFUSALS = {
    (402, "payment_declined"): Outcome.PAYMENT_DECLINED,
    (409, "out_of_stock"): Outcome.OUT_OF_STOCK,
}


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


def read_payment(answer: Answer) -> Sent:
    """The answer to a payment: a redirect to the confirmation is the acknowledgement, and names the order."""
    if answer.status == 303:
        confirmation = _CONFIRMATION.fullmatch(answer.location)
        if confirmation is None:
            raise ContentMismatch("the payment led elsewhere than to a confirmation")
        return Sent(Outcome.OK, int(confirmation[1]))
    return _refused(answer)


def _refused(answer: Answer) -> Sent:
    error = _ERROR.search(answer.html)
    outcome = _REFUSALS.get((answer.status, error[1] if error else ""))
    if outcome is None:
        raise ContentMismatch(f"the form was not taken: status {answer.status}")
    return Sent(outcome)
