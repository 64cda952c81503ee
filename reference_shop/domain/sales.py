"""Flash sales: one product, from a start instant on, a limited stock, so many for each customer.

Putting the product into the cart reserves its units; a reservation that is not paid in time goes back to the shelf.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SaleState(StrEnum):
    """What a product's page says of its sale."""

    UPCOMING = "upcoming"
    OPEN = "open"
    SOLD_OUT = "sold_out"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class FlashSale:
    """A sale; its product is an ordinary one again after `ends_at`."""

    sale_id: int
    product_id: int
    units: int
    limit_per_customer: int
    starts_at: datetime
    ends_at: datetime
    reservation_s: float

    def state(self, now: datetime, on_hand: int) -> SaleState:
        """Return what shoppers are to be told at this instant."""
        if now < self.starts_at:
            return SaleState.UPCOMING
        if now >= self.ends_at:
            return SaleState.OVER
        return SaleState.OPEN if on_hand > 0 else SaleState.SOLD_OUT


@dataclass(frozen=True, slots=True)
class Reservation:
    """Units that are kept for a cart."""

    reservation_id: int
    product_id: int
    cart_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Taken:
    """Units of a sale that are held, ordered or bought: by one customer, and by all."""

    by_customer: int
    by_all: int
