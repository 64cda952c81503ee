"""Readers of the bundled shop's pages for one shopper alone: cart, checkout, orders, account, waiting room. Pure.

An Answer in, a Page out, or ContentMismatch. Each is held against what its shopper knows of it (units, amount, address,
order, name): a page of somebody else's is refused, however it came about.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Collection, Mapping

from scenarios.answers import Answer, ContentMismatch, require
from scenarios.outcomes import Outcome
from scenarios.reference_facts import attributes, facts_of, lines_in, number_in
from scenarios.reference_pages import categories_in
from scenarios.storefront import Cart, Lines, Page

Agrees = Callable[[Mapping[int, int]], bool]
"""Whether units by product can be the shopper's."""

NOBODY = ""
_ALL_LISTED_COUNT = 50  # the shop's order history is no longer than that

_FRAGMENT = re.compile(r'<div data-page-kind="fragment"[^>]*>')
_KEY = re.compile(r'<input type="hidden" name="idempotency_key" value="([^"]+)"')
_AGREED = re.compile(r'<input type="hidden" name="total_idr" value="(\d+)"')
_RECIPIENT = re.compile(r"<address>([^<]*)<")
_EMAIL = re.compile(r"<th scope=\"row\">Email</th><td>([^<]*)</td>")
_ORDER = re.compile(r'<tr data-order-id="(\d+)"')
_NAME = re.compile(r'href="/account">(?:(?!</a>).)*<span>([^<]*)</span>', re.DOTALL)
_SECONDS = re.compile(r"\s*(\d{1,4})(?:\s*;.*)?", re.DOTALL)
_WAITING = {"waiting": Outcome.HELD_BACK, "sold_out": Outcome.OUT_OF_STOCK, "over": Outcome.SALE_OVER}


def read_cart(agrees: Agrees) -> Callable[[Answer], Page]:
    """A reader for the cart, which must hold what the shopper put in."""

    def read(answer: Answer) -> Page:
        facts = facts_of(answer, "cart")
        cart = Cart(number_in(facts, "cart-count"), number_in(facts, "cart-total-idr"))
        held = lines_in(answer.html)
        require(sum(held.values()) == cart.unit_count, "the cart's count is not that of its lines")
        require(agrees(held), "the cart does not hold what was put in")
        return Page("cart", Outcome.OK, cart=cart, lines=tuple(held.items()))

    return read


def read_address_form(answer: Answer) -> Page:
    """The checkout's first page, for a cart that holds something."""
    facts = facts_of(answer, "checkout")
    require(number_in(facts, "cart-count") > 0, "the checkout is of an empty cart")
    require('name="postcode"' in answer.html, "the checkout shows no address form")
    return Page("checkout", Outcome.OK)


def read_payment_form(agrees: Agrees, recipient: str | None) -> Callable[[Answer], Page]:
    """A reader for the payment form: its idempotency key, what it asks for, and what for.

    `recipient` is whom the shopper has it sent to, None when nobody here knows.
    """

    def read(answer: Answer) -> Page:
        facts = facts_of(answer, "payment")
        amount_idr, gift_idr = number_in(facts, "total-idr"), int(facts.get("gift-idr") or 0)
        key, agreed = _KEY.search(answer.html), _AGREED.search(answer.html)
        require(amount_idr > 0, "the payment form names no amount")
        require(gift_idr <= amount_idr, "a gift card pays more than the order costs")
        require(
            agreed is None or int(agreed[1]) == amount_idr, "the payment form agrees to another amount than it shows"
        )
        if key is None:
            raise ContentMismatch("the payment form carries no idempotency key")
        lines = lines_in(answer.html)
        require(agrees(lines), "the payment form is for something else than what was put in")
        _check_recipient(answer, recipient, "the payment form")
        return Page("payment", Outcome.OK, idempotency_key=key[1], amount_idr=amount_idr, lines=tuple(lines.items()))

    return read


def read_confirmation(
    order_id: int | None,
    amount_idr: int | None,
    *,
    states: Collection[str] = ("paid",),
    lines: Lines | None = None,
    recipient: str | None = None,
) -> Callable[[Answer], Page]:
    """A reader for that order at the amount that was to be paid, in one of some states.

    `lines` are the units by product and `recipient` the name it must go to; None when nobody here knows.
    """

    def read(answer: Answer) -> Page:
        facts = facts_of(answer, "confirmation")
        require(number_in(facts, "order-id") == order_id, "the page confirms another order")
        require(facts.get("order-state") in states, f"the order is not shown as {' or '.join(states)}")
        require(number_in(facts, "total-idr") == amount_idr, "the order's total is not what was to be paid")
        require(lines is None or lines_in(answer.html) == dict(lines), "the order does not hold what was paid for")
        _check_recipient(answer, recipient, "the order")
        return Page("confirmation", Outcome.OK, amount_idr=amount_idr, order_id=order_id)

    return read


def read_waiting_room(product_id: int) -> Callable[[Answer], Page]:
    """A reader for the waiting room of a product's sale; OK is the way to the product, for who is let in."""

    def read(answer: Answer) -> Page:
        if answer.status == 303:
            require(answer.location == f"/product/{product_id}", "the waiting room led elsewhere than to its product")
            return Page("waiting_room", Outcome.OK)
        facts = facts_of(answer, "waiting_room")
        outcome = _WAITING.get(facts.get("sale-state", ""))
        if outcome is None:
            raise ContentMismatch("the waiting room does not say how the sale stands")
        if outcome is not Outcome.HELD_BACK:
            return Page("waiting_room", outcome)
        number_in(facts, "position")
        seconds = _SECONDS.fullmatch(answer.refresh)
        if seconds is None:
            raise ContentMismatch("the waiting room does not say when it will be shown again")
        return Page("waiting_room", outcome, wait_s=float(seconds[1]))

    return read


def read_login_form(answer: Answer) -> Page:
    """The form for a login or a registration."""
    facts_of(answer, "login")
    require('name="password"' in answer.html, "the page shows no form to log in with")
    return Page("login", Outcome.OK)


def read_account(email: str) -> Callable[[Answer], Page]:
    """A reader for the account with that address."""

    def read(answer: Answer) -> Page:
        require(facts_of(answer, "account").get("logged-in") == "true", "the account page shows nobody logged in")
        shown = _EMAIL.search(answer.html)
        require(shown is not None and html.unescape(shown[1]) == email, "the account page is somebody else's")
        return Page("account", Outcome.OK, categories=categories_in(answer.html))

    return read


def read_orders(own: Collection[int], *, all_known: bool) -> Callable[[Answer], Page]:
    """A reader for the order history, which must list those orders, and no others when the shopper knows all."""

    def read(answer: Answer) -> Page:
        count = number_in(facts_of(answer, "orders"), "order-count")
        listed = {int(order_id) for order_id in _ORDER.findall(answer.html)}
        require(len(listed) == count, "the order history's count is not that of its lines")
        require(count >= _ALL_LISTED_COUNT or listed.issuperset(own), "the order history lacks an order that was paid")
        require(not all_known or listed.issubset(own), "the order history shows somebody else's order")
        return Page("orders", Outcome.OK, categories=categories_in(answer.html))

    return read


def read_fragment(counts: Callable[[int], bool], owner: str | None) -> Callable[[Answer], int]:
    """A reader for the header fragment, which must count the units in the cart and greet who is logged in.

    `counts` judges its number; `owner` is the name, NOBODY, or None when nobody here knows. Returns the number.
    """

    def read(answer: Answer) -> int:
        require(answer.status == 200 and answer.page_kind == "fragment", "asked for the header, got something else")
        tag = _FRAGMENT.search(answer.html)
        facts = attributes(tag[0]) if tag else {}
        counted = number_in(facts, "cart-count")
        require(counts(counted), "the header's badge does not count what is in the cart")
        if owner is not None:
            greeted = _NAME.search(answer.html)
            require((facts.get("logged-in") == "true") == bool(owner), "the header is wrong about who is logged in")
            require(
                not owner or (greeted is not None and html.unescape(greeted[1]) == owner), "the header greets another"
            )
        return counted

    return read


def _check_recipient(answer: Answer, recipient: str | None, what: str) -> None:
    if recipient is not None:
        shown = _RECIPIENT.search(answer.html)
        require(shown is not None and html.unescape(shown[1]) == recipient, f"{what} goes to somebody else")
