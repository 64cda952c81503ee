"""n-plus-one: a list is read by one query for its ids and one query for each of its cards.

What object-relational mappers do when a template touches a relation that was not fetched with the list. On the
developer's machine 24 more queries are a few milliseconds; with a database at a distance, or busy, they are the page.
"""

from dataclasses import replace as with_changes

from reference_shop.defects._planting import replace
from reference_shop.domain.catalogue import Category, Home, Listing, ProductCard, ProductPage, Sort
from reference_shop.repository import products
from reference_shop.repository.database import Connection

_ONE = f"SELECT {products._CARD} FROM products p JOIN stock s USING (product_id) WHERE p.product_id = $1"  # noqa: S608

_sound_home, _sound_category = products.home, products.category_page
_sound_search, _sound_product = products.search_page, products.product_page


async def _one_by_one(connection: Connection, cards: tuple[ProductCard, ...]) -> tuple[ProductCard, ...]:
    rows = [await connection.fetchrow(_ONE, card.product_id) for card in cards]
    return tuple(products._card(row) for row in rows if row is not None)


async def _home(connection: Connection) -> Home:
    home = await _sound_home(connection)
    return Home(await _one_by_one(connection, home.popular), await _one_by_one(connection, home.newest))


async def _category(connection: Connection, category: Category, sort: Sort, page: int) -> Listing:
    listing = await _sound_category(connection, category, sort, page)
    return with_changes(listing, cards=await _one_by_one(connection, listing.cards))


async def _search(connection: Connection, query: str, page: int) -> Listing:
    listing = await _sound_search(connection, query, page)
    return with_changes(listing, cards=await _one_by_one(connection, listing.cards))


async def _product(connection: Connection, product_id: int) -> ProductPage | None:
    page = await _sound_product(connection, product_id)
    return with_changes(page, related=await _one_by_one(connection, page.related)) if page else None


def plant() -> None:
    """Replace every reading of cards."""
    replace(products, "home", _home)
    replace(products, "category_page", _category)
    replace(products, "search_page", _search)
    replace(products, "product_page", _product)
