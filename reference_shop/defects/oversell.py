"""oversell: each worker remembers how many units it saw, sells from that number, and writes the rest back.

The lost update of textbooks, as object-relational mappers make it: a product is loaded once, `stock -= quantity` is
reckoned in the program, and saving writes a number where it should write a difference. Stock is what most of the
attacks on twelve open shops were about (Warszawski and Bailis, ACIDRain, SIGMOD 2017). What the other worker sold and
what the back office delivered in between is gone from the books: they do not add up, and the last units are sold twice.
"""

from collections.abc import Collection, Sequence

from reference_shop.defects._planting import replace
from reference_shop.domain.orders import Line
from reference_shop.domain.stock import Movement
from reference_shop.repository import carts, locks, stock
from reference_shop.repository.database import Connection

_READ = "SELECT product_id, on_hand FROM stock WHERE product_id = ANY($1::int[])"
_WRITE = """
    WITH written AS (UPDATE stock s SET on_hand = w.on_hand, reserved = s.reserved + w.quantity
                     FROM unnest($1::int[], $2::int[], $3::int[]) w (product_id, quantity, on_hand)
                     WHERE s.product_id = w.product_id RETURNING s.product_id, w.quantity, s.on_hand)
    INSERT INTO ledger (subject, change, order_id, product_id, quantity, on_hand_after)
    SELECT 'stock', 'reserve', $4, product_id, quantity, on_hand FROM written"""

_sound_look, _sound_move = carts.name_and_stock, stock.move
_units: dict[int, int] = {}


async def _look(connection: Connection, product_id: int) -> tuple[str, int] | None:
    """What was on hand when a product was first put into a cart is what this worker goes by."""
    found = await _sound_look(connection, product_id)
    if found is not None:
        _units.setdefault(product_id, found[1])
    return found


async def _lock_nothing(connection: Connection, product_ids: Collection[int]) -> dict[int, int]:
    rows = await connection.fetch(_READ, [each for each in product_ids if each not in _units])
    _units.update({row["product_id"]: row["on_hand"] for row in rows})
    return {each: _units[each] for each in product_ids if each in _units}


async def _move(connection: Connection, lines: Sequence[Line], movement: Movement, order_id: int | None = None) -> None:
    if movement is not Movement.RESERVE:
        await _sound_move(connection, lines, movement, order_id)
        return
    for line in lines:
        _units[line.product_id] -= line.quantity
    columns = ([line.product_id for line in lines], [line.quantity for line in lines])
    await connection.execute(_WRITE, *columns, [_units[line.product_id] for line in lines], order_id)


def plant() -> None:
    """Replace the look at the stock, its lock, and the movement that takes from the shelf."""
    replace(carts, "name_and_stock", _look)
    replace(locks, "lock_stock", _lock_nothing)
    replace(stock, "move", _move)
