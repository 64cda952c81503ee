"""How one step of a shopper ended: what the storefront reports and the mix's table is steered by."""

from __future__ import annotations

from enum import Enum


class Outcome(Enum):
    """What a shopper notices; never a status code."""

    OK = "ok"
    OUT_OF_STOCK = "out_of_stock"
    ZERO_RESULTS = "zero_results"
    PAYMENT_DECLINED = "payment_declined"
    PRICE_CHANGED = "price_changed"
    VOUCHER_REFUSED = "voucher_refused"
    NOT_RETURNABLE = "not_returnable"
    SALE_OPEN = "sale_open"
    SALE_NOT_OPEN = "sale_not_open"
    SALE_LIMIT = "sale_limit"
    SALE_OVER = "sale_over"
    HELD_BACK = "held_back"
    RESERVATION_EXPIRED = "reservation_expired"
    OVERLOADED = "overloaded"
    TOO_SLOW = "too_slow"
    FAILED = "failed"
