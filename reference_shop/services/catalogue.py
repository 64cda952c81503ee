"""Browsing: home, categories, search, products. Answers are the same for every shopper."""

from collections.abc import Sequence
from dataclasses import replace

from reference_shop.domain.catalogue import (
    MAX_PRODUCT_ID,
    MAX_QUERY_CHARACTERS,
    Category,
    Home,
    Listing,
    ProductPage,
    Sort,
)
from reference_shop.domain.errors import InvalidInput, NotFound
from reference_shop.repository import products
from reference_shop.repository.database import Database
from reference_shop.services.sales import CurrentSales

_MAX_PAGE = 100_000


class Catalogue:
    """Reads the shop's shelves. The list of categories never changes while the shop runs; it is read once."""

    def __init__(self, database: Database, categories: tuple[Category, ...], sales: CurrentSales) -> None:
        """Take the categories from `load_categories`."""
        self._database = database
        self._sales = sales
        self.categories = categories
        self._by_slug = {category.slug: category for category in categories}
        self._by_id = {category.category_id: category for category in categories}
        self.product_count = sum(category.product_count for category in categories)

    async def home(self) -> Home:
        """Return the front page's shelves."""
        async with self._database.connection() as connection:
            return await products.home(connection)

    async def category_page(self, slug: str, sort: str, page: str) -> tuple[Category, Sort, Listing]:
        """Return one page of a category; raises NotFound, InvalidInput."""
        category = self._by_slug.get(slug)
        if category is None:
            raise NotFound("Kategori ini tidak ada.")
        order, number = _sort_of(sort), _page_of(page)
        async with self._database.connection() as connection:
            listing = await products.category_page(connection, category, order, number)
        _refuse_beyond_end(listing)
        return category, order, listing

    async def search_page(self, query: str, page: str) -> tuple[str, Listing]:
        """Return the cleaned query and a page of its results, none for an empty one; raises InvalidInput, NotFound."""
        words = " ".join(query.split())
        if len(words) > MAX_QUERY_CHARACTERS or "\x00" in words:
            raise InvalidInput({"q": f"Kata pencarian paling panjang {MAX_QUERY_CHARACTERS} huruf."})
        number = _page_of(page)
        if not words:
            return words, Listing((), 1, 0)
        async with self._database.connection() as connection:
            listing = await products.search_page(connection, words, number)
        _refuse_beyond_end(listing)
        return words, listing

    async def product_page(self, product_id: str) -> ProductPage:
        """Return a product with others like it; raises NotFound."""
        number = int(product_id) if product_id.isascii() and product_id.isdecimal() and len(product_id) <= 10 else 0
        found = None
        if 0 < number <= MAX_PRODUCT_ID:
            async with self._database.connection() as connection:
                found = await products.product_page(connection, number)
        if found is None:
            raise NotFound("Produk ini tidak ada.")
        sale = self._sales.of(number)
        return replace(found, sale=sale) if sale else found

    def category_of(self, category_id: int) -> Category:
        """Return the category with this id."""
        return self._by_id[category_id]


async def load_categories(database: Database) -> tuple[Category, ...]:
    """Read the categories, once at start."""
    async with database.connection() as connection:
        return await products.categories(connection)


async def load_picture_numbers(database: Database) -> Sequence[int]:
    """Read which picture belongs to which product, that of product 1 first, once at start."""
    async with database.connection() as connection:
        return await products.picture_numbers(connection)


def _sort_of(text: str) -> Sort:
    try:
        return Sort(text)
    except ValueError:
        raise InvalidInput({"sort": "Urutan harus popular, price, atau newest."}) from None


def _page_of(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) <= 6 and 1 <= int(text) <= _MAX_PAGE:
        return int(text)
    raise InvalidInput({"page": f"Nomor halaman harus bilangan dari 1 sampai {_MAX_PAGE}."})


def _refuse_beyond_end(listing: Listing) -> None:
    if listing.page > listing.page_count:
        raise NotFound("Halaman daftar ini tidak ada.")
