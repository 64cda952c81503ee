"""The [flash_sale] and [offers] tables of a scenario: what the shop is told to put on offer when a run begins."""

import hashlib
import re
from dataclasses import dataclass

from loadgen.fields import Fields

_CODE = re.compile(r"[A-Za-z0-9-]{1,40}")
_MOST_IDR = 10**9
_MOST_UNITS = 10**6
_MOST_CARDS = 200
_LAST_PRODUCT = 2**31 - 1
_LONGEST_S = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class FlashSale:
    """A limited stock of one product, sold from an instant of the run on; seconds count from the run's start.

    `ends_at_s` None is the end of the run, `price_idr` None the product's own price.
    """

    product_id: int
    units: int
    limit_per_customer: int
    starts_at_s: float
    reservation_s: float
    ends_at_s: float | None = None
    price_idr: int | None = None


@dataclass(frozen=True, slots=True)
class Coupon:
    """A public word that takes something off so many orders."""

    code: str
    amount_idr: int
    uses: int


@dataclass(frozen=True, slots=True)
class GiftCards:
    """`count` cards with so much money on each; their codes stand nowhere, see `gift_card_codes`."""

    balance_idr: int
    count: int


@dataclass(frozen=True, slots=True)
class Offers:
    """What there is besides a flash sale."""

    coupons: tuple[Coupon, ...] = ()
    gift_cards: tuple[GiftCards, ...] = ()

    @property
    def balances_idr(self) -> tuple[int, ...]:
        """What is on each gift card, in the order of `gift_card_codes`."""
        return tuple(cards.balance_idr for cards in self.gift_cards for _ in range(cards.count))


NO_OFFERS = Offers()


def gift_card_codes(offers: Offers, seed: int) -> tuple[str, ...]:
    """The code of each gift card: every process derives the same ones from the run's seed, and none writes one down."""
    return tuple(
        "KADO-" + hashlib.blake2b(f"{seed}/gift-card/{index}".encode(), digest_size=6).hexdigest().upper()
        for index in range(len(offers.balances_idr))
    )


def read_flash_sale(root: Fields, duration_s: float, stretch: float) -> FlashSale | None:
    """The sale, if there is one; `stretch` is by how much another duration than the file's stretches its timetable."""
    if root.value("flash_sale") is None:
        return None
    given, written_s = root.table("flash_sale"), duration_s / stretch
    starts_at_s = given.number("starts_at_s", written_s / 2, low=0.0, high=written_s)
    return FlashSale(
        product_id=given.whole("product_id", 1, low=1, high=_LAST_PRODUCT),
        units=given.whole("units", 100, low=1, high=_MOST_UNITS),
        limit_per_customer=given.whole("limit_per_customer", 1, low=1, high=20),
        starts_at_s=min(starts_at_s * stretch, duration_s),  # rounding must not carry it past the end
        reservation_s=given.number("reservation_s", 60.0, low=0.1, high=3600.0),
        ends_at_s=_ends_at_s(given, starts_at_s, stretch),
        price_idr=_optional_whole(given, "price_idr", _MOST_IDR),
    )


def read_offers(given: Fields) -> Offers:
    """The coupons and gift cards."""
    offers = Offers(
        coupons=tuple(map(_coupon, given.tables("coupons"))),
        gift_cards=tuple(map(_gift_cards, given.tables("gift_cards"))),
    )
    codes = [coupon.code for coupon in offers.coupons]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        given.problem(f"coupons name {code} more than once: each needs a code of its own")
    if (count := len(offers.balances_idr)) > _MOST_CARDS:
        given.problem(f"gift_cards are {count} in all, but may be {_MOST_CARDS}")
    return offers


def offer_lines(flash_sale: FlashSale | None, offers: Offers) -> list[str]:
    """The tables' lines, which are read back to equal offers; empty where there are none."""
    lines: list[str] = []
    if flash_sale is not None:
        values = {name: getattr(flash_sale, name) for name in flash_sale.__slots__}
        lines += ["\n[flash_sale]", *(f"{name} = {value!r}" for name, value in values.items() if value is not None)]
    if offers != NO_OFFERS:
        coupons = [
            f'{{ code = "{coupon.code}", amount_idr = {coupon.amount_idr}, uses = {coupon.uses} }}'
            for coupon in offers.coupons
        ]
        cards = [f"{{ balance_idr = {cards.balance_idr}, count = {cards.count} }}" for cards in offers.gift_cards]
        lines += ["\n[offers]", f"coupons = [{', '.join(coupons)}]", f"gift_cards = [{', '.join(cards)}]"]
    return lines


def _ends_at_s(given: Fields, starts_at_s: float, stretch: float) -> float | None:
    if given.value("ends_at_s") is None:
        return None
    ends_at_s = given.number("ends_at_s", _LONGEST_S, low=0.0, high=_LONGEST_S)
    if given.sound("starts_at_s", "ends_at_s") and ends_at_s <= starts_at_s:
        given.problem(f"ends_at_s is {ends_at_s:g}, but must be later than starts_at_s, which is {starts_at_s:g}")
    return ends_at_s * stretch


def _optional_whole(given: Fields, key: str, high: int) -> int | None:
    return None if given.value(key) is None else given.whole(key, 1, low=1, high=high)


def _coupon(given: Fields) -> Coupon:
    code = given.text("code", "")
    if not _CODE.fullmatch(code):
        given.problem(f"code is {code!r:.60}, but must be 1 to 40 letters, digits or hyphens")
    return Coupon(
        code=code,
        amount_idr=given.whole("amount_idr", 0, low=1, high=_MOST_IDR),
        uses=given.whole("uses", 1, low=1, high=_MOST_UNITS),
    )


def _gift_cards(given: Fields) -> GiftCards:
    return GiftCards(
        balance_idr=given.whole("balance_idr", 0, low=1, high=_MOST_IDR),
        count=given.whole("count", 1, low=1, high=_MOST_CARDS),
    )
