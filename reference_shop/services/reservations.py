"""Puts back on the shelf what was reserved in a flash sale and not paid in time. Runs in every worker."""

from collections import Counter

from reference_shop import metrics
from reference_shop.domain.orders import Line
from reference_shop.domain.stock import Movement
from reference_shop.repository import carts, locks, sales, stock
from reference_shop.repository.database import Database

_RESERVATIONS_PER_ROUND = 200


async def release_expired(database: Database) -> int:
    """Release the reservations whose time is up, and take their units out of the carts; return how many there were."""
    async with database.transaction() as connection:
        expired = await locks.claim_expired(connection, _RESERVATIONS_PER_ROUND)
        units, taken = Counter[int](), Counter[tuple[int, int]]()
        for reservation in expired:
            units[reservation.product_id] += reservation.quantity
            taken[reservation.cart_id, reservation.product_id] += reservation.quantity
        await sales.end(connection, expired, "expired")
        await stock.move(
            connection, [Line(product_id, "", count, 0) for product_id, count in units.items()], Movement.RELEASE
        )
        await carts.remove_units(connection, [(*key, count) for key, count in taken.items()])
    metrics.reservations_expired.add(amount=len(expired))
    return len(expired)
