"""What operators can put on offer: a flash sale, coupons, gift cards."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SaleOffer:
    """A flash sale to come; `price_idr` None keeps the product's price."""

    product_id: int
    units: int
    limit_per_customer: int
    starts_at: datetime
    ends_at: datetime
    reservation_s: float
    price_idr: int | None = None


@dataclass(frozen=True, slots=True)
class CouponOffer:
    """A code for so many orders."""

    code: str
    amount_idr: int
    uses: int


@dataclass(frozen=True, slots=True)
class GiftCardOffer:
    """A code with money on it."""

    code: str
    balance_idr: int


@dataclass(frozen=True, slots=True)
class Offers:
    """All that is put on offer at once."""

    flash_sale: SaleOffer | None = None
    coupons: tuple[CouponOffer, ...] = ()
    gift_cards: tuple[GiftCardOffer, ...] = ()
