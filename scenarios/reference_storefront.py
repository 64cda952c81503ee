"""The bundled shop as a Storefront: its catalogue, its cart, its accounts; the way to an order is `reference_checkout`.

Readers of the pages stand in `reference_pages` and `reference_personal`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

from loadgen.records import Action
from loadgen.session import Session
from scenarios import reference_pages as pages
from scenarios import reference_personal as personal
from scenarios import reference_replies as replies
from scenarios.answers import Answer
from scenarios.attempts import attempt
from scenarios.browser import Browser
from scenarios.outcomes import Outcome
from scenarios.reference_checkout import ReferenceCheckout
from scenarios.reference_visitor import SaleTerms
from scenarios.storefront import Account, Page, Product


@dataclass(slots=True)
class Catalogue:
    """What all shoppers of a process know about the shop, once one of them has seen it."""

    product_count: int | None = None


class ReferenceStorefront(ReferenceCheckout):
    """One shopper in the bundled shop."""

    def __init__(
        self,
        session: Session,
        browser: Browser,
        catalogue: Catalogue,
        patience_s: float,
        *,
        sale: SaleTerms | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(session, browser, patience_s, sale=sale, clock=clock)
        self._catalogue = catalogue
        self._email = ""

    @property
    def product_count(self) -> int | None:
        """The catalogue's size, once a home page has told it."""
        return self._catalogue.product_count

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
        return self._product(product_id, redirected=False)

    def add_to_cart(self, product: Product, quantity: int) -> Page:
        """Sends `/cart/items`, then shows the cart, which must hold what was put in, or the sale's waiting room."""
        product_id = product.product_id
        form = {"product_id": str(product_id), "quantity": str(quantity)}
        kept_until = self._kept_until(product)
        items = ((product_id, quantity),)
        with attempt(self._session, "add_to_cart", amount_idr=quantity * product.price_idr, items=items) as made:
            sent = self._browser.send("cart", "/cart/items", form, replies.read_put(product_id))
            if self._conclude(made, sent):
                self._basket.put(product_id, quantity, kept_until)
            elif made.outcome == "unknown":
                self._basket.sure = False
        if sent is not None and sent.outcome is Outcome.HELD_BACK:
            return self._waiting_room(product_id, redirected=True)
        if sent is None or sent.outcome is not Outcome.OK:
            return self._not_taken("cart", sent)
        page = self._show_content("cart", "/cart", personal.read_cart(self._holds), redirected=True)
        return self._reached("cart", page, page.cart is not None)

    def cart(self) -> Page:
        """`/cart`, which must hold what was put in."""
        return self._show_content("cart", "/cart", personal.read_cart(self._holds))

    def wait(self, product_id: int) -> Page:
        """`/waiting-room?product_id=N`, and the product's page for who is let in."""
        return self._waiting_room(product_id, redirected=False)

    def register(self, account: Account) -> Page:
        """Sends the registration form, then shows the account."""
        return self._identify("register", "/register", account, asdict(account))

    def log_in(self, account: Account) -> Page:
        """Sends the login form, then shows the account."""
        return self._identify("login", "/login", account, {"email": account.email, "password": account.password})

    def account(self) -> Page:
        """`/account`, which must be the shopper's own."""
        return self._show("account", "/account", personal.read_account(self._email))

    def orders(self) -> Page:
        """`/orders`, which must list what this shopper has bought, and nobody else."""
        owner = self._owner
        own = [order_id for order_id, bought in self._bought.items() if owner is not None and bought.owner == owner]
        all_known = self._all_orders_known and owner is not None
        return self._show("orders", "/orders", personal.read_orders(own, all_known=all_known))

    def _product(self, product_id: int, *, redirected: bool) -> Page:
        page = self._show("product", f"/product/{product_id}", pages.read_product(product_id), redirected=redirected)
        return self._reached("product", page, page.product is not None)

    def _waiting_room(self, product_id: int, *, redirected: bool) -> Page:
        url, reader = replies.waiting_room(product_id), personal.read_waiting_room(product_id)
        page = self._show("waiting_room", url, reader, redirected=redirected)
        return self._product(product_id, redirected=True) if page.ok else page

    def _kept_until(self, product: Product) -> float | None:
        """Until when what goes into the cart now is surely kept; None for good."""
        if self._sale is not None and self._sale.product_id == product.product_id:
            return self._clock() + self._sale.reservation_s
        return self._clock() if product.sale is not None else None  # somebody else's sale: for how long, nobody says

    def _identify(self, action: Action, url: str, account: Account, fields: Mapping[str, str]) -> Page:
        form = self._show("login", url, personal.read_login_form)
        if not form.ok:
            return form
        with attempt(self._session, action) as made:
            sent = self._browser.send("login", url, fields, replies.read_sent("/account"))
            if self._conclude(made, sent):
                self._owner, self._email = account.name, account.email
                self._all_orders_known = action == "register"
            elif made.outcome == "unknown":
                self._owner = None
        if sent is None or sent.outcome is not Outcome.OK:
            return self._not_taken("login", sent)
        return self._show("account", "/account", personal.read_account(account.email), redirected=True)
