"""Writes the orders of the past, who placed them and how they were paid.

Their stock movements are in the counts that the stock begins with and not in the ledger, which begins with the opening.
"""

import hashlib
from collections.abc import Callable, MutableSequence, Sequence
from datetime import timedelta

from reference_shop.repository.database import Connection
from reference_shop.seed.batches import in_batches
from reference_shop.seed.catalogue import OPENED_AT
from reference_shop.seed.past_orders import PERIOD, Past, PastOrder, invent_orders

Progress = Callable[[str, int, int], None]

# No password has this digest, no cookie one of 16 bytes: nobody shops on in the past.
_NOBODYS_DIGEST = "$"
_DIGEST_BYTES = 16
_PAID_AFTER = timedelta(seconds=1)
_BEGAN_AT = OPENED_AT - PERIOD
_ORDER_COLUMNS = (
    "order_id", "idempotency_key", "cart_id", "account_id", "state", "total_idr", "payment_digest", "placed_at",
    "next_check_at", "recipient", "phone", "street", "city", "province", "postcode",
)  # fmt: skip


async def copy_past(
    connection: Connection, past: Past, prices_idr: Sequence[int], sold: MutableSequence[int], report: Progress
) -> None:
    """Copy the orders in, at these prices, and add their units to `sold` (from product id 1 on)."""
    if not past.order_count:
        return
    for ids in in_batches(range(1, past.account_count + 1)):
        await _copy_accounts(connection, past, ids)
        await _copy_carts(connection, ids)
    cart_id, done = past.account_count, 0
    for batch in in_batches(invent_orders(past, prices_idr)):
        last = max(cart_id, *(order.cart_id for order in batch))
        await _copy_carts(connection, range(cart_id + 1, last + 1))
        await _copy_orders(connection, past, batch)
        for order in batch:
            for product_id, quantity, _ in order.lines:
                sold[product_id - 1] += quantity
        cart_id, done = last, done + len(batch)
        report("past orders", done, past.order_count)
    for table, column, last in (
        ("accounts", "account_id", past.account_count),
        ("carts", "cart_id", cart_id),
        ("orders", "order_id", done),
    ):
        await connection.execute("SELECT setval(pg_get_serial_sequence($1, $2), $3)", table, column, last)


async def _copy_accounts(connection: Connection, past: Past, ids: Sequence[int]) -> None:
    await connection.copy_records_to_table(
        "accounts",
        records=[
            (number, f"pelanggan{number}@contoh.example", past.person(number).recipient, _NOBODYS_DIGEST, _BEGAN_AT)
            for number in ids
        ],
        columns=("account_id", "email", "name", "password_hash", "created_at"),
    )


async def _copy_carts(connection: Connection, ids: Sequence[int]) -> None:
    await connection.copy_records_to_table(
        "carts",
        records=[(number, number.to_bytes(_DIGEST_BYTES), _BEGAN_AT) for number in ids],
        columns=("cart_id", "token_digest", "created_at"),
    )


async def _copy_orders(connection: Connection, past: Past, batch: list[PastOrder]) -> None:
    await connection.copy_records_to_table(
        "orders", records=[_order_row(order, past) for order in batch], columns=_ORDER_COLUMNS
    )
    await connection.copy_records_to_table(
        "order_lines",
        records=[(order.order_id, *line) for order in batch for line in order.lines],
        columns=("order_id", "product_id", "quantity", "price_idr"),
    )
    await connection.copy_records_to_table(
        "payments",
        records=[
            (order.key, order.order_id, order.total_idr, "captured", order.placed_at + _PAID_AFTER) for order in batch
        ],
        columns=("idempotency_key", "order_id", "amount_idr", "state", "settled_at"),
    )


def _order_row(order: PastOrder, past: Past) -> tuple[object, ...]:
    person = past.person(order.cart_id)
    return (
        order.order_id,
        order.key,
        order.cart_id,
        order.account_id,
        "paid",
        order.total_idr,
        hashlib.sha256(order.key.bytes).digest(),
        order.placed_at,
        order.placed_at,
        person.recipient,
        person.phone,
        person.street,
        person.city,
        person.province,
        person.postcode,
    )
