"""What merchants decide: pure functions from a random generator to changes, so that the same seed decides the same."""

import math
import random
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is changed: the price for good, the price for a while, or how many units there are."""

    PRICE = "price"
    PROMOTION = "promotion"
    STOCK = "stock"


@dataclass(frozen=True, slots=True)
class Change:
    """One decision: `factor` is applied to the list price, `units` are delivered (or, below 0, withdrawn)."""

    kind: Kind
    product_id: int
    factor: float = 1.0
    units: int = 0


# Assumptions, not measured: half of the changes are prices, a third deliveries, the rest promotions.
_SHARES = {Kind.PRICE: 0.5, Kind.STOCK: 0.35, Kind.PROMOTION: 0.15}


def draw_change(rng: random.Random, product_count: int) -> Change:
    """Decide something about a product; wanted ones more often (log-uniform ranks, that is Zipf's law)."""
    product_id = min(product_count, int(math.exp(rng.uniform(0.0, math.log(product_count + 1)))))
    kind = rng.choices(list(_SHARES), list(_SHARES.values()))[0]
    if kind is Kind.STOCK:
        return Change(kind, product_id, units=rng.randint(1, 20) if rng.random() < 0.8 else -rng.randint(1, 5))
    if kind is Kind.PROMOTION:
        return Change(kind, product_id, factor=rng.choice((0.7, 0.8, 0.9, 1.0)))
    return Change(kind, product_id, factor=rng.uniform(0.92, 1.08))


def rounded_price(amount_idr: float) -> int:
    """Return a price as shops write it: whole hundreds, at least Rp1.000."""
    return max(1_000, round(amount_idr / 100) * 100)
