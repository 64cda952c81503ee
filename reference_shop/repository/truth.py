"""Streams orders, payments and stock for the audit: numbers and states only, never a name, an address or a card."""

from collections.abc import AsyncIterator, Mapping

from reference_shop.repository.database import Connection

Fact = Mapping[str, object]

_ROWS_PER_TRIP = 500
_ORDERS = """
    SELECT o.order_id, o.idempotency_key::text AS key, o.state, o.total_idr,
           extract(epoch FROM o.placed_at)::float8 AS placed_at,
           array_agg(l.product_id ORDER BY l.product_id) AS products,
           array_agg(l.quantity ORDER BY l.product_id) AS quantities,
           array_agg(l.price_idr ORDER BY l.product_id) AS prices
    FROM orders o JOIN order_lines l USING (order_id)
    WHERE o.placed_at >= to_timestamp($1) GROUP BY o.order_id ORDER BY o.order_id"""
_PAYMENTS = """
    SELECT p.idempotency_key::text AS key, p.order_id, p.amount_idr, p.state
    FROM payments p JOIN orders o USING (order_id) WHERE o.placed_at >= to_timestamp($1) ORDER BY p.order_id"""
_STOCK = """
    SELECT product_id, initial, on_hand, sold FROM stock WHERE on_hand <> initial OR sold <> 0 ORDER BY product_id"""


async def facts(connection: Connection, since: float) -> AsyncIterator[Fact]:
    """Yield orders placed since an instant (epoch seconds), their payments, and every stock that moved."""
    async for row in connection.cursor(_ORDERS, since, prefetch=_ROWS_PER_TRIP):
        lines = zip(row["products"], row["quantities"], row["prices"], strict=True)
        yield {
            "type": "order",
            "order_id": row["order_id"],
            "idempotency_key": row["key"],
            "state": row["state"],
            "total_idr": row["total_idr"],
            "placed_at": row["placed_at"],
            "lines": [
                {"product_id": product, "quantity": quantity, "price_idr": price} for product, quantity, price in lines
            ],
        }
    async for row in connection.cursor(_PAYMENTS, since, prefetch=_ROWS_PER_TRIP):
        yield {
            "type": "payment",
            "idempotency_key": row["key"],
            "order_id": row["order_id"],
            "amount_idr": row["amount_idr"],
            "state": row["state"],
        }
    async for row in connection.cursor(_STOCK, prefetch=_ROWS_PER_TRIP):
        yield {"type": "stock", **row}
