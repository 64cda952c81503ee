"""price-drift: what a cart costs is reckoned with the prices that the worker read when it started.

A table of prices in memory that nobody empties: fast, and right until somebody changes a price. The lines are written
with the price of now, so an order's total is not the sum of its lines, and the shopper pays yesterday's price. Every
other cache of prices without an expiry is this one.
"""

from reference_shop.defects._planting import replace
from reference_shop.domain.catalogue import Category
from reference_shop.domain.orders import Cart
from reference_shop.repository import products
from reference_shop.repository.database import Connection

_sound_categories = products.categories
_prices_idr: dict[int, int] = {}


async def _categories(connection: Connection) -> tuple[Category, ...]:
    rows = await connection.fetch("SELECT product_id, price_idr FROM products")
    _prices_idr.update((row["product_id"], row["price_idr"]) for row in rows)
    return await _sound_categories(connection)


def _total_idr(cart: Cart) -> int:
    return sum(line.quantity * _prices_idr[line.product_id] for line in cart.lines)


def plant() -> None:
    """Replace what is read at the start, and the cart's sum."""
    replace(products, "categories", _categories)
    replace(Cart, "total_idr", property(_total_idr))
