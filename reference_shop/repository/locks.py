"""Every row lock of the shop. Taken in one order, so that no two transactions can wait for each other in a ring:

checkout -> order -> coupon -> gift card -> reservation -> stock -> cart line, and within stock by ascending product id.
"""

from collections.abc import Collection

from reference_shop import metrics
from reference_shop.domain.orders import Checkout, Order
from reference_shop.domain.sales import Reservation
from reference_shop.domain.vouchers import Coupon, GiftCard
from reference_shop.repository.database import Connection
from reference_shop.repository.rows import checkout_from, order_from
from reference_shop.repository.sales import reservation_from
from reference_shop.repository.vouchers import coupon_from


async def lock_checkout(connection: Connection, cart_id: int) -> Checkout | None:
    """Let one payment at a time pass for a cart."""
    with metrics.lock_wait("checkout"):
        row = await connection.fetchrow("SELECT * FROM checkouts WHERE cart_id = $1 FOR UPDATE", cart_id)
    return checkout_from(row) if row else None


async def lock_order(connection: Connection, order_id: int) -> Order:
    """Let one transaction at a time settle an order that exists; return it as it is now."""
    with metrics.lock_wait("order"):
        row = await connection.fetchrow("SELECT * FROM orders WHERE order_id = $1 FOR UPDATE", order_id)
    if row is None:
        raise LookupError(f"there is no order {order_id}")
    return order_from(row)


async def claim_open_orders(connection: Connection, limit: int, lease_s: float) -> list[Order]:
    """Take pending and returning orders that are due for a check; no other worker gets them for `lease_s`."""
    rows = await connection.fetch(
        """UPDATE orders SET next_check_at = now() + make_interval(secs => $2)
           WHERE order_id IN (SELECT order_id FROM orders WHERE state IN ('pending', 'returning')
                                AND next_check_at <= now()
                              ORDER BY next_check_at LIMIT $1 FOR UPDATE SKIP LOCKED)
           RETURNING *""",
        limit,
        lease_s,
    )
    return [order_from(row) for row in rows]


async def lock_vouchers(
    connection: Connection, coupon_id: int | None, gift_card_id: int | None
) -> tuple[Coupon | None, GiftCard | None]:
    """Return a checkout's vouchers as they are now; nobody else can spend them before this transaction ends."""
    coupon = gift_card = None
    if coupon_id is not None:
        with metrics.lock_wait("coupon"):
            coupon = await connection.fetchrow(
                "SELECT * FROM coupons WHERE coupon_id = $1 FOR NO KEY UPDATE", coupon_id
            )
    if gift_card_id is not None:
        with metrics.lock_wait("gift_card"):
            gift_card = await connection.fetchrow(
                "SELECT gift_card_id, balance_idr FROM gift_cards WHERE gift_card_id = $1 FOR NO KEY UPDATE",
                gift_card_id,
            )
    return coupon_from(coupon) if coupon else None, GiftCard(**gift_card) if gift_card else None


async def lock_offers(connection: Connection) -> None:
    """Let one operator at a time put something on offer; taken before all others."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('offers ' || current_schema()))")


async def lock_held(connection: Connection, cart_id: int, product_id: int | None = None) -> list[Reservation]:
    """Return a cart's reservations that have not expired, of one product or all; they cannot expire meanwhile."""
    rows = await connection.fetch(
        """SELECT reservation_id, product_id, cart_id, quantity FROM reservations
           WHERE cart_id = $1 AND state = 'held' AND expires_at > now() AND ($2::int IS NULL OR product_id = $2)
           ORDER BY reservation_id FOR UPDATE""",
        cart_id,
        product_id,
    )
    return [reservation_from(row) for row in rows]


async def claim_expired(connection: Connection, limit: int) -> list[Reservation]:
    """Take reservations whose time is up; no other worker gets them meanwhile."""
    rows = await connection.fetch(
        """SELECT reservation_id, product_id, cart_id, quantity FROM reservations
           WHERE state = 'held' AND expires_at <= now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED""",
        limit,
    )
    return [reservation_from(row) for row in rows]


async def lock_stock(connection: Connection, product_ids: Collection[int]) -> dict[int, int]:
    """Return the units on hand of these products, which nobody else can change before this transaction ends."""
    with metrics.lock_wait("stock"):
        rows = await connection.fetch(
            "SELECT product_id, on_hand FROM stock WHERE product_id = ANY($1::int[]) ORDER BY product_id FOR UPDATE",
            list(product_ids),
        )
    return {row["product_id"]: row["on_hand"] for row in rows}
