"""Readers of the bundled shop's catalogue, the pages that are the same for everyone. Pure.

An Answer in, a Page out, or ContentMismatch. Pages of one shopper's own are read in `reference_personal`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import lru_cache

from scenarios.answers import Answer, ContentMismatch, require
from scenarios.outcomes import Outcome
from scenarios.reference_facts import Facts, facts_in, facts_of, number_in
from scenarios.storefront import Page, Product, ProductLink, Sale, SaleState

_CARD = re.compile(r'<a class="product-card" href="/product/(\d+)"')
_CARD_NAME = re.compile(r'class="product-card__name">([^<]*)<')
_CATEGORY = re.compile(r'<a href="(/category/[^"?]+)"')
_NEXT_PAGE = re.compile(r'<a rel="next" href="([^"]+)"')
_HEADING = re.compile(r"<h1>([^<]*)<")
_SALE_STATES = frozenset(state.value for state in SaleState)
_INSTANT = re.compile(r"\d{1,11}(?:\.\d{1,6})?", re.ASCII)


def read_home(answer: Answer) -> Page:
    """The front page, with products and categories on it."""
    facts_of(answer, "home")
    products, categories = _products(answer.html), categories_in(answer.html)
    require(bool(products and categories), "the front page shows no products or no categories")
    return Page("home", Outcome.OK, products=products, categories=categories)


def read_product_count(answer: Answer) -> int | None:
    """The catalogue's size, if the front page tells it."""
    count = facts_in(answer.html).get("product-count")
    return int(count) if count and count.isdecimal() and int(count) > 0 else None


def read_category(slug: str) -> Callable[[Answer], Page]:
    """A reader for a page of the category `slug`."""

    def read(answer: Answer) -> Page:
        facts = facts_of(answer, "category")
        require(facts.get("category") == slug, "the page shows another category than was asked for")
        page = _list(answer, facts, "category")
        require(page.outcome is Outcome.OK, "the category is empty")
        return page

    return read


def read_search(query: str) -> Callable[[Answer], Page]:
    """A reader for the results of `query`; ZERO_RESULTS when there are none."""

    def read(answer: Answer) -> Page:
        facts = facts_of(answer, "search")
        shown = html.unescape(facts.get("query", ""))
        require(shown == query, "the page shows the results of another query")
        return _list(answer, facts, "search")

    return read


def read_search_form(answer: Answer) -> Page:
    """The search page before anything was searched for."""
    require(not facts_of(answer, "search").get("query"), "the page shows results though nothing was searched for")
    return Page("search", Outcome.OK, categories=categories_in(answer.html))


def read_product(product_id: int) -> Callable[[Answer], Page]:
    """A reader for a product's page; OUT_OF_STOCK when none is left, in its flash sale if it has one."""

    def read(answer: Answer) -> Page:
        facts = facts_of(answer, "product")
        require(number_in(facts, "product-id") == product_id, "the page shows another product than was asked for")
        price_idr, stock = number_in(facts, "price-idr"), number_in(facts, "stock")
        require(price_idr > 0, "the product has no price")
        product = Product(product_id, _heading(answer.html), price_idr, stock, _sale(facts))
        outcome = Outcome.OK if stock > 0 else Outcome.OUT_OF_STOCK
        related = _products(answer.html)
        return Page("product", outcome, products=related, categories=categories_in(answer.html), product=product)

    return read


def _sale(facts: Facts) -> Sale | None:
    state = facts.get("sale-state")
    if state is None:
        return None
    starts_at = facts.get("sale-starts-at", "")
    if state not in _SALE_STATES or not _INSTANT.fullmatch(starts_at):
        raise ContentMismatch("the product's flash sale has no state or no beginning")
    return Sale(SaleState(state), float(starts_at), number_in(facts, "sale-limit"))


def _list(answer: Answer, facts: Facts, kind: str) -> Page:
    count, products = number_in(facts, "result-count"), _products(answer.html)
    require(bool(count) == bool(products), "the list's count and its products contradict each other")
    following = _NEXT_PAGE.search(answer.html)
    return Page(
        kind,
        Outcome.OK if products else Outcome.ZERO_RESULTS,
        products=products,
        categories=categories_in(answer.html),
        next_page=html.unescape(following[1]) if following else None,
    )


@lru_cache(maxsize=512)  # the catalogue's pages come again and again
def _products(text: str) -> tuple[ProductLink, ...]:
    numbers, names = _CARD.findall(text), _CARD_NAME.findall(text)
    require(len(numbers) == len(names), "a product in the list has no name")
    links = {int(number): html.unescape(name) for number, name in zip(numbers, names, strict=True)}
    return tuple(ProductLink(product_id, name) for product_id, name in links.items())


@lru_cache(maxsize=512)
def categories_in(text: str) -> tuple[str, ...]:
    """The links of the menu, which stands on every page."""
    return tuple(dict.fromkeys(_CATEGORY.findall(text)))


def _heading(text: str) -> str:
    heading = _HEADING.search(text)
    return html.unescape(heading[1]) if heading else ""
