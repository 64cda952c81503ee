"""What anyone sees: the same pages for everyone, kept by caches, found by search."""

import re

import pytest
import requests

from tests.shop.processes import PRODUCT_COUNT, Program
from tests.shop.shopper import Shopper, fact, on_body

CATALOGUE = ["/", "/category/kopi", "/category/kopi?sort=price&page=1", "/search?q=kopi", "/product/1"]


def product_ids(page: requests.Response) -> list[int]:
    return [int(found) for found in re.findall(r'<a class="product-card" href="/product/(\d+)"', page.text)]


def prices(page: requests.Response) -> list[int]:
    found = re.findall(r'<span class="price">Rp([\d.]+)</span>', page.text)
    return [int(price.replace(".", "")) for price in found]


@pytest.mark.parametrize("path", CATALOGUE)
def test_catalogue_pages_are_byte_identical_for_two_shoppers(shop: Program, path: str) -> None:
    with Shopper(shop.url) as stranger, Shopper(shop.url) as customer:
        customer.register()
        customer.add(2)
        theirs, ours = stranger.get(path), customer.get(path)
    assert theirs.status_code == 200
    assert theirs.content == ours.content


@pytest.mark.parametrize("path", [*CATALOGUE, "/images/products/1-thumb.jpg"])
def test_catalogue_may_be_kept_by_shared_caches_and_sets_no_cookie(shopper: Shopper, path: str) -> None:
    answer = shopper.get(path)
    assert answer.headers["cache-control"].startswith("public, ")
    assert "set-cookie" not in answer.headers
    assert "etag" in answer.headers


@pytest.mark.parametrize("path", [*CATALOGUE, "/images/products/1-full.jpg"])
def test_who_holds_the_current_version_is_not_sent_it_again(shopper: Shopper, path: str) -> None:
    first = shopper.get(path)
    again = shopper.get(path, **{"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == first.headers["cache-control"]


@pytest.mark.parametrize(
    "path", ["/cart", "/login", "/register", "/orders", "/fragment/header", "/checkout", "/no-such-page", "/product/0"]
)
def test_everything_else_is_private(shopper: Shopper, path: str) -> None:
    assert shopper.get(path).headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "home"), ("/category/kopi", "category"), ("/search?q=kopi", "search"), ("/product/1", "product"),
        ("/cart", "cart"), ("/checkout", "checkout"), ("/checkout/payment", "payment"),
        ("/orders/1/confirmation", "confirmation"), ("/login", "login"), ("/register", "login"),
        ("/account", "account"), ("/orders", "orders"), ("/images/products/1-thumb.jpg", "static"),
        ("/static/none.css", "static"), ("/fragment/header", "fragment"), ("/healthz", "ops"), ("/readyz", "ops"),
        ("/ops/truth", "ops"), ("/product/none", "product"), ("/no-such-page", "other"),
    ],
)  # fmt: skip
def test_every_answer_names_its_page_kind(shopper: Shopper, path: str, kind: str) -> None:
    assert shopper.get(path).headers["x-page-kind"] == kind


@pytest.mark.parametrize("path", ["/", "/cart", "/login", "/product/999999"])
def test_pages_say_what_they_are(shopper: Shopper, path: str) -> None:
    page = shopper.get(path)
    assert '<html lang="id">' in page.text
    assert '<meta name="generator" content="lonjak-reference-shop">' in page.text
    assert on_body(page, "page-kind") == page.headers["x-page-kind"]


def test_a_category_is_paged_without_gap_or_repetition(shopper: Shopper) -> None:
    first = shopper.get("/category/kopi")
    count = int(on_body(first, "result-count"))
    seen = product_ids(first)
    for page in range(2, -(-count // 24) + 1):
        seen += product_ids(shopper.get(f"/category/kopi?page={page}"))
    assert len(seen) == count
    assert seen == sorted(set(seen))


def test_a_category_sorts_by_price(shopper: Shopper) -> None:
    shown = prices(shopper.get("/category/kopi?sort=price"))
    assert len(shown) >= 20
    assert shown == sorted(shown)


def test_newest_first_is_another_order(shopper: Shopper) -> None:
    newest = product_ids(shopper.get("/category/kopi?sort=newest"))
    assert newest != product_ids(shopper.get("/category/kopi?sort=popular"))


def test_categories_together_hold_every_product_once(shopper: Shopper) -> None:
    slugs = set(re.findall(r'href="/category/([a-z0-9-]+)"', shopper.get("/").text))
    counts = [int(on_body(shopper.get(f"/category/{slug}"), "result-count")) for slug in slugs]
    assert len(slugs) == 60
    assert min(counts) >= 1
    assert sum(counts) == PRODUCT_COUNT


def test_search_finds_a_product_by_words_of_its_name(shopper: Shopper) -> None:
    name = fact(shopper.get("/product/5"), r"<h1>([^<]+)</h1>")
    found = shopper.get(f"/search?q={'+'.join(name.lower().split()[:5])}")
    assert 5 in product_ids(found)
    assert int(on_body(found, "result-count")) >= 1


def test_search_wants_all_words(shopper: Shopper) -> None:
    coffee = int(on_body(shopper.get("/search?q=kopi"), "result-count"))
    both = int(on_body(shopper.get("/search?q=kopi+arabika"), "result-count"))
    assert 0 < both < coffee
    assert on_body(shopper.get("/search?q=kopi+qwertyuiop"), "result-count") == "0"


def test_a_product_tells_price_and_stock(shopper: Shopper) -> None:
    page = shopper.get("/product/1")
    assert on_body(page, "product-id") == "1"
    assert int(on_body(page, "price-idr")) >= 1000
    assert int(on_body(page, "stock")) > 0
    assert 1 not in product_ids(page)


def test_static_files_have_names_of_their_content_and_never_expire(shopper: Shopper) -> None:
    page = shopper.get("/")
    addresses = set(re.findall(r'"(/static/[^"#]+)', page.text))
    assert {address.rsplit(".", 1)[1] for address in addresses} == {"css", "js", "svg"}
    for address in addresses:
        answer = shopper.get(address)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert shopper.get(address, **{"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_pictures_have_realistic_sizes(shopper: Shopper) -> None:
    thumb, full = (shopper.get(f"/images/products/7-{size}.jpg") for size in ("thumb", "full"))
    assert thumb.content[:3] == full.content[:3] == b"\xff\xd8\xff"
    assert 4_000 < len(thumb.content) < 16_000
    assert 40_000 < len(full.content) < 90_000
    assert "last-modified" in thumb.headers


def test_every_product_has_a_picture_and_nothing_else_has(shopper: Shopper) -> None:
    assert shopper.get(f"/images/products/{PRODUCT_COUNT}-thumb.jpg").status_code == 200
    for nothing in (f"{PRODUCT_COUNT + 1}-thumb", "0-thumb", "01-thumb", "1-large"):
        assert shopper.get(f"/images/products/{nothing}.jpg").status_code == 404, nothing


def test_only_the_first_pictures_are_fetched_eagerly(shopper: Shopper) -> None:
    pictures = re.findall(r'<img src="/images/products/[^>]+>', shopper.get("/category/kopi").text)
    assert [("lazy" in picture) for picture in pictures] == [place >= 8 for place in range(len(pictures))]


def test_the_header_fragment_counts_the_cart_and_knows_the_shopper(shopper: Shopper) -> None:
    assert 'data-cart-count="0" data-logged-in="false"' in shopper.get("/fragment/header").text
    shopper.add(3, 2)
    shopper.register()
    assert 'data-cart-count="2" data-logged-in="true"' in shopper.get("/fragment/header").text
