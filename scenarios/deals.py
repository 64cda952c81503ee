"""What a scenario has on offer, as a shopper knows it, and how many take it up; nothing by default."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Self

from loadgen.config import Scenario
from loadgen.offers import gift_card_codes


@dataclass(frozen=True, slots=True)
class Deals:
    """`product_id` is the flash sale's; a ratio is the share (0..1) of those who could."""

    product_id: int | None = None
    coupons: tuple[str, ...] = ()
    gift_cards: tuple[str, ...] = ()
    deal_ratio: float = 0.0
    coupon_ratio: float = 0.0
    gift_card_ratio: float = 0.0
    return_ratio: float = 0.0

    @classmethod
    def of(cls, scenario: Scenario) -> Self:
        """A scenario's."""
        shoppers, sale = scenario.shoppers, scenario.flash_sale
        return cls(
            product_id=sale.product_id if sale else None,
            coupons=tuple(coupon.code for coupon in scenario.offers.coupons),
            gift_cards=gift_card_codes(scenario.offers, scenario.load.seed),
            deal_ratio=shoppers.deal_ratio,
            coupon_ratio=shoppers.coupon_ratio,
            gift_card_ratio=shoppers.gift_card_ratio,
            return_ratio=shoppers.return_ratio,
        )


def happens(ratio: float, rng: Random) -> bool:
    """Whether this shopper is one of them; draws nothing for a ratio of 0, so that offers change nobody else's walk."""
    return ratio > 0 and rng.random() < ratio


def picked(ratio: float, codes: tuple[str, ...], rng: Random) -> str:
    """The code that this shopper tries, "" for none."""
    return rng.choice(codes) if codes and happens(ratio, rng) else ""
