"""price-drift: what a cart costs is reckoned with the prices at which each product was first shown.

A table of prices that is filled when a product is read and never emptied: fast, and right until somebody changes a
price. The lines are written with the price of now, so an order's total is not the sum of its lines, and the shopper
pays yesterday's price. Every second cache of prices without an expiry is this one.
"""

from reference_shop.defects._planting import replace
from reference_shop.domain.catalogue import ProductCard
from reference_shop.domain.orders import Cart
from reference_shop.repository import products
from reference_shop.repository.database import Row

_sound_card = products._card
_prices_idr: dict[int, int] = {}


def _card(row: Row) -> ProductCard:
    card = _sound_card(row)
    _prices_idr.setdefault(card.product_id, card.price_idr)
    return card


def _total_idr(cart: Cart) -> int:
    return sum(line.quantity * _prices_idr.setdefault(line.product_id, line.price_idr) for line in cart.lines)


def plant() -> None:
    """Replace the reading of products and the cart's sum."""
    replace(products, "_card", _card)
    replace(Cart, "total_idr", property(_total_idr))
