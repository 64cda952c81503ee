"""reservation-leak: what is reserved stays reserved: when its order is paid or cancelled, and when its time is up.

Reservations that are written when an order is placed and must be undone in three other places are undone in none.
Magento has a command of its own to find such leftovers (`inventory:reservation:list-inconsistencies`). The shelf
empties by every declined card and every abandoned flash sale, and more is reserved than anybody holds. In a flash sale
the audit's `reservations` finds what has expired and is held on, too.
"""

from collections.abc import Sequence

from reference_shop.defects._planting import replace
from reference_shop.domain.orders import Line
from reference_shop.domain.sales import Reservation
from reference_shop.domain.stock import EFFECTS, Effect, Movement
from reference_shop.repository import locks, stock
from reference_shop.repository.database import Connection

_sound_move = stock.move


async def _move(connection: Connection, lines: Sequence[Line], movement: Movement, order_id: int | None = None) -> None:
    if movement is not Movement.RELEASE:
        await _sound_move(connection, lines, movement, order_id)


async def _find_none(_connection: Connection, _limit: int) -> list[Reservation]:
    return []


def plant() -> None:
    """Replace the movements, one of which now does half of its work and another nothing, and the search for expired."""
    replace(stock, "EFFECTS", {**EFFECTS, Movement.SELL: Effect(sold=1)})
    replace(stock, "_STATEMENTS", {movement: stock._statement(movement) for movement in Movement})
    replace(stock, "move", _move)
    replace(locks, "claim_expired", _find_none)
