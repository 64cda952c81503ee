"""Moves units of products between shelf, reservations and shoppers; each movement is a row of the ledger as well."""

from collections.abc import Sequence

from reference_shop.domain.orders import Line
from reference_shop.domain.stock import EFFECTS, Movement
from reference_shop.repository.database import Connection

_COLUMNS = ("initial", "on_hand", "reserved", "sold", "returned")


def _statement(movement: Movement) -> str:
    """One statement per movement: rows locked by ascending product, changed, and noted with what is left on hand."""
    effects = ((column, getattr(EFFECTS[movement], column)) for column in _COLUMNS)
    changes = ", ".join(f"{column} = s.{column} {effect:+d} * w.quantity" for column, effect in effects if effect)
    return f"""
        WITH wanted AS (SELECT * FROM unnest($1::int[], $2::int[]) w (product_id, quantity)),
             locked AS MATERIALIZED (SELECT product_id FROM stock WHERE product_id = ANY($1::int[])
                                     ORDER BY product_id FOR UPDATE),
             moved AS (UPDATE stock s SET {changes} FROM locked JOIN wanted w USING (product_id)
                       WHERE s.product_id = locked.product_id RETURNING s.product_id, w.quantity, s.on_hand)
        INSERT INTO ledger (subject, change, order_id, product_id, quantity, on_hand_after)
        SELECT 'stock', '{movement}', $3, product_id, quantity, on_hand FROM moved"""  # noqa: S608  (constants only)


_STATEMENTS = {movement: _statement(movement) for movement in Movement}


async def move(connection: Connection, lines: Sequence[Line], movement: Movement, order_id: int | None = None) -> None:
    """Move every line's units; locks the products by ascending id, which is the order of `locks`.

    Raises ValueError for less than no units: that would be another movement.
    """
    if any(line.quantity < 0 for line in lines):
        raise ValueError(f"{movement} of {lines}: units cannot be negative")
    wanted = {line.product_id: line.quantity for line in lines if line.quantity}
    if wanted:
        await connection.execute(_STATEMENTS[movement], list(wanted), list(wanted.values()), order_id)
