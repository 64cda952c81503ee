"""Readers of the bundled shop's pages: an Answer in, a Page out, or ContentMismatch. Pure.

They look at the data attributes of `<body>` and at links, by compiled expressions and without a tree: what a shopper
needs from a page is a few numbers in it, and the generator's time is better spent on shoppers.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from scenarios.answers import Answer, ContentMismatch, require
from scenarios.outcomes import Outcome
from scenarios.storefront import Cart, Page, Product, ProductLink

MARK = '<meta name="generator" content="lonjak-reference-shop">'

Facts = Mapping[str, str]
"""The data attributes of a page's body, by their names without `data-`."""

_BODY = re.compile(r"<body\b[^>]*>")
_FRAGMENT = re.compile(r'<div data-page-kind="fragment"[^>]*>')
_DATA = re.compile(r'\bdata-([a-z-]+)="([^"]*)"')
_CARD = re.compile(r'<a class="product-card" href="/product/(\d+)"')
_CARD_NAME = re.compile(r'class="product-card__name">([^<]*)<')
_CATEGORY = re.compile(r'<a href="(/category/[^"?]+)"')
_NEXT_PAGE = re.compile(r'<a rel="next" href="([^"]+)"')
_HEADING = re.compile(r"<h1>([^<]*)<")
_KEY = re.compile(r'<input type="hidden" name="idempotency_key" value="([^"]+)"')
_CART_LINE = re.compile(r'<li class="cart-line" data-product-id="(\d+)" data-quantity="(\d+)"')


def read_home(answer: Answer) -> Page:
    """The front page, with products and categories on it."""
    _facts(answer, "home")
    products, categories = _products(answer.html), _categories(answer.html)
    require(bool(products and categories), "the front page shows no products or no categories")
    return Page("home", Outcome.OK, products=products, categories=categories)


def read_product_count(answer: Answer) -> int | None:
    """The catalogue's size, if the front page tells it."""
    body = _BODY.search(answer.html)
    count = dict(_DATA.findall(body[0])).get("product-count") if body else None
    return int(count) if count and count.isdecimal() and int(count) > 0 else None


def read_category(slug: str) -> Callable[[Answer], Page]:
    """A reader for a page of the category `slug`."""

    def read(answer: Answer) -> Page:
        facts = _facts(answer, "category")
        require(facts.get("category") == slug, "the page shows another category than was asked for")
        page = _list(answer, facts, "category")
        require(page.outcome is Outcome.OK, "the category is empty")
        return page

    return read


def read_search(query: str) -> Callable[[Answer], Page]:
    """A reader for the results of `query`; ZERO_RESULTS when there are none."""

    def read(answer: Answer) -> Page:
        facts = _facts(answer, "search")
        shown = html.unescape(facts.get("query", ""))
        require(shown == query, "the page shows the results of another query")
        return _list(answer, facts, "search")

    return read


def read_search_form(answer: Answer) -> Page:
    """The search page before anything was searched for."""
    require(not _facts(answer, "search").get("query"), "the page shows results though nothing was searched for")
    return Page("search", Outcome.OK, categories=_categories(answer.html))


def read_product(product_id: int) -> Callable[[Answer], Page]:
    """A reader for a product's page; OUT_OF_STOCK when none is left."""

    def read(answer: Answer) -> Page:
        facts = _facts(answer, "product")
        require(_number(facts, "product-id") == product_id, "the page shows another product than was asked for")
        price_idr, stock = _number(facts, "price-idr"), _number(facts, "stock")
        require(price_idr > 0, "the product has no price")
        product = Product(product_id, _heading(answer.html), price_idr, stock)
        outcome = Outcome.OK if stock > 0 else Outcome.OUT_OF_STOCK
        related = _products(answer.html)
        return Page("product", outcome, products=related, categories=_categories(answer.html), product=product)

    return read


def read_cart(expected: Mapping[int, int] | None) -> Callable[[Answer], Page]:
    """A reader for the cart, which must hold the expected units by product id; None when nobody can expect any."""

    def read(answer: Answer) -> Page:
        facts = _facts(answer, "cart")
        cart = Cart(_number(facts, "cart-count"), _number(facts, "cart-total-idr"))
        held = {int(product_id): int(quantity) for product_id, quantity in _CART_LINE.findall(answer.html)}
        require(sum(held.values()) == cart.unit_count, "the cart's count is not that of its lines")
        require(expected is None or held == dict(expected), "the cart does not hold what was put in")
        return Page("cart", Outcome.OK, cart=cart)

    return read


def read_address_form(answer: Answer) -> Page:
    """The checkout's first page, for a cart that holds something."""
    facts = _facts(answer, "checkout")
    require(_number(facts, "cart-count") > 0, "the checkout is of an empty cart")
    require('name="postcode"' in answer.html, "the checkout shows no address form")
    return Page("checkout", Outcome.OK)


def read_payment_form(answer: Answer) -> Page:
    """The payment form: its idempotency key, and the amount it asks for."""
    amount_idr = _number(_facts(answer, "payment"), "total-idr")
    key = _KEY.search(answer.html)
    require(amount_idr > 0, "the payment form names no amount")
    if key is None:
        raise ContentMismatch("the payment form carries no idempotency key")
    return Page("payment", Outcome.OK, idempotency_key=key[1], amount_idr=amount_idr)


def read_confirmation(order_id: int | None, amount_idr: int | None) -> Callable[[Answer], Page]:
    """A reader for the confirmation of that order, paid, at the amount that was to be paid."""

    def read(answer: Answer) -> Page:
        facts = _facts(answer, "confirmation")
        require(_number(facts, "order-id") == order_id, "the page confirms another order")
        require(facts.get("order-state") == "paid", "the order is not shown as paid")
        require(_number(facts, "total-idr") == amount_idr, "the order's total is not what was to be paid")
        return Page("confirmation", Outcome.OK, amount_idr=amount_idr, order_id=order_id)

    return read


def read_login_form(answer: Answer) -> Page:
    """The form for a login or a registration."""
    _facts(answer, "login")
    require('name="password"' in answer.html, "the page shows no form to log in with")
    return Page("login", Outcome.OK)


def read_account(answer: Answer) -> Page:
    """The account of somebody who is logged in."""
    require(_facts(answer, "account").get("logged-in") == "true", "the account page shows nobody logged in")
    return Page("account", Outcome.OK, categories=_categories(answer.html))


def read_orders(answer: Answer) -> Page:
    """The order history, which may be empty."""
    _number(_facts(answer, "orders"), "order-count")
    return Page("orders", Outcome.OK, categories=_categories(answer.html))


def read_fragment(unit_count: int | None) -> Callable[[Answer], None]:
    """A reader for the header fragment, whose badge must count the units in the cart; None when nobody knows them."""

    def read(answer: Answer) -> None:
        require(answer.status == 200 and answer.page_kind == "fragment", "asked for the header, got something else")
        tag = _FRAGMENT.search(answer.html)
        counted = _number(dict(_DATA.findall(tag[0])) if tag else {}, "cart-count")
        require(unit_count is None or counted == unit_count, "the header's badge does not count what is in the cart")

    return read


def _facts(answer: Answer, kind: str) -> Facts:
    """The facts of a page that must be of that kind, by its header and by itself."""
    require(answer.status == 200, f"asked for {kind}, got status {answer.status}")
    require(MARK in answer.html, "the page is not the shop's")
    body = _BODY.search(answer.html)
    facts = dict(_DATA.findall(body[0])) if body else {}
    require(answer.page_kind == facts.get("page-kind") == kind, f"asked for {kind}, got another kind of page")
    return facts


def _number(facts: Facts, name: str) -> int:
    text = facts.get(name, "")
    if not (text.isascii() and text.isdecimal()):
        raise ContentMismatch(f"the page's {name} is no number")
    return int(text)


def _list(answer: Answer, facts: Facts, kind: str) -> Page:
    count, products = _number(facts, "result-count"), _products(answer.html)
    require(bool(count) == bool(products), "the list's count and its products contradict each other")
    following = _NEXT_PAGE.search(answer.html)
    return Page(
        kind,
        Outcome.OK if products else Outcome.ZERO_RESULTS,
        products=products,
        categories=_categories(answer.html),
        next_page=html.unescape(following[1]) if following else None,
    )


@lru_cache(maxsize=512)  # the catalogue's pages come again and again
def _products(text: str) -> tuple[ProductLink, ...]:
    numbers, names = _CARD.findall(text), _CARD_NAME.findall(text)
    require(len(numbers) == len(names), "a product in the list has no name")
    links = {int(number): html.unescape(name) for number, name in zip(numbers, names, strict=True)}
    return tuple(ProductLink(product_id, name) for product_id, name in links.items())


@lru_cache(maxsize=512)
def _categories(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_CATEGORY.findall(text)))


def _heading(text: str) -> str:
    heading = _HEADING.search(text)
    return html.unescape(heading[1]) if heading else ""
