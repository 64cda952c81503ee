"""What a line of truth.jsonl says, as values; one class per type of line, in the words of docs/run-format.md.

Every `read` raises KeyError for a field that is missing and TypeError for one that is not what it must be.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from loadgen.records import Json

Line = Mapping[str, Json]


class OrderLine(NamedTuple):
    """Some units of one product at the price of the order's instant."""

    product_id: int
    quantity: int
    price_idr: int


@dataclass(frozen=True, slots=True)
class TruthOrder:
    """An order in the shop's books; `state` is pending, paid, cancelled, returning or returned.

    What a shop does not tell is None: a shop that names no `discount_idr` may add shipping or tax to a total.
    """

    order_id: int
    idempotency_key: str | None
    state: str
    total_idr: int
    discount_idr: int | None = None
    gift_idr: int | None = None
    charge_idr: int | None = None
    lines: tuple[OrderLine, ...] | None = None

    @property
    def name(self) -> str:
        """The order as a finding names it."""
        return name_of(self.order_id, self.idempotency_key)

    @property
    def due_idr(self) -> int:
        """What the payment provider is to take for it."""
        return self.total_idr if self.charge_idr is None else self.charge_idr

    @classmethod
    def read(cls, line: Line) -> Self:
        """The order that a line tells."""
        return cls(
            whole(line, "order_id"),
            _key(line),
            str(line["state"]),
            whole(line, "total_idr"),
            _whole_or_none(line, "discount_idr"),
            _whole_or_none(line, "gift_idr"),
            _whole_or_none(line, "charge_idr"),
            _order_lines(line),
        )


@dataclass(frozen=True, slots=True)
class TruthPayment:
    """What the shop's own books say of the provider's answer; `state` is captured, declined or refunded."""

    idempotency_key: str | None
    order_id: int | None
    amount_idr: int
    state: str

    @classmethod
    def read(cls, line: Line) -> Self:
        """The payment that a line tells."""
        return cls(_key(line), _whole_or_none(line, "order_id"), whole(line, "amount_idr"), str(line["state"]))


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge in the provider's books; `at` is when it got into its state: captured, declined, voided or refunded."""

    idempotency_key: str | None
    order_id: int | None
    amount_idr: int
    state: str
    at: float

    @property
    def name(self) -> str:
        """The charge as a finding names it."""
        return name_of(self.order_id, self.idempotency_key)

    @classmethod
    def read(cls, line: Line) -> Self:
        """The charge that a line tells; a key voided before it was charged has the order 0, which is none."""
        order_id = _whole_or_none(line, "order_id") or None
        return cls(_key(line), order_id, whole(line, "amount_idr"), str(line["state"]), instant(line, "at"))


@dataclass(frozen=True, slots=True)
class Stock:
    """A product's units by where they are; `held` is `reserved` as orders and reservations have it."""

    product_id: int
    initial: int
    on_hand: int
    reserved: int
    sold: int
    returned: int
    held: int
    moved_at: float

    @classmethod
    def read(cls, line: Line) -> Self:
        """The stock that a line tells."""
        return cls(
            whole(line, "product_id"),
            whole(line, "initial"),
            whole(line, "on_hand"),
            whole(line, "reserved"),
            whole(line, "sold"),
            whole(line, "returned"),
            whole(line, "held"),
            instant(line, "moved_at"),
        )


class Movement(NamedTuple):  # there are hundreds of thousands, and a tuple is made in half the time
    """An entry of the ledger of stock; `on_hand_after` is as its writer saw it."""

    entry_id: int
    at: float
    product_id: int
    change: str
    quantity: int
    on_hand_after: int

    @classmethod
    def read(cls, line: Line) -> Self:
        """The movement that a line tells."""
        return cls(
            whole(line, "entry_id"),
            instant(line, "at"),
            whole(line, "product_id"),
            str(line["change"]),
            whole(line, "quantity"),
            whole(line, "on_hand_after"),
        )


class PriceChange(NamedTuple):
    """An entry of the ledger of prices."""

    entry_id: int
    at: float
    product_id: int

    @classmethod
    def read(cls, line: Line) -> Self:
        """The change that a line tells."""
        return cls(whole(line, "entry_id"), instant(line, "at"), whole(line, "product_id"))


class Transition(NamedTuple):
    """An entry of the ledger of orders; `before` is None where the order was placed."""

    entry_id: int
    at: float
    order_id: int
    before: str | None
    after: str

    @classmethod
    def read(cls, line: Line) -> Self:
        """The transition that a line tells."""
        before = line["from"]
        return cls(
            whole(line, "entry_id"),
            instant(line, "at"),
            whole(line, "order_id"),
            None if before is None else str(before),
            str(line["to"]),
        )


@dataclass(frozen=True, slots=True)
class Coupon:
    """A coupon's counter beside the orders not cancelled that carry it."""

    code: str
    allowed_count: int
    used_count: int
    order_count: int

    @classmethod
    def read(cls, line: Line) -> Self:
        """The coupon that a line tells."""
        names = ("allowed_count", "used_count", "order_count")
        return cls(str(line["code"]), *(whole(line, name) for name in names))


@dataclass(frozen=True, slots=True)
class GiftCard:
    """A gift card's balance beside what orders neither cancelled nor returned spent of it."""

    gift_card_id: int
    initial_idr: int
    balance_idr: int
    spent_idr: int

    @classmethod
    def read(cls, line: Line) -> Self:
        """The gift card that a line tells."""
        return cls(*(whole(line, name) for name in ("gift_card_id", "initial_idr", "balance_idr", "spent_idr")))


@dataclass(frozen=True, slots=True)
class Reservation:
    """Units that a flash sale still holds for somebody."""

    reservation_id: int
    expires_at: float

    @classmethod
    def read(cls, line: Line) -> Self:
        """The reservation that a line tells."""
        return cls(whole(line, "reservation_id"), instant(line, "expires_at"))


@dataclass(frozen=True, slots=True)
class Sale:
    """A flash sale; `sold_count` counts the units of its reservations that became orders not cancelled."""

    sale_id: int
    product_id: int
    units: int
    limit_per_customer: int
    starts_at: float
    sold_count: int

    @classmethod
    def read(cls, line: Line) -> Self:
        """The sale that a line tells."""
        return cls(
            whole(line, "sale_id"),
            whole(line, "product_id"),
            whole(line, "units"),
            whole(line, "limit_per_customer"),
            instant(line, "starts_at"),
            whole(line, "sold_count"),
        )


@dataclass(frozen=True, slots=True)
class SaleCustomer:
    """What one customer of a flash sale holds, ordered and bought."""

    sale_id: int
    customer: str
    units: int

    @classmethod
    def read(cls, line: Line) -> Self:
        """The customer that a line tells."""
        return cls(whole(line, "sale_id"), str(line["customer"]), whole(line, "units"))


@dataclass(frozen=True, slots=True)
class Shown:
    """A product's stock as the catalogue showed it at an instant, beside the stock."""

    product_id: int
    shown: int
    on_hand: int
    moved_at: float
    shown_at: float

    @classmethod
    def read(cls, line: Line) -> Self:
        """The shown stock that a line tells."""
        return cls(
            whole(line, "product_id"),
            whole(line, "shown"),
            whole(line, "on_hand"),
            instant(line, "moved_at"),
            instant(line, "shown_at"),
        )


def name_of(order_id: int | None, key: str | None) -> str:
    """An order as a finding names it: by its number, else by its key."""
    return f"order {order_id}" if order_id is not None else f"key {key}" if key else "an order without number or key"


def whole(line: Line, name: str) -> int:
    """The whole number in a field."""
    value = line[name]
    if type(value) is not int:  # a bool is an int by inheritance only
        raise TypeError(f"{name}, a whole number: {value!r}")
    return value


def instant(line: Line, name: str) -> float:
    """The seconds since the epoch in a field."""
    value = line[name]
    if (type(value) is not float and type(value) is not int) or not math.isfinite(value):
        raise TypeError(f"{name}, seconds since the epoch: {value!r}")
    return float(value)


def _whole_or_none(line: Line, name: str) -> int | None:
    return None if line.get(name) is None else whole(line, name)


def _key(line: Line) -> str | None:
    key = line.get("idempotency_key")
    return None if key is None else str(key)


def _order_lines(line: Line) -> tuple[OrderLine, ...] | None:
    """The lines of an order. A shop that names no discount speaks in its own words, and may leave them out."""
    if "discount_idr" in line:
        return _read_lines(line["lines"])
    try:
        return _read_lines(line["lines"])
    except (KeyError, TypeError):
        return None


def _read_lines(listed: Json) -> tuple[OrderLine, ...]:
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        raise TypeError(f"lines, a list: {listed!r}")
    return tuple(_order_line(one) for one in listed)


def _order_line(line: Json) -> OrderLine:
    if not isinstance(line, Mapping):
        raise TypeError(f"lines, a list of objects: {line!r}")
    return OrderLine(whole(line, "product_id"), whole(line, "quantity"), whole(line, "price_idr"))
