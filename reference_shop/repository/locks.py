"""Every row lock of the shop. Taken in one order, so that no two transactions can wait for each other in a ring:

checkout -> order -> stock, and within stock by ascending product id.
"""

from collections.abc import Collection

from reference_shop.domain.orders import Checkout, Order
from reference_shop.repository.database import Connection
from reference_shop.repository.rows import checkout_from, order_from


async def lock_checkout(connection: Connection, cart_id: int) -> Checkout | None:
    """Let one payment at a time pass for a cart."""
    row = await connection.fetchrow("SELECT * FROM checkouts WHERE cart_id = $1 FOR UPDATE", cart_id)
    return checkout_from(row) if row else None


async def lock_order(connection: Connection, order_id: int) -> Order:
    """Let one transaction at a time settle an order that exists; return it as it is now."""
    row = await connection.fetchrow("SELECT * FROM orders WHERE order_id = $1 FOR UPDATE", order_id)
    if row is None:
        raise LookupError(f"there is no order {order_id}")
    return order_from(row)


async def claim_pending_orders(connection: Connection, limit: int, lease_s: float) -> list[Order]:
    """Take pending orders that are due for a check; no other worker gets them for `lease_s`."""
    rows = await connection.fetch(
        """UPDATE orders SET next_check_at = now() + make_interval(secs => $2)
           WHERE order_id IN (SELECT order_id FROM orders WHERE state = 'pending' AND next_check_at <= now()
                              ORDER BY next_check_at LIMIT $1 FOR UPDATE SKIP LOCKED)
           RETURNING *""",
        limit,
        lease_s,
    )
    return [order_from(row) for row in rows]


async def lock_stock(connection: Connection, product_ids: Collection[int]) -> dict[int, int]:
    """Return the units on hand of these products, which nobody else can change before this transaction ends."""
    rows = await connection.fetch(
        "SELECT product_id, on_hand FROM stock WHERE product_id = ANY($1::int[]) ORDER BY product_id FOR UPDATE",
        list(product_ids),
    )
    return {row["product_id"]: row["on_hand"] for row in rows}
