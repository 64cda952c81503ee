"""A storefront of pages that caches may keep, which writes down every address it is asked for; no HTTP, no time."""

from collections.abc import Iterator
from random import Random

from scenarios.mix import Mix
from scenarios.outcomes import Outcome
from scenarios.people import AccountBook
from scenarios.shopper import walk
from scenarios.storefront import Page, Product, ProductLink
from scenarios.visit import Visit

PRODUCTS = 200
CATEGORIES = tuple(f"/category/shelf-{number}" for number in range(1, 13))
LINKS = tuple(ProductLink(number, f"Kemeja Batik {number}") for number in range(1, 25))


class ListingShop:
    """Every page shows the menu, as the bundled shop's do; nothing is in stock and nothing misspelt is found."""

    basket_count = 0

    def __init__(self, product_count: int | None = PRODUCTS) -> None:
        self.product_count = product_count
        self.asked: list[tuple[str, str]] = []

    def units_of(self, product_id: int) -> int:
        return 0

    def _page(self, kind: str, key: object, outcome: Outcome = Outcome.OK, product: Product | None = None) -> Page:
        self.asked.append((kind, str(key)))
        return Page(kind, outcome, products=LINKS, categories=CATEGORIES, product=product)

    def home(self) -> Page:
        self.product_count = PRODUCTS
        return self._page("home", "/")

    def category(self, link: str, *, sort: str | None = None) -> Page:
        return self._page("category", link if sort is None else f"{link}?sort={sort}")

    def search(self, query: str) -> Page:
        return self._page("search", query, Outcome.ZERO_RESULTS)

    def product(self, product_id: int) -> Page:
        product = Product(product_id, "Kemeja", 150_000, 0)
        return self._page("product", product_id, Outcome.OUT_OF_STOCK, product)


def visit_of(mix: Mix, seed: int, exponent: float = 1.0) -> Iterator[tuple[float, str, str]]:
    """One shopper's whole visit as (seconds since its beginning, page kind, key) of every page."""
    shop = ListingShop()
    visit = Visit(shop, AccountBook(), Random(seed), exponent)  # type: ignore[arg-type]
    at_s, seen = 0.0, 0
    steps = walk(mix, visit, clock=lambda: at_s, think_time_scale=1.0)
    while True:
        pause_s = next(steps, None)
        for kind, key in shop.asked[seen:]:
            yield at_s, kind, key
        seen = len(shop.asked)
        if pause_s is None:
            return
        at_s += pause_s
