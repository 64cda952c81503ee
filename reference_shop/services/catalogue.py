"""Browsing: home, categories, search, products. Answers are the same for every shopper, and say when they were read."""

from collections.abc import Callable, Sequence
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
    """Reads the shop's shelves. The list of categories never changes while the shop runs; it is read once.

    `read_at` is taken before the database is asked: what was committed by then is in the answer.
    """

    def __init__(
        self,
        database: Database,
        categories: tuple[Category, ...],
        sales: CurrentSales,
        clock: Callable[[], float],
    ) -> None:
        """Take the categories from `load_categories`; `clock` gives epoch seconds."""
        self._database = database
        self._sales = sales
        self._clock = clock
        self.categories = categories
        self._by_slug = {category.slug: category for category in categories}
        self._by_id = {category.category_id: category for category in categories}
        self.product_count = sum(category.product_count for category in categories)

    async def home(self) -> Home:
        """Return the front page's shelves."""
        async with self._database.connection() as connection:
            read_at = self._clock()
            home = await products.home(connection)
        return replace(home, read_at=read_at)

    async def category_page(self, slug: str, sort: str, page: str) -> tuple[Category, Sort, Listing]:
        """Return one page of a category; raises NotFound, InvalidInput."""
        category = self._by_slug.get(slug)
        if category is None:
            raise NotFound("Kategori ini tidak ada.")
        order, number = _sort_of(sort), _page_of(page)
        async with self._database.connection() as connection:
            read_at = self._clock()
            listing = await products.category_page(connection, category, order, number)
        _refuse_beyond_end(listing)
        return category, order, replace(listing, read_at=read_at)

    async def search_page(self, query: str, page: str) -> tuple[str, Listing]:
        """Return the cleaned query and a page of its results, none for an empty one; raises InvalidInput, NotFound."""
        words = " ".join(query.split())
        if len(words) > MAX_QUERY_CHARACTERS or "\x00" in words:
            raise InvalidInput({"q": f"Kata pencarian paling panjang {MAX_QUERY_CHARACTERS} huruf."})
        number = _page_of(page)
        if not words:
            return words, Listing((), 1, 0, self._clock())
        async with self._database.connection() as connection:
            read_at = self._clock()
            listing = await products.search_page(connection, words, number)
        _refuse_beyond_end(listing)
        return words, replace(listing, read_at=read_at)

    async def product_page(self, product_id: str) -> ProductPage:
        """Return a product with others like it; raises NotFound."""
        number = int(product_id) if product_id.isascii() and product_id.isdecimal() and len(product_id) <= 10 else 0
        if not 0 < number <= MAX_PRODUCT_ID:
            raise NotFound("Produk ini tidak ada.")
        async with self._database.connection() as connection:
            read_at = self._clock()
            found = await products.product_page(connection, number)
        if found is None:
            raise NotFound("Produk ini tidak ada.")
        return replace(found, sale=self._sales.of(number), read_at=read_at)

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
