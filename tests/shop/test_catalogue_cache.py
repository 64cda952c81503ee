"""What the catalogue said is remembered for a second; one asks, and all who want the same wait for that one answer."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from reference_shop.domain.catalogue import Category, Home, Listing, Product, ProductCard, ProductPage, Sort
from reference_shop.domain.errors import NotFound, Unavailable
from reference_shop.domain.sales import FlashSale
from reference_shop.protections import PROTECTIONS
from reference_shop.protections.catalogue_cache import CachedCatalogue
from reference_shop.protections.guarded_catalogue import guard_catalogue
from reference_shop.services.catalogue import Catalogue
from tests.shop import virtual_time

NOON = datetime(2026, 11, 11, 12, tzinfo=UTC)
SHELF = Category(3, "sepatu", "Sepatu", "Mode", 40)
SALE = FlashSale(1, 7, 10, 1, NOON, NOON + timedelta(hours=1), 120.0)


def page_of(product_id: int, stock: int, sale: FlashSale | None = None) -> ProductPage:
    card = ProductCard(product_id, "Sepatu", 1000, 1000, 45, 3, "Bandung", stock)
    return ProductPage(Product(card, 3, "Merek", "Toko", 500, "Sepatu yang baik.", NOON), (), sale)


@dataclass
class SlowCatalogue(Catalogue):
    """Takes 0.1 s for each answer, and counts the questions; product 404 does not exist."""

    stock: int = 5
    sale: FlashSale | None = None
    asked: Counter[str] = field(default_factory=Counter)
    fails: bool = False

    def __post_init__(self) -> None:
        self.categories = (SHELF,)
        self.product_count = 40

    async def _take_time(self, question: str) -> None:
        self.asked[question] += 1
        await asyncio.sleep(0.1)
        if self.fails:
            raise Unavailable

    async def home(self) -> Home:
        await self._take_time("home")
        return Home((), ())

    async def category_page(self, slug: str, sort: str, page: str) -> tuple[Category, Sort, Listing]:
        await self._take_time(f"category {slug} {sort} {page}")
        return SHELF, Sort(sort), Listing((), int(page), 40)

    async def search_page(self, query: str, page: str) -> tuple[str, Listing]:
        await self._take_time(f"search {query} {page}")
        return query, Listing((), int(page), 40)

    async def product_page(self, product_id: str) -> ProductPage:
        await self._take_time(f"product {product_id}")
        if product_id == "404":
            raise NotFound
        return page_of(int(product_id), self.stock, self.sale)

    def category_of(self, category_id: int) -> Category:
        return {3: SHELF}[category_id]


def cached(inner: Catalogue) -> CachedCatalogue:
    return CachedCatalogue(inner, ttl_s=1.0, clock=virtual_time.now)


def test_without_the_cache_every_shopper_is_a_query() -> None:
    async def story() -> None:
        inner = SlowCatalogue()
        catalogue = guard_catalogue(inner, set(PROTECTIONS) - {"catalogue-cache"})
        assert catalogue is inner
        await asyncio.gather(*(catalogue.product_page("7") for _ in range(50)))
        assert inner.asked == {"product 7": 50}

    virtual_time.run(story())


def test_with_it_fifty_shoppers_at_once_are_one_query_and_wait_no_longer_than_one() -> None:
    async def story() -> None:
        inner = SlowCatalogue()
        catalogue = guard_catalogue(inner, PROTECTIONS)
        pages = await asyncio.gather(*(catalogue.product_page("7") for _ in range(50)))
        assert pages == [page_of(7, 5)] * 50
        assert inner.asked == {"product 7": 1}
        assert virtual_time.now() == pytest.approx(0.1)

    virtual_time.run(story())


def test_an_answer_is_remembered_for_a_second_and_then_asked_for_again() -> None:
    async def story() -> None:
        inner = SlowCatalogue()
        catalogue = cached(inner)
        await catalogue.product_page("7")
        inner.stock = 4
        await asyncio.sleep(0.99)
        assert (await catalogue.product_page("7")).product.card.on_hand == 5
        await asyncio.sleep(0.02)
        assert (await catalogue.product_page("7")).product.card.on_hand == 4
        assert inner.asked == {"product 7": 2}

    virtual_time.run(story())


def test_a_product_in_a_flash_sale_is_remembered_for_a_quarter_of_a_second() -> None:
    async def story() -> None:
        inner = SlowCatalogue(sale=SALE)
        catalogue = cached(inner)
        await catalogue.product_page("7")
        inner.stock = 0
        await asyncio.sleep(0.24)
        assert (await catalogue.product_page("7")).product.card.on_hand == 5
        await asyncio.sleep(0.02)
        assert (await catalogue.product_page("7")).product.card.on_hand == 0

    virtual_time.run(story())


def test_each_question_has_an_answer_of_its_own() -> None:
    async def story() -> None:
        inner = SlowCatalogue()
        catalogue = cached(inner)
        for _ in range(3):
            assert await catalogue.home() == Home((), ())
            assert await catalogue.category_page("sepatu", "price", "1") == (SHELF, Sort.PRICE, Listing((), 1, 40))
            assert await catalogue.category_page("sepatu", "price", "2") == (SHELF, Sort.PRICE, Listing((), 2, 40))
            assert await catalogue.category_page("sepatu", "newest", "2") == (SHELF, Sort.NEWEST, Listing((), 2, 40))
            assert await catalogue.search_page("  sepatu   merah", "1") == ("sepatu merah", Listing((), 1, 40))
            assert await catalogue.search_page("sepatu merah", "2") == ("sepatu merah", Listing((), 2, 40))
            assert (await catalogue.product_page("8")).product.card.product_id == 8
        assert set(inner.asked.values()) == {1}
        assert len(inner.asked) == 7
        assert (catalogue.categories, catalogue.product_count) == ((SHELF,), 40)
        assert catalogue.category_of(3) is SHELF

    virtual_time.run(story())


def test_an_error_reaches_all_who_wait_and_is_not_remembered() -> None:
    async def story() -> None:
        inner = SlowCatalogue(fails=True)
        catalogue = cached(inner)
        answers = await asyncio.gather(*(catalogue.product_page("7") for _ in range(5)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [Unavailable] * 5
        assert inner.asked == {"product 7": 1}
        inner.fails = False
        assert await catalogue.product_page("7") == page_of(7, 5)

    virtual_time.run(story())


def test_what_does_not_exist_is_asked_for_each_time() -> None:
    async def story() -> None:
        inner = SlowCatalogue()
        catalogue = cached(inner)
        for _ in range(2):
            with pytest.raises(NotFound):
                await catalogue.product_page("404")
        assert inner.asked == {"product 404": 2}

    virtual_time.run(story())


def test_who_asked_first_may_leave_and_the_others_still_get_their_answer() -> None:
    async def story() -> None:
        inner = SlowCatalogue()
        catalogue = cached(inner)
        first, second = (asyncio.create_task(catalogue.product_page("7")) for _ in range(2))
        await asyncio.sleep(0.05)
        first.cancel()
        assert await second == page_of(7, 5)
        assert first.cancelled()
        assert inner.asked == {"product 7": 1}

    virtual_time.run(story())


def test_an_error_that_nobody_waits_for_any_more_disturbs_nobody() -> None:
    async def story() -> None:
        complaints: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
        catalogue = cached(SlowCatalogue(fails=True))
        asked = asyncio.create_task(catalogue.product_page("7"))
        await asyncio.sleep(0.05)
        asked.cancel()
        await asyncio.sleep(0.1)
        assert complaints == []

    virtual_time.run(story())


def test_what_is_remembered_is_bounded_whatever_is_asked() -> None:
    async def story() -> None:
        inner = SlowCatalogue()
        catalogue = cached(inner)
        await asyncio.gather(*(catalogue.search_page(f"kata {number}", "1") for number in range(1500)))
        await asyncio.gather(*(catalogue.search_page(f"kata {number}", "1") for number in range(1500)))
        assert sum(count == 2 for count in inner.asked.values()) >= 500
        long = "a" * 101
        await catalogue.search_page(long, "1")
        await catalogue.search_page(long, "1")
        assert inner.asked[f"search {long} 1"] == 2

    virtual_time.run(story())


def test_nothing_that_the_catalogue_can_do_is_missing() -> None:
    able = {name for name in vars(Catalogue) if not name.startswith("_")}
    assert able <= set(vars(CachedCatalogue))


def test_pages_are_what_the_catalogue_said() -> None:
    async def story() -> None:
        inner = SlowCatalogue()
        assert await cached(inner).product_page("7") == replace(page_of(7, 5))

    virtual_time.run(story())
