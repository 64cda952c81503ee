"""Carts, orders and the rule by which an order's state may change.

pending --captured--> paid --sent back--> returning --refunded--> returned
   |-----declined or never charged--> cancelled (the stock is released)
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

MAX_QUANTITY_PER_LINE = 20
MAX_LINES_PER_CART = 50


class OrderState(StrEnum):
    """Where an order stands; `cancelled` and `returned` are final."""

    PENDING = "pending"
    PAID = "paid"
    CANCELLED = "cancelled"
    RETURNING = "returning"
    RETURNED = "returned"


LEGAL_MOVES: Mapping[OrderState, frozenset[OrderState]] = MappingProxyType(
    {
        OrderState.PENDING: frozenset({OrderState.PAID, OrderState.CANCELLED}),
        OrderState.PAID: frozenset({OrderState.RETURNING}),
        OrderState.RETURNING: frozenset({OrderState.RETURNED}),
        OrderState.CANCELLED: frozenset(),
        OrderState.RETURNED: frozenset(),
    }
)
"""The states that may follow each state."""


@dataclass(frozen=True, slots=True)
class Line:
    """Some units of one product at the price of the moment."""

    product_id: int
    name: str
    quantity: int
    price_idr: int

    @property
    def total_idr(self) -> int:
        """Price of all units."""
        return self.quantity * self.price_idr


def total_idr(lines: Iterable[Line]) -> int:
    """Return what the lines cost together; shipping is free in this shop."""
    return sum(line.total_idr for line in lines)


@dataclass(frozen=True, slots=True)
class Cart:
    """What a shopper wants to buy."""

    cart_id: int
    lines: tuple[Line, ...]

    @property
    def total_idr(self) -> int:
        """Price of everything in the cart."""
        return total_idr(self.lines)

    @property
    def unit_count(self) -> int:
        """Number of units, as the badge shows it."""
        return sum(line.quantity for line in self.lines)


@dataclass(frozen=True, slots=True)
class Address:
    """Where an order goes, and whom to call."""

    recipient: str
    phone: str
    street: str
    city: str
    province: str
    postcode: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """An address given for a cart, the idempotency key that its payment form carries, and the vouchers on it."""

    cart_id: int
    key: UUID
    address: Address
    coupon_id: int | None = None
    gift_card_id: int | None = None


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who pays: the cart's holder, and the account if logged in."""

    cart_id: int
    account_id: int | None


@dataclass(frozen=True, slots=True)
class Order:
    """One order. `payment_digest` tells a replayed payment from another one under the same key."""

    order_id: int
    key: UUID
    cart_id: int
    account_id: int | None
    state: OrderState
    discount_idr: int
    total_idr: int
    gift_idr: int
    coupon_id: int | None
    gift_card_id: int | None
    placed_at: datetime
    payment_digest: bytes

    @property
    def charge_idr(self) -> int:
        """What the payment provider is asked for; nothing when a gift card covers it all."""
        return self.total_idr - self.gift_idr

    def belongs_to(self, cart_id: int | None, account_id: int | None) -> bool:
        """Tell whether the holder of this cart, or of this account, may see the order."""
        return self.cart_id == cart_id or (self.account_id is not None and self.account_id == account_id)


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order with its lines and address, as confirmation and history show it."""

    order: Order
    lines: tuple[Line, ...]
    address: Address
