"""What the shop tells caches beside how long they may keep a page: when it was read, and by which keys it is purged."""

import asyncio
import json
import re
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
import requests
from starlette.requests import Request

from reference_shop.access_log import AccessLog
from reference_shop.domain.catalogue import Listing, ProductPage
from reference_shop.protections.catalogue_cache import TTL_S, CachedCatalogue
from reference_shop.repository import products
from reference_shop.repository.database import Database
from reference_shop.services.catalogue import Catalogue, load_categories
from reference_shop.services.sales import CurrentSales
from reference_shop.web.caching import FINGERPRINTED, FLASH_SALE, PICTURE, PRIVATE, PRODUCT, cacheable_page, instant
from reference_shop.web.caching import may_be_shared as may_be_kept
from tests.shop import virtual_time
from tests.shop.asgi import scope_of
from tests.shop.processes import SCHEMA, Postgres, Program, Workshop, wait_until
from tests.shop.shopper import Shopper, fact, on_body

CATALOGUE = ["/", "/category/kopi", "/category/kopi?sort=price&page=1", "/search?q=kopi", "/search?q=", "/product/701"]
INSTANT = re.compile(r"[0-9]{10}\.[0-9]{3}")


def generated_at(answer: requests.Response) -> float:
    """When an answer says that it was read."""
    assert INSTANT.fullmatch(answer.headers["x-generated-at"])
    return float(answer.headers["x-generated-at"])


def keys_of(answer: requests.Response) -> list[str]:
    return answer.headers["surrogate-key"].split(" ")


@pytest.mark.parametrize("path", CATALOGUE)
def test_a_catalogue_page_says_when_it_was_read_also_to_who_holds_it(shopper: Shopper, path: str) -> None:
    before = time.time() - TTL_S - 0.5
    first = shopper.get(path)
    again = shopper.get(path, **{"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    assert before < generated_at(first) <= generated_at(again) <= time.time()
    assert keys_of(first) == keys_of(again)


@pytest.mark.parametrize("path", CATALOGUE)
def test_a_page_that_was_read_anew_is_the_same_page(shopper: Shopper, path: str) -> None:
    first = shopper.get(path)
    time.sleep(TTL_S + 0.1)
    second = shopper.get(path)
    assert generated_at(second) > generated_at(first)
    assert (second.content, second.headers["etag"]) == (first.content, first.headers["etag"])


def test_without_the_catalogues_memory_a_page_is_read_when_it_is_asked_for(
    workshop: Workshop, provider: Program
) -> None:
    with Shopper(workshop.web(provider.url, protections=[]).url) as shopper:
        for path in CATALOGUE:
            asked_at = time.time()
            answer = shopper.get(path)
            assert asked_at - 0.001 <= generated_at(answer) <= time.time()


def test_with_it_a_page_is_as_old_as_the_reading_that_it_is_made_of() -> None:
    class Reading(Catalogue):
        def __init__(self) -> None:
            self.categories = ()
            self.product_count = 0

        async def search_page(self, query: str, page: str) -> tuple[str, Listing]:
            return query, Listing((), 1, 0, virtual_time.now())

    async def story() -> list[float]:
        catalogue = CachedCatalogue(Reading(), ttl_s=1.0, clock=virtual_time.now)
        told = []
        for _ in range(5):
            told.append((await catalogue.search_page("kopi", "1"))[1].read_at)
            await asyncio.sleep(0.4)
        return told

    assert virtual_time.run(story()) == pytest.approx([0.0, 0.0, 0.0, 1.2, 1.2])


def test_what_was_committed_before_the_instant_of_the_reading_is_on_the_page(postgres: Postgres) -> None:
    clock = iter(range(10))

    async def story() -> tuple[ProductPage, ProductPage]:
        async with Database(postgres.url, SCHEMA, name="test") as database:
            sales = CurrentSales(database)
            catalogue = Catalogue(database, await load_categories(database), sales, lambda: float(next(clock)))
            first = await catalogue.product_page("702")
            async with database.connection() as connection:
                await products.set_price(connection, 702, first.product.card.price_idr + 100)
            assert next(clock) == 1
            return first, await catalogue.product_page("702")

    first, second = asyncio.run(story())
    assert (first.read_at, second.read_at) == (0.0, 2.0)
    assert second.product.card.price_idr == first.product.card.price_idr + 100


def shown_on(page: requests.Response) -> set[str]:
    return {f"product-{found}" for found in re.findall(r'<a class="product-card" href="/product/(\d+)"', page.text)}


def test_each_page_has_a_key_for_every_product_on_it_and_one_of_its_own(shopper: Shopper) -> None:
    own = {"/": ["home"], "/category/kopi?sort=price": ["category-kopi"], "/search?q=kopi": ["search"]}
    for path, first_keys in own.items():
        page = shopper.get(path)
        first, *others = keys_of(page)
        assert [first] == first_keys
        assert len(shown_on(page)) > 10
        assert set(others) == shown_on(page)
        assert len(set(others)) == len(others)
    product = shopper.get("/product/701")
    assert keys_of(product)[0] == "product-701"
    assert set(keys_of(product)[1:]) == shown_on(product)
    assert len(shown_on(product)) == 6
    assert keys_of(shopper.get("/search?q=qwertyuiop")) == ["search"]


def answered(read_at: float, product_ids: Iterable[int]) -> dict[str, str]:
    request = Request(scope_of("/"))
    answer = cacheable_page(request, b"page", PRODUCT, read_at=read_at, keys=["home"], products=product_ids)
    return dict(answer.headers)


def test_there_are_a_hundred_keys_at_most() -> None:
    keys = answered(0.0, range(1, 1000))["surrogate-key"].split()
    assert keys == ["home", *(f"product-{number}" for number in range(1, 100))]


def test_a_product_that_is_shown_twice_has_one_key() -> None:
    assert answered(0.0, (3, 4, 3))["surrogate-key"] == "home product-3 product-4"


def test_the_instant_is_cut_off_and_not_rounded_and_changes_nothing_else() -> None:
    assert [instant(at) for at in (1795553145.0, 1795553145.0079, 1795553145.9999)] == [
        "1795553145.000",
        "1795553145.007",
        "1795553145.999",
    ]
    first, second = answered(1.0, (3,)), answered(2.0, (3,))
    assert (first.pop("x-generated-at"), second.pop("x-generated-at")) == ("1.000", "2.000")
    assert first == second


@pytest.mark.parametrize("path", ["/cart", "/login", "/fragment/header", "/product/0", "/category/none", "/nowhere"])
def test_what_no_cache_may_keep_has_neither(shopper: Shopper, path: str) -> None:
    headers = shopper.get(path).headers
    assert not {"x-generated-at", "surrogate-key"} & {name.lower() for name in headers}


def test_the_price_of_a_page_is_never_older_than_the_page_says(shopper: Shopper, postgres: Postgres) -> None:
    async def change(price_idr: int) -> float:
        async with Database(postgres.url, SCHEMA, name="test") as database, database.connection() as connection:
            await products.set_price(connection, 703, price_idr)
            return time.time()

    shopper.get("/product/703")
    changed_at = asyncio.run(change(77_700))
    seen = set()
    while (page := shopper.get("/product/703")) and generated_at(page) <= changed_at:
        seen.add(on_body(page, "price-idr"))
    assert on_body(page, "price-idr") == "77700"
    assert len(seen) <= 2


@pytest.mark.parametrize(
    ("cache_control", "is_kept"),
    [
        (PRODUCT, True),
        (FLASH_SALE, True),
        (FINGERPRINTED, True),
        (PICTURE, True),
        (PRIVATE, False),
        ("public, max-age=0", False),
        ("public, max-age=60, s-maxage=0", False),
        ("public, no-store, max-age=60", False),
        ("max-age=60", False),
        ("public", False),
        ("Public, Max-Age=60", True),
        ("public, x-max-age=60", False),
    ],
)
def test_what_a_shared_cache_may_keep_is_told_by_cache_control(cache_control: str, is_kept: bool) -> None:
    assert may_be_kept(200, cache_control.encode()) is is_kept
    assert may_be_kept(304, cache_control.encode()) is is_kept
    assert may_be_kept(500, cache_control.encode()) is False
    assert may_be_kept(200, None) is False


def test_the_access_log_names_what_a_cache_keeps_and_nothing_else(
    workshop: Workshop, shop: Program, shopper: Shopper
) -> None:
    style = fact(shopper.get("/"), r'href="(/static/[^"]+\.css)"')
    kept = ["/product/704", "/category/kopi?sort=price&page=2", "/search?q=%22kopi%22%20gayo", style]
    kept.append("/images/products/704-thumb.jpg")
    asked = {path: shopper.get(path) for path in (*kept, "/cart", "/fragment/header", "/product/0", "/account")}
    held = shopper.get("/product/704", **{"If-None-Match": asked["/product/704"].headers["etag"]})
    ids = {path: answer.headers["x-request-id"] for path, answer in asked.items()}

    def lines() -> dict[str, dict[str, object]]:
        told = map(json.loads, workshop.access_log(shop).read_text().splitlines())
        return {line["request_id"]: line for line in told}

    wait_until(lambda: held.headers["x-request-id"] in lines(), "the lines in the access log")
    logged = lines()
    assert {path: logged[request_id].get("key") for path, request_id in ids.items()} == {
        **{path: path for path in kept},
        **dict.fromkeys(("/cart", "/fragment/header", "/product/0", "/account")),
    }
    assert "key" not in logged[ids["/cart"]]
    assert logged[held.headers["x-request-id"]]["key"] == "/product/704"


def test_a_key_is_json_and_cut_off_whatever_was_asked_for(tmp_path: Path) -> None:
    log = AccessLog(tmp_path / "access.jsonl", "shop-1")
    keys = ['/search?q="\\\n\x00é', "/search?q=" + '"' * 500]
    for key in keys:
        log.note("search", 200, 10, 0.001, "shop-1-1", key=key)
    log.note("cart", 200, 10, 0.001, "shop-1-2")
    log.flush()
    first, second, third = map(json.loads, (tmp_path / "access.jsonl").read_text().splitlines())
    assert (first["key"], second["key"]) == (keys[0], keys[1][:300])
    assert "key" not in third
