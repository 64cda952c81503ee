"""Flash sales and the units that are reserved in them."""

from collections.abc import Sequence
from datetime import datetime

from reference_shop.domain.orders import Buyer
from reference_shop.domain.sales import FlashSale, Reservation, Taken
from reference_shop.repository.database import Connection, Row

_SALE = "sale_id, product_id, units, limit_per_customer, starts_at, ends_at, reservation_s"


async def current(connection: Connection) -> list[FlashSale]:
    """Return the sales that are open or to come, the latest of each product."""
    rows = await connection.fetch(
        f"""SELECT DISTINCT ON (product_id) {_SALE} FROM flash_sales WHERE ends_at > now()
            ORDER BY product_id, sale_id DESC"""  # noqa: S608  (a constant)
    )
    return [FlashSale(**row) for row in rows]


async def of_product(connection: Connection, product_id: int) -> FlashSale | None:
    """Return the sale of a product that is open or to come."""
    row = await connection.fetchrow(
        f"""SELECT {_SALE} FROM flash_sales WHERE product_id = $1 AND ends_at > now()
            ORDER BY sale_id DESC LIMIT 1""",  # noqa: S608
        product_id,
    )
    return FlashSale(**row) if row else None


async def begin(
    connection: Connection,
    *,
    product_id: int,
    units: int,
    limit_per_customer: int,
    starts_at: datetime,
    ends_at: datetime,
    reservation_s: float,
) -> FlashSale:
    """Announce a sale; an earlier one of the same product is over."""
    await connection.execute(
        """UPDATE flash_sales SET ends_at = greatest(now(), starts_at + interval '1 microsecond')
           WHERE product_id = $1 AND ends_at > now()""",
        product_id,
    )
    row = await connection.fetchrow(
        f"""INSERT INTO flash_sales (product_id, units, limit_per_customer, starts_at, ends_at, reservation_s)
            VALUES ($1, $2, $3, $4, $5, $6) RETURNING {_SALE}""",  # noqa: S608
        product_id,
        units,
        limit_per_customer,
        starts_at,
        ends_at,
        reservation_s,
    )
    assert row is not None  # noqa: S101  (RETURNING of an unconditional INSERT)
    return FlashSale(**row)


async def take_ticket(connection: Connection, sale_id: int) -> int:
    """Return the next number of a sale's waiting room, counted from 1."""
    number: int = await connection.fetchval(
        "UPDATE flash_sales SET ticket_count = ticket_count + 1 WHERE sale_id = $1 RETURNING ticket_count", sale_id
    )
    return number


async def on_hand(connection: Connection, product_id: int) -> int:
    """Return the units that are left of a product."""
    units: int = await connection.fetchval("SELECT on_hand FROM stock WHERE product_id = $1", product_id)
    return units


async def units_taken(connection: Connection, sale_id: int, buyer: Buyer) -> Taken:
    """Return how many units of a sale are held, ordered or bought; a customer is known by cart or account."""
    row = await connection.fetchrow(
        """SELECT coalesce(sum(quantity) FILTER (WHERE cart_id = $2 OR account_id = $3), 0)::int AS by_customer,
                  coalesce(sum(quantity), 0)::int AS by_all
           FROM reservations WHERE sale_id = $1 AND state IN ('held', 'ordered', 'bought')""",
        sale_id,
        buyer.cart_id,
        buyer.account_id,
    )
    assert row is not None  # noqa: S101  (an aggregate always has a row)
    return Taken(**row)


async def adopt(connection: Connection, reservations: Sequence[Reservation], account_id: int) -> list[FlashSale]:
    """Note whose account pays for reservations that a guest made; return the sales that they belong to."""
    rows = await connection.fetch(
        f"""WITH adopted AS (UPDATE reservations SET account_id = $2 WHERE reservation_id = ANY($1::bigint[])
                             RETURNING sale_id)
            SELECT DISTINCT {_SALE} FROM flash_sales JOIN adopted USING (sale_id) ORDER BY sale_id""",  # noqa: S608
        [reservation.reservation_id for reservation in reservations],
        account_id,
    )
    return [FlashSale(**row) for row in rows]


async def reserve(connection: Connection, sale: FlashSale, buyer: Buyer, quantity: int) -> None:
    """Note that units, which the caller has moved, are kept for a cart for as long as the sale grants."""
    await connection.execute(
        """WITH made AS (INSERT INTO reservations (sale_id, product_id, cart_id, account_id, quantity, expires_at)
                         VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6)) RETURNING *)
           INSERT INTO ledger (subject, change, product_id, voucher_id, quantity)
           SELECT 'reservation', 'held', product_id, reservation_id, quantity FROM made""",
        sale.sale_id,
        sale.product_id,
        buyer.cart_id,
        buyer.account_id,
        quantity,
        sale.reservation_s,
    )


async def attach(connection: Connection, reservations: Sequence[Reservation], order_id: int) -> None:
    """Make locked reservations part of an order: they expire no more."""
    await _change(connection, [reservation.reservation_id for reservation in reservations], "ordered", order_id)


async def of_order(connection: Connection, order_id: int) -> list[Reservation]:
    """Return the reservations that are part of an order."""
    rows = await connection.fetch(
        """SELECT reservation_id, product_id, cart_id, quantity FROM reservations
           WHERE order_id = $1 AND state = 'ordered' ORDER BY reservation_id""",
        order_id,
    )
    return [reservation_from(row) for row in rows]


async def conclude(connection: Connection, reservations: Sequence[Reservation], order_id: int) -> None:
    """Their order is paid."""
    await _change(connection, [reservation.reservation_id for reservation in reservations], "bought", order_id)


async def detach(connection: Connection, reservations: Sequence[Reservation]) -> None:
    """Their order was cancelled: they are held as before, and expire when they were to expire."""
    await _change(connection, [reservation.reservation_id for reservation in reservations], "held", None)


async def end(connection: Connection, reservations: Sequence[Reservation], state: str) -> None:
    """Bring locked reservations, whose units the caller puts back, to `released` or `expired`."""
    await _change(connection, [reservation.reservation_id for reservation in reservations], state, None)


def reservation_from(row: Row) -> Reservation:
    """Read a row that holds a reservation's columns."""
    return Reservation(row["reservation_id"], row["product_id"], row["cart_id"], row["quantity"])


async def _change(connection: Connection, reservation_ids: list[int], state: str, order_id: int | None) -> None:
    if reservation_ids:
        await connection.execute(
            """WITH was AS (SELECT reservation_id, state FROM reservations WHERE reservation_id = ANY($1::bigint[])),
                    changed AS (UPDATE reservations SET state = $2, order_id = $3
                                WHERE reservation_id = ANY($1::bigint[]) RETURNING *)
               INSERT INTO ledger (subject, change, was, order_id, product_id, voucher_id, quantity)
               SELECT 'reservation', $2, was.state, $3, product_id, reservation_id, quantity
               FROM changed JOIN was USING (reservation_id)""",
            reservation_ids,
            state,
            order_id,
        )
