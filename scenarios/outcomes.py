"""How one step of a shopper ended: what the storefront reports and the mix's table is steered by."""

from __future__ import annotations

from enum import Enum


class Outcome(Enum):
    """What a shopper notices; never a status code."""

    OK = "ok"
    OUT_OF_STOCK = "out_of_stock"
    ZERO_RESULTS = "zero_results"
    PAYMENT_DECLINED = "payment_declined"
    TOO_SLOW = "too_slow"
    FAILED = "failed"
