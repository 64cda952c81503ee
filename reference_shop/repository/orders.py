"""Orders, their lines and their payments; each change is a row of the ledger as well.

Called inside a transaction that `locks` guards.
"""

from collections.abc import Sequence
from uuid import UUID

from reference_shop.domain.orders import Buyer, Checkout, Line, Order, OrderState, PlacedOrder
from reference_shop.domain.payments import ChargeState
from reference_shop.domain.vouchers import Bill
from reference_shop.repository.database import Connection
from reference_shop.repository.rows import address_from, line_from, order_from


async def find_by_key(connection: Connection, key: UUID) -> Order | None:
    """Return the order that was placed under an idempotency key."""
    row = await connection.fetchrow("SELECT * FROM orders WHERE idempotency_key = $1", key)
    return order_from(row) if row else None


async def find_placed(connection: Connection, order_id: int) -> PlacedOrder | None:
    """Return an order with its lines and address."""
    row = await connection.fetchrow("SELECT * FROM orders WHERE order_id = $1", order_id)
    return PlacedOrder(order_from(row), await lines_of(connection, order_id), address_from(row)) if row else None


async def lines_of(connection: Connection, order_id: int) -> tuple[Line, ...]:
    """Return an order's lines at the prices of then."""
    rows = await connection.fetch(
        """SELECT l.product_id, p.name, l.quantity, l.price_idr FROM order_lines l JOIN products p USING (product_id)
           WHERE l.order_id = $1 ORDER BY l.product_id""",
        order_id,
    )
    return tuple(map(line_from, rows))


async def of_account(connection: Connection, account_id: int, limit: int) -> list[Order]:
    """Return an account's latest orders."""
    rows = await connection.fetch(
        "SELECT * FROM orders WHERE account_id = $1 ORDER BY order_id DESC LIMIT $2", account_id, limit
    )
    return [order_from(row) for row in rows]


async def of_cart(connection: Connection, cart_id: int, limit: int) -> list[Order]:
    """Return the latest orders that were placed from a cart."""
    rows = await connection.fetch(
        "SELECT * FROM orders WHERE cart_id = $1 ORDER BY order_id DESC LIMIT $2", cart_id, limit
    )
    return [order_from(row) for row in rows]


async def insert_pending(
    connection: Connection,
    *,
    checkout: Checkout,
    buyer: Buyer,
    lines: Sequence[Line],
    bill: Bill,
    payment_digest: bytes,
    check_after_s: float,
) -> Order:
    """Write a pending order with its lines; it falls due for reconciliation after `check_after_s`."""
    address = checkout.address
    row = await connection.fetchrow(
        """WITH placed AS (
               INSERT INTO orders (idempotency_key, cart_id, account_id, discount_idr, total_idr, gift_idr, coupon_id,
                                   gift_card_id, payment_digest, next_check_at,
                                   recipient, phone, street, city, province, postcode)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + make_interval(secs => $10),
                       $11, $12, $13, $14, $15, $16) RETURNING *),
           noted AS (INSERT INTO ledger (subject, change, order_id, amount_idr)
                     SELECT 'order', state, order_id, total_idr FROM placed)
           SELECT * FROM placed""",
        checkout.key,
        buyer.cart_id,
        buyer.account_id,
        bill.discount_idr,
        bill.total_idr,
        bill.gift_idr,
        checkout.coupon_id,
        checkout.gift_card_id,
        payment_digest,
        check_after_s,
        address.recipient,
        address.phone,
        address.street,
        address.city,
        address.province,
        address.postcode,
    )
    assert row is not None  # noqa: S101  (an unconditional INSERT)
    order = order_from(row)
    await connection.execute(
        """INSERT INTO order_lines (order_id, product_id, quantity, price_idr)
           SELECT $1, * FROM unnest($2::int[], $3::int[], $4::bigint[])""",
        order.order_id,
        [line.product_id for line in lines],
        [line.quantity for line in lines],
        [line.price_idr for line in lines],
    )
    return order


async def set_state(connection: Connection, order: Order, state: OrderState, check_after_s: float = 0.0) -> None:
    """Move a locked order on; an open one falls due for reconciliation after `check_after_s`."""
    await connection.execute(
        """WITH moved AS (UPDATE orders SET state = $2, next_check_at = now() + make_interval(secs => $4)
                          WHERE order_id = $1 RETURNING order_id)
           INSERT INTO ledger (subject, change, was, order_id) SELECT 'order', $2, $3, order_id FROM moved""",
        order.order_id,
        state.value,
        order.state.value,
        check_after_s,
    )


async def insert_payment(connection: Connection, order: Order, state: ChargeState) -> None:
    """Record how the provider answered."""
    await connection.execute(
        """WITH made AS (INSERT INTO payments (idempotency_key, order_id, amount_idr, state) VALUES ($1, $2, $3, $4)
                         RETURNING *)
           INSERT INTO ledger (subject, change, order_id, amount_idr)
           SELECT 'payment', state, order_id, amount_idr FROM made""",
        order.key,
        order.order_id,
        order.charge_idr,
        state.value,
    )


async def refund_payment(connection: Connection, order: Order) -> None:
    """Record that the provider gave the money back."""
    await connection.execute(
        """WITH changed AS (UPDATE payments SET state = 'refunded' WHERE order_id = $1 RETURNING *)
           INSERT INTO ledger (subject, change, was, order_id, amount_idr)
           SELECT 'payment', state, 'captured', order_id, amount_idr FROM changed""",
        order.order_id,
    )
