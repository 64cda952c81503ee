"""Invents what was bought before the shop opened: pure functions from a seed to paid orders."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from faker import Faker

from reference_shop.domain.orders import Address
from reference_shop.seed.catalogue import OPENED_AT

PERIOD = timedelta(days=730)
_PEOPLE_COUNT = 400
# Of the orders: the others were guests'. An account has four of them on average.
_ACCOUNT_RATIO = 0.4
_ORDERS_PER_ACCOUNT_ROW = 10
_LINE_COUNTS = (1, 1, 1, 2, 2, 3)
_QUANTITIES = (1, 1, 1, 1, 2, 3)


@dataclass(frozen=True, slots=True)
class Past:
    """What to invent: the same past of the same catalogue gives the same orders."""

    people: tuple[Address, ...]
    order_count: int
    seed: int

    @property
    def account_count(self) -> int:
        """How many accounts there are; account n holds cart n, and the carts after those are guests'."""
        return -(-self.order_count // _ORDERS_PER_ACCOUNT_ROW)

    def person(self, cart_id: int) -> Address:
        """Return who shops with a cart, and where they live."""
        return self.people[cart_id % len(self.people)]


@dataclass(frozen=True, slots=True)
class PastOrder:
    """An order that was paid at once; `lines` are product id, units and price of one."""

    order_id: int
    key: UUID
    cart_id: int
    account_id: int | None
    placed_at: datetime
    lines: tuple[tuple[int, int, int], ...]

    @property
    def total_idr(self) -> int:
        """What was paid: there are no vouchers in the past."""
        return sum(quantity * price_idr for _, quantity, price_idr in self.lines)


def plan_past(order_count: int, seed: int) -> Past:
    """Invent the people; afterwards nothing needs to be imported any more."""
    faker = Faker("id_ID")
    faker.seed_instance(seed)
    return Past(tuple(_person(faker) for _ in range(_PEOPLE_COUNT if order_count else 0)), order_count, seed)


def invent_orders(past: Past, prices_idr: Sequence[int]) -> Iterator[PastOrder]:
    """Yield the orders in the order of their instants; `prices_idr` are those of the products from id 1 on."""
    rng = random.Random(f"past orders {past.seed}")
    guest_cart_id = past.account_count
    for order_id in range(1, past.order_count + 1):
        account_id = rng.randint(1, past.account_count) if rng.random() < _ACCOUNT_RATIO else None
        if account_id is None:
            guest_cart_id += 1
        yield PastOrder(
            order_id=order_id,
            key=UUID(int=rng.getrandbits(128), version=4),
            cart_id=account_id or guest_cart_id,
            account_id=account_id,
            placed_at=OPENED_AT - PERIOD * (1 - (order_id - rng.random()) / past.order_count),
            lines=_invent_lines(rng, prices_idr),
        )


def _invent_lines(rng: random.Random, prices_idr: Sequence[int]) -> tuple[tuple[int, int, int], ...]:
    product_ids = {_draw_product(rng, len(prices_idr)) for _ in range(rng.choice(_LINE_COUNTS))}
    return tuple(
        (product_id, rng.choice(_QUANTITIES), prices_idr[product_id - 1]) for product_id in sorted(product_ids)
    )


def _draw_product(rng: random.Random, count: int) -> int:
    """Return an id by Zipf's law with exponent 1, nearly: P(id) is proportional to log(1 + 1/id)."""
    return int((count + 1) ** rng.random())


def _person(faker: Faker) -> Address:
    return Address(
        recipient=faker.name(),
        phone=f"08{faker.random_number(10, fix_len=True)}",
        street=faker.street_address(),
        city=faker.city(),
        province=faker.state(),
        postcode=faker.postcode(),
    )
