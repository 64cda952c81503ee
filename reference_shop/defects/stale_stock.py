"""stale-stock: a worker reads how much there is of everything when it starts, and shows that for ever.

A catalogue that is loaded into memory once, and the stock with it: names and pictures never change, so why should the
rest? Shoppers put into the cart what has long been sold out, and pass by what was delivered meanwhile; workers that
started at different times show different things, so that the page changes with every reload.
"""

from dataclasses import replace as with_changes

from reference_shop.defects._planting import replace
from reference_shop.domain.catalogue import Category, ProductCard
from reference_shop.repository import products
from reference_shop.repository.database import Connection, Row

_sound_categories, _sound_card = products.categories, products._card
_units: dict[int, int] = {}


async def _categories(connection: Connection) -> tuple[Category, ...]:
    rows = await connection.fetch("SELECT product_id, on_hand FROM stock")
    _units.update((row["product_id"], row["on_hand"]) for row in rows)
    return await _sound_categories(connection)


def _card(row: Row) -> ProductCard:
    card = _sound_card(row)
    return with_changes(card, on_hand=_units[card.product_id])


def plant() -> None:
    """Replace what is read at the start, and the reading of products."""
    replace(products, "categories", _categories)
    replace(products, "_card", _card)
