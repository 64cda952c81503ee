"""What the bundled shop writes about a page into its `<body>`, and how that is read: without a tree. Pure.

What a shopper needs from a page is a few numbers in it, and the generator's time is better spent on shoppers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from scenarios.answers import Answer, ContentMismatch, require

MARK = '<meta name="generator" content="lonjak-reference-shop">'

Facts = Mapping[str, str]
"""The data attributes of a page's body, by their names without `data-`."""

_BODY = re.compile(r"<body\b[^>]*>")
_DATA = re.compile(r'\bdata-([a-z-]+)="([^"]*)"')
_ERROR = re.compile(r'<body\b[^>]*\bdata-error="([a-z_]+)"')
_LINE = re.compile(r'<(?:li class="cart-line"|tr) data-product-id="(\d+)" data-quantity="(\d+)"')


def facts_of(answer: Answer, kind: str) -> Facts:
    """The facts of a page that must be of that kind, by its header and by itself."""
    require(answer.status == 200, f"asked for {kind}, got status {answer.status}")
    require(MARK in answer.html, "the page is not the shop's")
    facts = facts_in(answer.html)
    require(answer.page_kind == facts.get("page-kind") == kind, f"asked for {kind}, got another kind of page")
    return facts


def facts_in(html: str) -> Facts:
    """The facts of any page; none where there is no body."""
    body = _BODY.search(html)
    return attributes(body[0]) if body else {}


def attributes(tag: str) -> Facts:
    """The data attributes of one tag."""
    return dict(_DATA.findall(tag))


def number_in(facts: Facts, name: str) -> int:
    """A whole number from 0 up among the facts."""
    text = facts.get(name, "")
    if not (text.isascii() and text.isdecimal()):
        raise ContentMismatch(f"the page's {name} is no number")
    return int(text)


def lines_in(html: str) -> dict[int, int]:
    """Units by product, as the lines of a cart or of an order's summary show them."""
    return {int(product_id): int(quantity) for product_id, quantity in _LINE.findall(html)}


def error_in(html: str) -> str:
    """The name of the refusal that a page shows; empty when it shows none."""
    error = _ERROR.search(html)
    return error[1] if error else ""
