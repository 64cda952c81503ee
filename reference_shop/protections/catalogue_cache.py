"""catalogue-cache: catalogue pages are made from what was read in the last second; one reader per product.

A flash sale sends thousands to one page. Without this, each of them is a query; when an edge's copy expires, all that
miss it come at once, and the database reads the same rows for each (a cache stampede). Here the first one reads and
the others wait for it. A page is at most `ttl_s` and one reading older than the database: little beside the half minute
that an edge may keep it.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from time import monotonic
from typing import Any, Generic, TypeVar

from cachetools import TLRUCache

from reference_shop.domain.catalogue import MAX_QUERY_CHARACTERS, Category, Home, Listing, ProductPage, Sort
from reference_shop.services.catalogue import Catalogue

TTL_S = 1.0
# Where a sale's stock runs out within seconds, a second is long.
SALE_TTL_S = 0.25
_MOST_PRODUCTS = 20_000
_MOST_LISTS = 1_000  # of categories, and as many of searches

Value = TypeVar("Value")


class CachedCatalogue(Catalogue):
    """Answers as the wrapped catalogue does, mostly without asking it. Its errors are passed on and not remembered."""

    def __init__(self, catalogue: Catalogue, *, ttl_s: float = TTL_S, clock: Callable[[], float] = monotonic) -> None:
        """Wrap `catalogue`; remember answers for `ttl_s`, those about a flash sale for 0.25 s if that is less."""
        self._inner = catalogue
        self.categories = catalogue.categories
        self.product_count = catalogue.product_count
        sale_ttl_s = min(ttl_s, SALE_TTL_S)
        self._home = _Shelf[Home](1, lambda _: ttl_s, clock)
        self._lists = _Shelf[tuple[Category, Sort, Listing]](_MOST_LISTS, lambda _: ttl_s, clock)
        self._searches = _Shelf[tuple[str, Listing]](_MOST_LISTS, lambda _: ttl_s, clock)
        self._products = _Shelf[ProductPage](_MOST_PRODUCTS, lambda page: sale_ttl_s if page.sale else ttl_s, clock)

    async def home(self) -> Home:
        """Return the front page's shelves."""
        return await self._home.get(None, self._inner.home)

    async def category_page(self, slug: str, sort: str, page: str) -> tuple[Category, Sort, Listing]:
        """Return one page of a category; raises NotFound, InvalidInput."""
        return await self._lists.get((slug, sort, page), self._inner.category_page, slug, sort, page)

    async def search_page(self, query: str, page: str) -> tuple[str, Listing]:
        """Return the cleaned query and a page of its results, none for an empty one; raises InvalidInput, NotFound."""
        words = " ".join(query.split())
        if len(words) > MAX_QUERY_CHARACTERS:  # will be refused; would be a long key
            return await self._inner.search_page(query, page)
        return await self._searches.get((words, page), self._inner.search_page, words, page)

    async def product_page(self, product_id: str) -> ProductPage:
        """Return a product with others like it; raises NotFound."""
        return await self._products.get(product_id, self._inner.product_page, product_id)

    def category_of(self, category_id: int) -> Category:
        """Return the category with this id."""
        return self._inner.category_of(category_id)


class _Shelf(Generic[Value]):
    """Remembers at most `most` values, each for a time of its own, the least used go first; one reader per key."""

    def __init__(self, most: int, ttl_s: Callable[[Value], float], clock: Callable[[], float]) -> None:
        self._held: TLRUCache[Hashable, Value] = TLRUCache(most, lambda _, value, now: now + ttl_s(value), clock)
        self._readings: dict[Hashable, asyncio.Task[Value]] = {}

    async def get(self, key: Hashable, read: Callable[..., Coroutine[Any, Any, Value]], *arguments: str) -> Value:
        try:
            return self._held[key]
        except KeyError:
            pass
        reading = self._readings.get(key)
        if reading is None:
            # A task of its own: the first one's client may leave, the others still wait.
            reading = asyncio.create_task(self._read(key, read(*arguments)))
            self._readings[key] = reading
        return await asyncio.shield(reading)

    async def _read(self, key: Hashable, reading: Coroutine[Any, Any, Value]) -> Value:
        try:
            value = await reading
            self._held[key] = value
            return value
        finally:
            del self._readings[key]
