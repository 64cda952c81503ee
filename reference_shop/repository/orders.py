"""Orders, their lines, their payments and the stock they take. Called inside a transaction that `locks` guards."""

from collections.abc import Sequence
from uuid import UUID

from reference_shop.domain.orders import Address, Buyer, Line, Order, OrderState, PlacedOrder
from reference_shop.domain.payments import ChargeState
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
    key: UUID,
    buyer: Buyer,
    address: Address,
    lines: Sequence[Line],
    total_idr: int,
    payment_digest: bytes,
    check_after_s: float,
) -> Order:
    """Write a pending order with its lines; it falls due for reconciliation after `check_after_s`."""
    row = await connection.fetchrow(
        """INSERT INTO orders (idempotency_key, cart_id, account_id, total_idr, payment_digest, next_check_at,
                               recipient, phone, street, city, province, postcode)
           VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6), $7, $8, $9, $10, $11, $12) RETURNING *""",
        key,
        buyer.cart_id,
        buyer.account_id,
        total_idr,
        payment_digest,
        check_after_s,
        address.recipient,
        address.phone,
        address.street,
        address.city,
        address.province,
        address.postcode,
    )
    assert row is not None  # noqa: S101  (RETURNING of an unconditional INSERT)
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


async def set_state(connection: Connection, order_id: int, state: OrderState) -> None:
    """Move a locked order to its final state."""
    await connection.execute("UPDATE orders SET state = $2 WHERE order_id = $1", order_id, state.value)


async def insert_payment(connection: Connection, order: Order, state: ChargeState) -> None:
    """Record how the provider answered."""
    await connection.execute(
        "INSERT INTO payments (idempotency_key, order_id, amount_idr, state) VALUES ($1, $2, $3, $4)",
        order.key,
        order.order_id,
        order.total_idr,
        state.value,
    )


async def move_stock(connection: Connection, lines: Sequence[Line], direction: int) -> None:
    """Take the lines' units out of the locked stock (`direction` -1) or put them back (+1)."""
    await connection.execute(
        """UPDATE stock s SET on_hand = s.on_hand + $3 * l.quantity, sold = s.sold - $3 * l.quantity
           FROM unnest($1::int[], $2::int[]) l (product_id, quantity) WHERE s.product_id = l.product_id""",
        [line.product_id for line in lines],
        [line.quantity for line in lines],
        direction,
    )
