"""The [shoppers] table of a scenario: who they are, and how many of them take up what is on offer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from loadgen.fields import Fields
from loadgen.offers import FlashSale, Offers

SEGMENTS = ("web", "phone", "app", "bot")
_RATIOS = ("deal_ratio", "coupon_ratio", "gift_card_ratio", "return_ratio")


@dataclass(frozen=True, slots=True)
class Shoppers:
    """Who they are. `shoppers_per_address` is the mean number of shoppers behind one source address (NAT).

    Of those who land on a product, `deal_ratio` come for the flash sale's; of those who pay, `coupon_ratio` and
    `gift_card_ratio` try one; of paid orders, `return_ratio` are sent back in the same visit.
    """

    mix: str = "marketplace"
    zipf_exponent: float = 1.0
    think_time_scale: float = 1.0
    patience_s: float = 10.0
    shoppers_per_address: float = 1.3
    segments: Mapping[str, float] = field(default_factory=lambda: {"web": 0.4, "phone": 0.6})
    deal_ratio: float = 0.0
    coupon_ratio: float = 0.0
    gift_card_ratio: float = 0.0
    return_ratio: float = 0.0


def read_shoppers(given: Fields, flash_sale: FlashSale | None, offers: Offers) -> Shoppers:
    """The table; a share of shoppers who want what is not on offer is refused."""
    default = Shoppers()
    ratios = {name: given.number(name, 0.0, low=0.0, high=1.0) for name in _RATIOS}
    for name, there, where in (
        ("deal_ratio", flash_sale, "[flash_sale]"),
        ("coupon_ratio", offers.coupons, "coupons in [offers]"),
        ("gift_card_ratio", offers.gift_cards, "gift_cards in [offers]"),
    ):
        if ratios[name] and not there:
            given.problem(f"{name} is {ratios[name]:g}, but the scenario has no {where}: add them, or leave it out")
    return Shoppers(
        mix=given.text("mix", default.mix),
        zipf_exponent=given.number("zipf_exponent", default.zipf_exponent, low=0.0, high=3.0),
        think_time_scale=given.number("think_time_scale", default.think_time_scale, low=0.0, high=100.0),
        patience_s=given.number("patience_s", default.patience_s, low=0.1, high=600.0),
        shoppers_per_address=given.number("shoppers_per_address", default.shoppers_per_address, low=1.0, high=1000.0),
        segments=given.shares("segments", default.segments, SEGMENTS),
        **ratios,
    )


def shopper_lines(shoppers: Shoppers) -> list[str]:
    """The table's lines, which `read_shoppers` reads back to equal ones; `mix` is somebody else's to quote."""
    numbers = ("zipf_exponent", "think_time_scale", "patience_s", "shoppers_per_address", *_RATIOS)
    return [
        *(f"{name} = {getattr(shoppers, name)!r}" for name in numbers),
        f"segments = {{ {', '.join(f'{name} = {share!r}' for name, share in shoppers.segments.items())} }}",
    ]
