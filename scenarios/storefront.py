"""The seam between shoppers and a shop: what a shopper can do there, and what is understood of the pages.

    journeys --asks--> Storefront --requests--> the shop
    journeys <--Page-- Storefront <--HTML-----/

A storefront belongs to one shopper (its cookies, its browser's cache). It checks every page by its content, reports a
page that is not what was asked for as failed, and keeps the ledger of what it changed; it never raises for anything a
shop does. `reference_storefront` is the first implementation; a shop of one's own is the next, and nothing above this
seam changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from scenarios.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class ProductLink:
    """A product as a list shows it; lists keep the page's order."""

    product_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Product:
    """A product as its own page shows it; `stock` counts units."""

    product_id: int
    name: str
    price_idr: int
    stock: int


@dataclass(frozen=True, slots=True)
class Cart:
    """What the cart page says: number of units and their price."""

    unit_count: int
    total_idr: int


@dataclass(frozen=True, slots=True)
class Page:
    """What a shopper takes from a page; what it does not show is empty or None."""

    kind: str
    outcome: Outcome
    products: tuple[ProductLink, ...] = ()
    categories: tuple[str, ...] = ()
    next_page: str | None = None
    product: Product | None = None
    cart: Cart | None = None
    idempotency_key: str | None = None
    amount_idr: int | None = None
    order_id: int | None = None

    @property
    def ok(self) -> bool:
        """True when the page is what was asked for, in time."""
        return self.outcome is Outcome.OK


@dataclass(frozen=True, slots=True)
class Account:
    """An account made by a shopper of this run; its password is not a secret, but is never recorded either."""

    name: str
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class Address:
    """Where an order goes; invented."""

    recipient: str
    phone: str
    street: str
    city: str
    province: str
    postcode: str


class Storefront(Protocol):
    """What a shopper can do in a shop. Every method asks for at least one page and returns the last one."""

    @property
    def product_count(self) -> int | None:
        """The catalogue's size, once a page has told it; product ids run from 1, the most wanted product first."""

    @property
    def basket_count(self) -> int:
        """How many units the shopper has put into the cart and not yet paid for."""

    def home(self) -> Page:
        """The front page."""

    def category(self, link: str, *, sort: str | None = None) -> Page:
        """A list of products, by a link from a page; `sort` is "popular", "price" or "newest"."""

    def search_form(self) -> Page:
        """The page on which a search begins, before anything is searched for."""

    def search(self, query: str) -> Page:
        """The results; the outcome is ZERO_RESULTS when there are none."""

    def product(self, product_id: int) -> Page:
        """A product; the outcome is OUT_OF_STOCK when none is left."""

    def add_to_cart(self, product: Product, quantity: int) -> Page:
        """Puts some units of a product into the cart, and shows it."""

    def cart(self) -> Page:
        """The cart."""

    def checkout(self) -> Page:
        """The address form."""

    def send_address(self, address: Address) -> Page:
        """Sends the address; the page is the payment form with its idempotency key."""

    def payment_form(self) -> Page:
        """The payment form once more, with a key that has not been used."""

    def pay(self, form: Page, *, card: str) -> Page:
        """Sends the payment form `form` and shows the confirmation; PAYMENT_DECLINED and OUT_OF_STOCK are outcomes."""

    def register(self, account: Account) -> Page:
        """Makes an account and is logged in with it."""

    def log_in(self, account: Account) -> Page:
        """Logs in with an account made before."""

    def account(self) -> Page:
        """The account page; only after a login."""

    def orders(self) -> Page:
        """The order history; only after a login."""
