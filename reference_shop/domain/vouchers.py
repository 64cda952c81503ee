"""Coupons, which take something off the price, and gift cards, which pay for some of it."""

from dataclasses import dataclass

MAX_CODE_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class Coupon:
    """A code that takes `amount_idr` off an order, for the first `allowed_count` orders that use it."""

    coupon_id: int
    code: str
    amount_idr: int
    allowed_count: int
    used_count: int

    @property
    def is_used_up(self) -> bool:
        """Whether no order may use it any more."""
        return self.used_count >= self.allowed_count


@dataclass(frozen=True, slots=True)
class GiftCard:
    """Money that was paid beforehand; `balance_idr` of it is left."""

    gift_card_id: int
    balance_idr: int


@dataclass(frozen=True, slots=True)
class Bill:
    """What an order costs: its lines, less the discount, of which a gift card pays a part."""

    lines_idr: int
    discount_idr: int
    gift_idr: int

    @property
    def total_idr(self) -> int:
        """What the shopper pays in all; at least half of what the lines cost."""
        return self.lines_idr - self.discount_idr

    @property
    def charge_idr(self) -> int:
        """What is left for the card."""
        return self.total_idr - self.gift_idr


def bill(lines_idr: int, coupon: Coupon | None, gift_card: GiftCard | None) -> Bill:
    """Reckon an order up: a coupon takes off half of the price at most, a gift card pays as far as it reaches."""
    discount_idr = min(coupon.amount_idr, lines_idr // 2) if coupon else 0
    return Bill(lines_idr, discount_idr, min(gift_card.balance_idr, lines_idr - discount_idr) if gift_card else 0)
