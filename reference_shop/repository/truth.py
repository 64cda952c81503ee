"""Streams the shop's books for the audit: numbers and states only, never a name, an address, a card or a code of money.

Each kind of line is one statement, all of one snapshot; docs/reference-shop.md says what the fields mean.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from reference_shop.repository.database import Connection, Row

Fact = Mapping[str, object]

_ROWS_PER_TRIP = 500
_ORDERS = """
    SELECT o.order_id, o.idempotency_key::text AS idempotency_key, o.state, o.discount_idr, o.total_idr, o.gift_idr,
           o.total_idr - o.gift_idr AS charge_idr, c.code AS coupon, o.gift_card_id, o.account_id,
           extract(epoch FROM o.placed_at)::float8 AS placed_at, l.products, l.quantities, l.prices
    FROM orders o LEFT JOIN coupons c USING (coupon_id),
         LATERAL (SELECT array_agg(l.product_id ORDER BY l.product_id) AS products,
                         array_agg(l.quantity ORDER BY l.product_id) AS quantities,
                         array_agg(l.price_idr ORDER BY l.product_id) AS prices
                  FROM order_lines l WHERE l.order_id = o.order_id) l
    WHERE o.placed_at >= to_timestamp($1) ORDER BY o.order_id"""
_PAYMENTS = """
    SELECT p.idempotency_key::text AS idempotency_key, p.order_id, p.amount_idr, p.state
    FROM payments p JOIN orders o USING (order_id) WHERE o.placed_at >= to_timestamp($1) ORDER BY p.order_id"""
_STOCK = """
    WITH moved AS (SELECT product_id, max(at) AS moved_at FROM ledger
                   WHERE at >= to_timestamp($1) AND subject = 'stock' GROUP BY product_id),
         ordered AS (SELECT l.product_id, sum(l.quantity) AS units FROM orders o JOIN order_lines l USING (order_id)
                     WHERE o.state = 'pending' GROUP BY l.product_id),
         kept AS (SELECT product_id, sum(quantity) AS units FROM reservations WHERE state = 'held' GROUP BY product_id)
    SELECT product_id, s.initial, s.on_hand, s.reserved, s.sold, s.returned,
           (coalesce(ordered.units, 0) + coalesce(kept.units, 0))::int AS held,
           extract(epoch FROM moved_at)::float8 AS moved_at
    FROM moved JOIN stock s USING (product_id) LEFT JOIN ordered USING (product_id) LEFT JOIN kept USING (product_id)
    ORDER BY product_id"""
_MOVEMENTS = """
    SELECT entry_id, extract(epoch FROM at)::float8 AS at, product_id, change, quantity, on_hand_after, order_id
    FROM ledger WHERE at >= to_timestamp($1) AND subject = 'stock' ORDER BY entry_id"""
_PRICES = """
    SELECT entry_id, extract(epoch FROM at)::float8 AS at, product_id
    FROM ledger WHERE at >= to_timestamp($1) AND subject = 'price' ORDER BY entry_id"""
_TRANSITIONS = """
    SELECT entry_id, extract(epoch FROM at)::float8 AS at, order_id, was AS "from", change AS "to"
    FROM ledger JOIN orders o USING (order_id)
    WHERE at >= to_timestamp($1) AND subject = 'order' AND o.placed_at >= to_timestamp($1) ORDER BY entry_id"""
_COUPONS = """
    SELECT code, allowed_count, used_count,
           (SELECT count(*) FROM orders o WHERE o.coupon_id = c.coupon_id AND o.state <> 'cancelled') AS order_count
    FROM coupons c WHERE coupon_id IN (SELECT coupon_id FROM orders WHERE placed_at >= to_timestamp($1))
    ORDER BY coupon_id"""
_GIFT_CARDS = """
    SELECT gift_card_id, initial_idr, balance_idr,
           (SELECT coalesce(sum(gift_idr), 0)::bigint FROM orders o
            WHERE o.gift_card_id = g.gift_card_id AND o.state NOT IN ('cancelled', 'returned')) AS spent_idr
    FROM gift_cards g WHERE gift_card_id IN (SELECT gift_card_id FROM orders WHERE placed_at >= to_timestamp($1))
    ORDER BY gift_card_id"""
_RESERVATIONS = """
    SELECT reservation_id, product_id, quantity, extract(epoch FROM expires_at)::float8 AS expires_at
    FROM reservations WHERE state = 'held' ORDER BY reservation_id"""
_RECENT_SALES = "SELECT * FROM flash_sales WHERE ends_at >= to_timestamp($1)"
_SALES = f"""
    WITH recent AS ({_RECENT_SALES})
    SELECT sale_id, recent.product_id, units, limit_per_customer, extract(epoch FROM starts_at)::float8 AS starts_at,
           coalesce((SELECT sum(r.quantity) FROM reservations r
                     WHERE r.sale_id = recent.sale_id AND r.state IN ('ordered', 'bought')), 0)::int AS sold_count
    FROM recent ORDER BY sale_id"""  # noqa: S608  (constants only)
_CUSTOMERS = f"""
    WITH recent AS ({_RECENT_SALES}),
         taken AS (SELECT r.* FROM reservations r JOIN recent USING (sale_id)
                   WHERE r.state IN ('held', 'ordered', 'bought'))
    SELECT sale_id, 'cart ' || cart_id AS customer, sum(quantity)::int AS units FROM taken GROUP BY sale_id, cart_id
    UNION ALL
    SELECT sale_id, 'account ' || account_id, sum(quantity)::int FROM taken WHERE account_id IS NOT NULL
    GROUP BY sale_id, account_id
    ORDER BY 1, 2"""  # noqa: S608
_OPEN = "SELECT count(*) FROM orders WHERE state IN ('pending', 'returning')"
_ON_HAND = "SELECT product_id, on_hand FROM stock WHERE product_id = ANY($1::int[])"


def _order(row: Row) -> Fact:
    columns = ("products", "quantities", "prices")
    lines = zip(*(row[column] or () for column in columns), strict=True)
    return {
        "type": "order",
        **{name: value for name, value in row.items() if name not in columns},
        "lines": [{"product_id": product, "quantity": units, "price_idr": price} for product, units, price in lines],
    }


def _as(kind: str) -> Callable[[Row], Fact]:
    return lambda row: {"type": kind, **row}


_KINDS: tuple[tuple[str, Callable[[Row], Fact]], ...] = (
    (_ORDERS, _order),
    (_PAYMENTS, _as("payment")),
    (_STOCK, _as("stock")),
    (_MOVEMENTS, _as("movement")),
    (_PRICES, _as("price")),
    (_TRANSITIONS, _as("transition")),
    (_COUPONS, _as("coupon")),
    (_GIFT_CARDS, _as("gift_card")),
    (_RESERVATIONS, _as("reservation")),
    (_SALES, _as("sale")),
    (_CUSTOMERS, _as("customer")),
)


async def facts(connection: Connection, since: float) -> AsyncIterator[Fact]:
    """Yield what happened since an instant (epoch seconds), and the state of everything that it concerns."""
    for query, fact in _KINDS:
        arguments = (since,) if "$1" in query else ()
        async for row in connection.cursor(query, *arguments, prefetch=_ROWS_PER_TRIP):
            yield fact(row)


async def open_order_count(connection: Connection) -> int:
    """Return how many orders are pending or returning."""
    count: int = await connection.fetchval(_OPEN)
    return count


async def on_hand(connection: Connection, product_ids: Sequence[int]) -> dict[int, int]:
    """Return the units on hand of these products."""
    rows = await connection.fetch(_ON_HAND, list(product_ids))
    return {row["product_id"]: row["on_hand"] for row in rows}
