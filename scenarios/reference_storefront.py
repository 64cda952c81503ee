"""The bundled shop as a Storefront: its URLs, its forms, what is checked of each answer, and what goes into the ledger.

Readers of the pages stand in `scenarios.reference_pages`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from urllib.parse import urlencode

from loadgen.records import Action
from loadgen.session import Session
from scenarios import reference_pages as pages
from scenarios import reference_replies as replies
from scenarios.answers import Answer
from scenarios.attempts import attempt
from scenarios.browser import Browser
from scenarios.outcomes import Outcome
from scenarios.storefront import Account, Address, Page, Product


@dataclass(slots=True)
class Catalogue:
    """What all shoppers of a process know about the shop, once one of them has seen it."""

    product_count: int | None = None


class ReferenceStorefront:
    """One shopper in the bundled shop.

    A page that took longer than `patience_s` seconds, redirects on the way included, is TOO_SLOW however it ended.
    """

    def __init__(self, session: Session, browser: Browser, catalogue: Catalogue, patience_s: float) -> None:
        self._session = session
        self._browser = browser
        self._catalogue = catalogue
        self._patience_s = patience_s
        self._basket: dict[int, int] = {}
        self._sure = True  # False after a change without an answer: nobody here knows then what the cart holds

    @property
    def product_count(self) -> int | None:
        """The catalogue's size, once a home page has told it."""
        return self._catalogue.product_count

    @property
    def basket_count(self) -> int:
        """Units put into the cart and not yet paid for."""
        return sum(self._basket.values())

    def home(self) -> Page:
        """`/`, which also tells the catalogue's size."""

        def read(answer: Answer) -> Page:
            page = pages.read_home(answer)
            self._catalogue.product_count = pages.read_product_count(answer)
            return page

        return self._show("home", "/", read)

    def category(self, link: str, *, sort: str | None = None) -> Page:
        """`/category/{slug}`, sorted on demand, or the address of a next page."""
        url = f"{link}?{urlencode({'sort': sort})}" if sort else link
        slug = link.removeprefix("/category/").partition("?")[0]
        return self._show("category", url, pages.read_category(slug))

    def search_form(self) -> Page:
        """`/search` without a query: the form and no results."""
        return self._show("search", "/search", pages.read_search_form)

    def search(self, query: str) -> Page:
        """`/search?q=…`."""
        return self._show("search", f"/search?{urlencode({'q': query})}", pages.read_search(query))

    def product(self, product_id: int) -> Page:
        """`/product/{id}`, which must show that id and a price."""
        page = self._show("product", f"/product/{product_id}", pages.read_product(product_id))
        return self._reached("product", page, page.product is not None)

    def add_to_cart(self, product: Product, quantity: int) -> Page:
        """Sends `/cart/items`, then shows the cart, which must hold what was put in."""
        form = {"product_id": str(product.product_id), "quantity": str(quantity)}
        items = ((product.product_id, quantity),)
        with attempt(self._session, "add_to_cart", amount_idr=quantity * product.price_idr, items=items) as made:
            sent = self._browser.send("cart", "/cart/items", form, replies.read_sent("/cart"))
            if sent is None:
                self._sure = not made.unclear(self._browser.last.status) and self._sure
            elif sent.outcome is not Outcome.OK:
                made.refused(sent.outcome.value)
            else:
                made.succeeded()
                self._basket[product.product_id] = self._basket.get(product.product_id, 0) + quantity
        if sent is None or sent.outcome is not Outcome.OK:
            return self._not_taken("cart", sent)
        page = self._show("cart", "/cart", pages.read_cart(self._basket if self._sure else None), redirected=True)
        return self._reached("cart", page, page.cart is not None)

    def cart(self) -> Page:
        """`/cart`, which must count as many units as were put in."""
        return self._show("cart", "/cart", pages.read_cart(self._basket if self._sure else None))

    def checkout(self) -> Page:
        """`/checkout`: the address form."""
        page = self._show("checkout", "/checkout", pages.read_address_form)
        return self._reached("checkout", page, page.ok)

    def send_address(self, address: Address) -> Page:
        """Sends `/checkout`, then shows the payment form."""
        sent = self._browser.send("checkout", "/checkout", asdict(address), replies.read_sent("/checkout/payment"))
        if sent is None or sent.outcome is not Outcome.OK:
            return self._not_taken("checkout", sent)
        return self._payment_form(redirected=True)

    def payment_form(self) -> Page:
        """`/checkout/payment`: the form with the idempotency key and the amount."""
        return self._payment_form(redirected=False)

    def _payment_form(self, *, redirected: bool) -> Page:
        page = self._show("payment", "/checkout/payment", pages.read_payment_form, redirected=redirected)
        return self._reached("payment", page, page.ok)

    def pay(self, form: Page, *, card: str) -> Page:
        """Sends `/checkout/payment`, then shows the confirmation of the same order and the same amount."""
        fields = {"idempotency_key": form.idempotency_key or "", "card_token": card}
        with attempt(
            self._session,
            "place_order",
            idempotency_key=form.idempotency_key,
            amount_idr=form.amount_idr,
            items=tuple(self._basket.items()),
        ) as made:
            sent = self._browser.send("payment", "/checkout/payment", fields, replies.read_payment)
            if sent is None:
                self._sure = not made.unclear(self._browser.last.status) and self._sure
            elif sent.outcome is not Outcome.OK:
                made.refused(sent.outcome.value)
            else:
                made.succeeded(sent.order_id)
                self._basket.clear()
                self._sure = True
                self._session.reached("paid")
        if sent is None or sent.outcome is not Outcome.OK:
            return self._not_taken("payment", sent)
        confirmation = pages.read_confirmation(sent.order_id, form.amount_idr)
        return self._show("confirmation", f"/orders/{sent.order_id}/confirmation", confirmation, redirected=True)

    def register(self, account: Account) -> Page:
        """Sends the registration form, then shows the account."""
        return self._identify("register", "/register", asdict(account))

    def log_in(self, account: Account) -> Page:
        """Sends the login form, then shows the account."""
        return self._identify("login", "/login", {"email": account.email, "password": account.password})

    def account(self) -> Page:
        """`/account`."""
        return self._show("account", "/account", pages.read_account)

    def orders(self) -> Page:
        """`/orders`."""
        return self._show("orders", "/orders", pages.read_orders)

    def _identify(self, action: Action, url: str, fields: Mapping[str, str]) -> Page:
        form = self._show("login", url, pages.read_login_form)
        if not form.ok:
            return form
        with attempt(self._session, action) as made:
            sent = self._browser.send("login", url, fields, replies.read_sent("/account"))
            if sent is None:
                made.unclear(self._browser.last.status)
            else:
                made.succeeded()
        if sent is None:
            return self._not_taken("login", sent)
        return self._show("account", "/account", pages.read_account, redirected=True)

    def _show(self, kind: str, url: str, reader: Callable[[Answer], Page], *, redirected: bool = False) -> Page:
        waited_s = self._browser.last.elapsed_s if redirected else 0.0
        page = self._judged(kind, self._browser.open(kind, url, reader), waited_s)
        if page.ok:
            self._browser.fetch_fragment(
                "fragment", "/fragment/header", pages.read_fragment(self.basket_count if self._sure else None)
            )
        return page

    def _not_taken(self, kind: str, sent: replies.Sent | None) -> Page:
        return self._judged(kind, Page(kind, sent.outcome) if sent is not None else None)

    def _judged(self, kind: str, page: Page | None, waited_s: float = 0.0) -> Page:
        """The page, or a failed one in its place; too slow if it took longer than the shopper waits."""
        judged = page if page is not None else Page(kind, Outcome.FAILED)
        too_slow = waited_s + self._browser.last.elapsed_s > self._patience_s
        return replace(judged, outcome=Outcome.TOO_SLOW) if too_slow else judged

    def _reached(self, step: str, page: Page, there: bool) -> Page:
        if there:
            self._session.reached(step)
        return page
