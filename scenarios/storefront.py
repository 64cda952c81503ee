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
from enum import Enum
from typing import Protocol, TypeAlias

from scenarios.outcomes import Outcome

Lines: TypeAlias = tuple[tuple[int, int], ...]
"""Units by product id."""


@dataclass(frozen=True, slots=True)
class ProductLink:
    """A product as a list shows it; lists keep the page's order."""

    product_id: int
    name: str


class SaleState(Enum):
    """What a product's page says of its flash sale."""

    UPCOMING = "upcoming"
    OPEN = "open"
    SOLD_OUT = "sold_out"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Sale:
    """A product's flash sale: `starts_at` in seconds since the epoch, `limit` in units for each customer."""

    state: SaleState
    starts_at: float
    limit: int


@dataclass(frozen=True, slots=True)
class Product:
    """A product as its own page shows it; `stock` counts units."""

    product_id: int
    name: str
    price_idr: int
    stock: int
    sale: Sale | None = None


@dataclass(frozen=True, slots=True)
class Cart:
    """What the cart page says: number of units and their price."""

    unit_count: int
    total_idr: int


@dataclass(frozen=True, slots=True)
class Page:
    """What a shopper takes from a page; what it does not show is empty or None.

    `lines` are the units by product that a cart, a payment form or an order holds; `wait_s` is how long the shop asks
    to wait before the next try.
    """

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
    lines: Lines = ()
    wait_s: float | None = None

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

    def units_of(self, product_id: int) -> int:
        """How many of those are of one product."""

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
        """Puts some units of a product into the cart, and shows it.

        In a flash sale SALE_NOT_OPEN, SALE_LIMIT and HELD_BACK are outcomes; the last shows the waiting room.
        """

    def wait(self, product_id: int) -> Page:
        """The waiting room once more: HELD_BACK, OUT_OF_STOCK, SALE_OVER, or the product's page for who is let in."""

    def cart(self) -> Page:
        """The cart."""

    def checkout(self) -> Page:
        """The address form."""

    def send_address(self, address: Address) -> Page:
        """Sends the address; the page is the payment form with its idempotency key."""

    def payment_form(self) -> Page:
        """The payment form once more, with a key that has not been used."""

    def use_vouchers(self, coupon: str, gift_card: str) -> Page:
        """Types codes into the payment form, "" for none; shows the form again, whether they were taken or not."""

    def pay(self, form: Page, *, card: str) -> Page:
        """Sends the payment form `form` and shows the confirmation.

        PAYMENT_DECLINED, OUT_OF_STOCK, PRICE_CHANGED, VOUCHER_REFUSED and RESERVATION_EXPIRED are outcomes. The page
        names the order if, and only if, the shop acknowledged it, whatever became of the confirmation.
        """

    def send_back(self, order_id: int) -> Page:
        """Returns an order that this shopper has paid, and shows it; NOT_RETURNABLE is an outcome."""

    def register(self, account: Account) -> Page:
        """Makes an account and is logged in with it."""

    def log_in(self, account: Account) -> Page:
        """Logs in with an account made before."""

    def account(self) -> Page:
        """The account page; only after a login."""

    def orders(self) -> Page:
        """The order history; only after a login."""
